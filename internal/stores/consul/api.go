package consul

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
)

// errForeign marks what no Consul would say: another server has the port, or
// sits between. Taken for an answer, its 404 would be an empty tree.
var errForeign = errors.New("this is no answer of Consul")

// A tree is every key below the root, of one answer.
type tree struct {
	index   uint64 // names the state of the root
	entries map[string]store.Entry
	missing bool // Consul has no key at all there, not even one that is a folder
	size    int  // bytes of the answer
}

func (t tree) state() state { return state{index: t.index, missing: t.missing} }

// list returns the whole tree. After index 0 it comes at once, and a leader that
// has been elected just now may not answer from what it knew before; after any
// other it comes once the tree has left that index, and after wait at the latest.
func (a api) list(ctx context.Context, index uint64, wait time.Duration) (tree, error) {
	r := httpnodes.Request{Path: path(a.root), Query: url.Values{"recurse": {""}}}
	if index == 0 {
		r.Query.Set("consistent", "")
	} else {
		r.Query.Set("index", strconv.FormatUint(index, 10))
		r.Query.Set("wait", strconv.FormatInt(wait.Milliseconds(), 10)+"ms")
		r.Long = wait + wait/16 // the server lets a fleet's queries end apart
	}
	resp, err := a.get(ctx, r)
	if err != nil {
		return tree{}, err
	}
	t := tree{entries: map[string]store.Entry{}, missing: resp.Status == http.StatusNotFound, size: len(resp.Body)}
	if t.index, err = indexOf(resp.Header); err == nil && !t.missing {
		t.entries, err = parse(resp.Body, a.root)
	}
	return t, err
}

// state returns the state of the tree as of now. It costs little more than a
// ping: the answer is the names of the topmost folders.
func (a api) state(ctx context.Context) (state, error) {
	resp, err := a.get(ctx, httpnodes.Request{
		Path: path(a.root), Query: url.Values{"keys": {""}, "separator": {"/"}, "consistent": {""}},
	})
	if err != nil {
		return state{}, err
	}
	index, err := indexOf(resp.Header)
	return state{index: index, missing: resp.Status == http.StatusNotFound}, err
}

// mayRead fails with store.ErrDenied if we may not read the root. To a list
// Consul answers 404 then, as if nothing were there, and without a token it does
// not even say that it has left keys out. To a read of one key it says 403.
func (a api) mayRead(ctx context.Context) error {
	_, err := a.get(ctx, httpnodes.Request{Path: path(a.root)})
	return err
}

// get sends r and returns an answer that is 200 or 404, and complete.
func (a api) get(ctx context.Context, r httpnodes.Request) (httpnodes.Response, error) {
	r.Header = a.header
	resp, err := a.client.Do(ctx, r)
	switch {
	case err != nil:
		return resp, err
	case resp.Header.Get("X-Consul-Results-Filtered-By-Acls") == "true":
		return resp, fmt.Errorf("%w: %s", store.ErrDenied, a.needs("may not read every key of it"))
	case resp.Status != http.StatusOK && resp.Status != http.StatusNotFound:
		return resp, a.refusal(resp)
	}
	return resp, nil
}

// needs says what lack is and how to cure it.
func (a api) needs(lack string) string {
	who := "auth_token"
	if a.header.Get("X-Consul-Token") == "" {
		who = "no auth_token is set, and the anonymous token"
	}
	return fmt.Sprintf("%s %s: grant key_prefix %q { policy = \"read\" }", who, lack, a.root)
}

// refusal is the error of an answer that is neither 200 nor 404.
func (a api) refusal(resp httpnodes.Response) error {
	said := a.told(resp.Body)
	switch resp.Status {
	case http.StatusUnauthorized:
		return fmt.Errorf("%w: %s", store.ErrDenied, said)
	case http.StatusForbidden:
		return fmt.Errorf("%w: %s (%s)", store.ErrDenied, said, a.needs("may not do this"))
	case http.StatusRequestEntityTooLarge:
		return fmt.Errorf("the value is over what the server takes (kv_max_value_size): %s", said)
	}
	return fmt.Errorf("%w: %s answers %d: %s", store.ErrUnavailable, resp.Node, resp.Status, said)
}

const (
	// maxReason bounds what can be a reason that Consul gives. More is a page, of
	// which no part may be cut out: it could end within a secret.
	maxReason = 4 << 10
	// maxTold bounds what we repeat of one.
	maxTold = 300
)

// told returns what a server says as one line for an error, without the secrets
// that a proxy may have echoed.
func (a api) told(body []byte) string {
	if len(body) > maxReason {
		return fmt.Sprintf("a page of %d bytes", len(body))
	}
	text := string(body)
	for _, s := range a.secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "…")
		}
	}
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "?"), func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	if len(text) > maxTold {
		text = strings.ToValidUTF8(text[:maxTold], "") + " …"
	}
	if text == "" {
		return "no reason given"
	}
	return text
}

// indexOf returns the index that an answer is of.
func indexOf(h http.Header) (uint64, error) {
	index, err := strconv.ParseInt(h.Get("X-Consul-Index"), 10, 64)
	if err != nil || index < 0 {
		return 0, fmt.Errorf("%w: %w: its index is %.40q", store.ErrUnavailable, errForeign, h.Get("X-Consul-Index"))
	}
	// Index 0 asks for an answer at once, so that following it would never block.
	return max(uint64(index), 1), nil
}

// path returns the escaped path of a key.
func path(key string) string { return (&url.URL{Path: "/v1/kv/" + key}).EscapedPath() }
