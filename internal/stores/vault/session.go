package vault

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"datakit.dev/internal/store"
)

// A session sends requests with a token that it keeps alive: it logs in with the
// first request, renews the token before it runs out, and logs in again where
// the server knows it no more. The token stays in memory.
type session struct {
	api    *api
	method method
	every  time.Duration // between two looks
	log    *slog.Logger

	turn chan struct{} // holds the right to log in and to renew

	mu    sync.Mutex
	token token
}

func newSession(a *api, m method, every time.Duration, log *slog.Logger) *session {
	return &session{api: a, method: m, every: every, log: log, turn: make(chan struct{}, 1), token: token{id: m.fixed()}}
}

// call sends r with a token that is good. A 403 may mean that the token has run
// out or was revoked: then we log in, and it is decided by the second answer.
func (s *session) call(ctx context.Context, r request) (answer, error) {
	t, err := s.current(ctx)
	if err != nil {
		return answer{}, s.discreet(err, "")
	}
	a, err := s.api.call(ctx, t.id, r)
	if err == nil && a.status == http.StatusForbidden {
		var fresh token
		if fresh, err = s.again(ctx, t); err == nil && fresh.id != "" {
			t = fresh
			a, err = s.api.call(ctx, t.id, r)
		}
	}
	if err != nil {
		return answer{}, s.discreet(err, t.id)
	}
	a.said = s.clean(a.said, t.id)
	return a, nil
}

// current returns the token, after what has to be done to have a good one.
func (s *session) current(ctx context.Context) (token, error) {
	if t := s.held(); s.good(t) {
		return t, nil
	}
	if err := s.take(ctx); err != nil {
		return token{}, err
	}
	defer s.leave()
	t := s.held()
	if s.good(t) {
		return t, nil
	}
	if t.id == "" {
		return s.enter(ctx)
	}
	return s.prolong(ctx, t)
}

// again is called after a 403 for the token old. It returns a new token, or one
// without id where old is good and the answer was meant.
func (s *session) again(ctx context.Context, old token) (token, error) {
	if err := s.take(ctx); err != nil {
		return token{}, err
	}
	defer s.leave()
	if t := s.held(); t.id != old.id {
		return t, nil // another request has been here
	}
	if old.id == "" {
		return token{}, nil
	}
	a, err := s.api.call(ctx, old.id, request{path: "auth/token/lookup-self"})
	switch {
	case err != nil:
		return token{}, err
	case a.found():
		return token{}, nil
	case !s.method.logsIn():
		return token{}, fmt.Errorf("%w: the token has run out, was revoked, or never was one: %s", store.ErrDenied, a.text())
	}
	s.hold(token{})
	return s.enter(ctx)
}

// enter logs in. It is called with the right to do so.
func (s *session) enter(ctx context.Context) (token, error) {
	path, body, err := s.method.request()
	if err != nil {
		return token{}, fmt.Errorf("log in by %s: %w: %w", s.method.name, store.ErrDenied, err)
	}
	a, err := s.api.call(ctx, "", request{method: http.MethodPost, path: path, body: body})
	if err != nil && !s.method.refused(a) {
		return token{}, fmt.Errorf("log in by %s: %w", s.method.name, err)
	}
	if !a.found() {
		a.said = s.clean(a.said, body["jwt"])
		return token{}, fmt.Errorf("log in by %s: %w: %s", s.method.name, store.ErrDenied, a.text())
	}
	t, err := granted(a)
	if err != nil {
		return token{}, fmt.Errorf("log in by %s: %w", s.method.name, err)
	}
	t.ours = true
	s.hold(t)
	s.log.Debug("logged in to Vault", "method", s.method.name, "ttl", t.life)
	return t, nil
}

// good reports whether t needs no attention before the next look. A token is
// renewed when a third of its life is left, or sooner where the next look could
// come too late.
func (s *session) good(t token) bool {
	switch {
	case s.method.name == "none":
		return true
	case t.id == "" || !t.asked:
		return false
	case t.ends.IsZero():
		return true
	}
	// A life shorter than that is renewed, or begun anew, with every look; but
	// not with every request of one.
	margin := min(max(t.life/3, 2*s.every), t.life*9/10)
	return time.Until(t.ends) > margin
}

// prolong keeps t alive, or replaces it where that is no longer possible. It is
// called with the right to do so.
func (s *session) prolong(ctx context.Context, t token) (token, error) {
	if !t.asked {
		return s.ask(ctx, t)
	}
	if t.renewable {
		longer, err := s.renew(ctx, t)
		switch {
		case ctx.Err() != nil:
			return token{}, ctx.Err()
		case err == nil && (longer.renewable || !s.method.logsIn()):
			return longer, nil
		case err == nil:
			t = longer
		}
	}
	if s.method.logsIn() {
		return s.enter(ctx)
	}
	return t, nil // to its end, and then the server says so
}

// renew asks for a longer life of t. A server that refuses does so in many ways,
// 500 among them: what it means is seen when t is used or replaced.
func (s *session) renew(ctx context.Context, t token) (token, error) {
	a, err := s.api.call(ctx, t.id, request{method: http.MethodPost, path: "auth/token/renew-self", body: map[string]string{}})
	if err != nil {
		return token{}, err
	}
	if !a.found() {
		return token{}, a.refusal()
	}
	longer, err := granted(a)
	if err != nil {
		return token{}, err
	}
	longer.id, longer.ours = t.id, t.ours
	// At the end of all that the server allows, the rest is no longer.
	longer.renewable = longer.renewable && (longer.ends.IsZero() || longer.life > t.life/3)
	s.hold(longer)
	s.log.Debug("renewed the token of Vault", "ttl", longer.life)
	return longer, nil
}

// ask finds out how long the token lives that the options hold. Where it may not
// be asked, it is used as it is.
func (s *session) ask(ctx context.Context, t token) (token, error) {
	a, err := s.api.call(ctx, t.id, request{path: "auth/token/lookup-self"})
	if err != nil {
		return token{}, err
	}
	t.asked = true
	if a.found() {
		var out struct {
			Data struct {
				TTL       int64 `json:"ttl"`
				Renewable bool  `json:"renewable"`
			} `json:"data"`
		}
		if err := a.decode(&out); err != nil {
			return token{}, err
		}
		t = t.until(out.Data.TTL)
		t.renewable = out.Data.Renewable
	}
	s.hold(t)
	if !s.good(t) && t.renewable {
		return s.prolong(ctx, t)
	}
	return t, nil
}

// revoke gives back the token of a login; whoever has set one keeps it.
func (s *session) revoke(ctx context.Context) {
	t := s.held()
	s.hold(token{id: s.method.fixed()})
	if t.ours {
		// Where the server is away the token ends by itself.
		_, _ = s.api.call(ctx, t.id, request{method: http.MethodPost, path: "auth/token/revoke-self", body: map[string]string{}})
	}
}

func (s *session) held() token {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token
}

func (s *session) hold(t token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = t
}

func (s *session) take(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *session) leave() { <-s.turn }
