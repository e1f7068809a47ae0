package nacos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
)

const configsPath = "/nacos/v1/cs/configs"

var (
	errNotNacos = errors.New("the answer is none of Nacos: nodes name its HTTP port (8848), without /nacos")
	errTenant   = errors.New("the server answers with another namespace")
)

// A server is Nacos, on one of several nodes.
type server struct {
	nodes *httpnodes.Client
	login credentials

	turn  chan struct{} // holds the right to use token
	token token
}

func newServer(nodes *httpnodes.Client, login credentials) *server {
	return &server{nodes: nodes, login: login, turn: make(chan struct{}, 1)}
}

// call sends r with a token and returns an answer that is no refusal. A token
// that has run out, or that a restarted server no longer knows, is refused like
// one without permission: so another is got once before that is believed.
func (s *server) call(ctx context.Context, r httpnodes.Request) (httpnodes.Response, error) {
	stale := ""
	for {
		token, err := s.authorized(ctx, stale)
		if err != nil {
			return httpnodes.Response{}, err
		}
		sent := r
		if token != "" {
			sent.Query = url.Values{"accessToken": {token}}
			maps.Copy(sent.Query, r.Query)
		}
		resp, err := s.nodes.Do(ctx, sent)
		if err != nil {
			return httpnodes.Response{}, err
		}
		if denied(resp.Status) && token != "" && stale == "" {
			stale = token
			continue
		}
		return resp, s.refusal(resp, token)
	}
}

func denied(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

// refusal returns what an answer other than 200 says, nil where it is 200.
func (s *server) refusal(resp httpnodes.Response, token string) error {
	said := s.said(resp.Body, token)
	switch {
	case resp.Status == http.StatusOK:
		return nil
	case denied(resp.Status):
		return fmt.Errorf("%w: %s", store.ErrDenied, said)
	case resp.Status == http.StatusNotFound:
		return fmt.Errorf("%w: %w", store.ErrUnavailable, errNotNacos)
	}
	return fmt.Errorf("%w: the server answers %d: %s", store.ErrUnavailable, resp.Status, said)
}

// maxSaid is how much of what a server says is repeated, in bytes.
const maxSaid = 200

// said returns the message of an answer, on one line and without our secrets,
// which a server or a proxy may repeat.
func (s *server) said(body []byte, token string) string {
	var answer struct {
		Message string `json:"message"`
	}
	text := string(body)
	if json.Unmarshal(body, &answer) == nil && answer.Message != "" {
		text = answer.Message
	}
	for _, secret := range []string{s.login.password, token} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	if len(text) > maxSaid {
		cut := maxSaid
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	if text = strings.TrimSpace(text); text == "" {
		return "it does not say why"
	}
	return diag.OneLine(text)
}
