package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
)

// A request is one call of Vault's HTTP protocol.
type request struct {
	method string // GET where empty
	path   string // below /v1/, escaped
	list   bool   // GET of the names below path
	body   any    // sent as JSON where there is one
}

// An answer is what Vault said, whatever it was.
type answer struct {
	status int
	body   []byte
	said   said
}

// said is the part of an answer that every kind of it may have.
type said struct {
	Errors   []string `json:"errors"`
	Warnings []string `json:"warnings"`
}

// The statuses that Vault has for itself: of a node that is there for another
// cluster's disaster, and of one that only stands by.
const (
	statusDRSecondary = 472
	statusStandby     = 473
)

// An api sends requests to one of the nodes.
type api struct{ nodes *httpnodes.Client }

// call sends r with token. An error says that no node answered, or, beside the
// answer, that none could serve it; any other answer is for the caller to judge.
func (a *api) call(ctx context.Context, token string, r request) (answer, error) {
	h := http.Header{"X-Vault-Request": {"true"}} // a Vault agent in between may ask for it
	if token != "" {
		h.Set("X-Vault-Token", token)
	}
	req := httpnodes.Request{Method: r.method, Path: "/v1/" + r.path, Header: h, Next: elsewhere()}
	if r.list {
		req.Path += "/"
		req.Query = url.Values{"list": {"true"}}
	}
	if r.body != nil {
		var err error
		if req.Body, err = json.Marshal(r.body); err != nil {
			return answer{}, err
		}
		h.Set("Content-Type", "application/json")
	}
	resp, err := a.nodes.Do(ctx, req)
	if err != nil {
		return answer{}, err
	}
	out := answer{status: resp.Status, body: resp.Body}
	// A body that is no JSON comes from something in between; its status tells.
	_ = json.Unmarshal(resp.Body, &out.said)
	if away(out.status) {
		return out, fmt.Errorf("%w: %s", store.ErrUnavailable, out.text())
	}
	return out, nil
}

// elsewhere returns the statuses, beside those of every server, with which a
// node says that another one could serve the request.
func elsewhere() []int {
	return []int{http.StatusTooManyRequests, http.StatusPreconditionFailed, statusDRSecondary, statusStandby}
}

// away reports whether status says that no node could serve the request now.
func away(status int) bool {
	return status >= http.StatusInternalServerError || slices.Contains(elsewhere(), status)
}

// found reports whether the answer is what was asked for.
func (a answer) found() bool { return a.status >= 200 && a.status < 300 }

// nothing reports whether Vault says that there is nothing at the path. A path
// without a mount, or not of this version of the engine, is a 404 as well, but
// one that says so: it must not look like a deletion. Nor must the 404 of some
// other server.
func (a answer) nothing() bool {
	var shape struct {
		Errors *[]string       `json:"errors"`
		Data   json.RawMessage `json:"data"`
	}
	if a.status != http.StatusNotFound || json.Unmarshal(a.body, &shape) != nil {
		return false
	}
	return len(a.said.Errors) == 0 && len(a.said.Warnings) == 0 && (shape.Errors != nil || shape.Data != nil)
}

// maxSaid bounds what of a server's words goes into an error.
const maxSaid = 300

// text is what the answer says in words.
func (a answer) text() string {
	words := strings.Join(slices.Concat(a.said.Errors, a.said.Warnings), "; ")
	if a.status == http.StatusServiceUnavailable && strings.Contains(words, "sealed") {
		words = "Vault is sealed"
	}
	words = strings.TrimSpace(diag.OneLine(words))
	if words == "" {
		return fmt.Sprintf("the server answers %d", a.status)
	}
	if len(words) > maxSaid {
		words = strings.ToValidUTF8(words[:maxSaid], "") + "…"
	}
	return fmt.Sprintf("%s (%d)", words, a.status)
}

// refusal is the error of an answer that is not what was asked for.
func (a answer) refusal() error {
	if a.status == http.StatusForbidden || a.status == http.StatusUnauthorized || missingToken(a) {
		return fmt.Errorf("%w: %s", store.ErrDenied, a.text())
	}
	return fmt.Errorf("%w: %s", errRefused, a.text())
}

var errRefused = errors.New("the server refuses the request")

// missingToken reports whether the server says, with a status that means
// something else, that we have to log in.
func missingToken(a answer) bool {
	return a.status == http.StatusBadRequest && slices.ContainsFunc(a.said.Errors, func(s string) bool { return strings.Contains(s, "missing client token") })
}

var errAnswer = errors.New("the answer is none of Vault's")

// decode reads the answer into out.
func (a answer) decode(out any) error {
	if err := json.Unmarshal(a.body, out); err != nil {
		return fmt.Errorf("%w: %w", store.ErrUnavailable, errAnswer) // the error of the decoder may repeat a secret
	}
	return nil
}
