package nacos

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
)

const (
	loginPath = "/nacos/v1/auth/login"
	// maxSmall bounds every answer that is no list.
	maxSmall = 1 << 20
	// unknownTTL is how long a token is used whose server tells no time.
	unknownTTL = 5 * time.Minute
)

// credentials is how to log in; the zero value is without a login.
type credentials struct{ username, password string }

// A token is what a login gave.
type token struct {
	text  string
	until time.Time // when to get a new one
}

// authorized returns the token to use. stale is one that the server has refused:
// another is then got, unless somebody has done so already.
func (s *server) authorized(ctx context.Context, stale string) (string, error) {
	if s.login.username == "" {
		return "", nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if s.token.text != "" && s.token.text != stale && time.Now().Before(s.token.until) {
		return s.token.text, nil
	}
	t, err := s.logIn(ctx)
	if err != nil {
		return "", err
	}
	s.token = t
	return t.text, nil
}

func (s *server) logIn(ctx context.Context) (token, error) {
	form := url.Values{"username": {s.login.username}, "password": {s.login.password}}
	resp, err := s.nodes.Do(ctx, httpnodes.Request{Method: http.MethodPost, Path: loginPath, Header: formHeader(), Body: []byte(form.Encode()), Limit: maxSmall})
	if err != nil {
		return token{}, fmt.Errorf("login: %w", err)
	}
	if err := s.refusal(resp, ""); err != nil {
		return token{}, fmt.Errorf("login: %w", err)
	}
	t, err := tokenOf(resp.Body, time.Now())
	if err != nil {
		return token{}, fmt.Errorf("login: %w: %w", store.ErrUnavailable, err)
	}
	return t, nil
}

// tokenOf reads the answer of a login at the time now. The errors do not repeat
// it. The token is renewed when a tenth of its time is left, so that no request
// in flight outlives it.
func tokenOf(body []byte, now time.Time) (token, error) {
	var answer struct {
		AccessToken string `json:"accessToken"`
		TokenTTL    int64  `json:"tokenTtl"` // seconds
	}
	if json.Unmarshal(body, &answer) != nil || answer.AccessToken == "" {
		return token{}, errNotNacos
	}
	ttl := unknownTTL
	if answer.TokenTTL > 0 {
		ttl = time.Duration(min(answer.TokenTTL, maxTTL)) * time.Second
	}
	return token{answer.AccessToken, now.Add(ttl - ttl/10)}, nil
}

// maxTTL bounds what a server says of a token, in seconds.
const maxTTL = 365 * 24 * 3600

func formHeader() http.Header {
	return http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
}
