package etcd

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
)

// The codes of the errors that etcd tells apart.
const (
	codeNotFound     = 100
	codeCompare      = 101
	codeNotFile      = 102
	codeNotDirectory = 104
	codeExists       = 105
	codeUnauthorized = 110
	codeCleared      = 401 // the events from there on are forgotten
)

// A refusal is an error that etcd answers with.
type refusal struct {
	Code    int    `json:"errorCode"`
	Message string `json:"message"`
	Cause   string `json:"cause"`
}

func (r *refusal) Error() string {
	if r.Cause != "" {
		return r.Message + " (" + r.Cause + ")"
	}
	return r.Message
}

// is reports whether err is the refusal of that code.
func is(err error, code int) bool {
	r, ok := errors.AsType[*refusal](err)
	return ok && r.Code == code
}

// maxMessage bounds what is shown of a server's text.
const maxMessage = 200

// errNoV2 says what to do about a server without the API.
var errNoV2 = errors.New(`the server has no v2 API: start etcd with --enable-v2=true, or use backend "etcdv3"`)

// refused returns the error that resp stands for, nil where it is none.
func refused(resp httpnodes.Response) error {
	if resp.Status == http.StatusOK || resp.Status == http.StatusCreated {
		return nil
	}
	r := new(refusal)
	if err := json.Unmarshal(resp.Body, r); err != nil || r.Message == "" {
		r = &refusal{Message: "the server answers " + strconv.Itoa(resp.Status)}
	}
	r.Message, r.Cause = clip(r.Message), clip(r.Cause)
	switch {
	case resp.Status == http.StatusUnauthorized || r.Code == codeUnauthorized:
		return fmt.Errorf("%w: %w", store.ErrDenied, r)
	case resp.Status == http.StatusNotFound && r.Code == 0:
		return fmt.Errorf("%w: %w", store.ErrUnavailable, errNoV2)
	case resp.Status == http.StatusForbidden && r.Code == 0: // a proxy in front of it
		return fmt.Errorf("%w: %w", store.ErrDenied, r)
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, r)
}

func clip(s string) string {
	if len(s) > maxMessage {
		s = s[:maxMessage] + "…"
	}
	return diag.OneLine(s)
}

// indexOf returns the index of the store that resp shows.
func indexOf(resp httpnodes.Response) (uint64, error) {
	index, err := strconv.ParseUint(resp.Header.Get("X-Etcd-Index"), 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%w: the answer has no X-Etcd-Index, so it is none of etcd's v2 API", store.ErrUnavailable)
	}
	return index, nil
}
