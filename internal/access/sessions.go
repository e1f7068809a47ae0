package access

import (
	"sync"
	"time"
)

// The bounds of sessions.
const (
	SessionTime = 12 * time.Hour // from the login on
	idleTime    = 2 * time.Hour  // without a request
	maxSessions = 64             // beyond that the one that was used longest ago ends
)

// session is one login.
type session struct {
	token hash // that it was opened with: it ends when the token does
	ends  time.Time
	used  time.Time
}

// sessions are kept by the hash of what the browser holds, so that not even the
// memory of the agent shows a cookie.
type sessions struct {
	mu   sync.Mutex
	open map[hash]session
}

// add opens a session and returns what the browser is to hold.
func (s *sessions) add(token hash, now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	for len(s.open) >= maxSessions {
		s.dropOldest()
	}
	secret := newSecret()
	s.open[hashOf(secret)] = session{token: token, ends: now.Add(SessionTime), used: now}
	return secret
}

// check reports whether secret is a session of the token, and notes its use.
func (s *sessions) check(secret string, token hash, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := hashOf(secret)
	one, ok := s.open[id]
	if !ok {
		return false
	}
	if one.over(now) || !one.token.equal(token) {
		delete(s.open, id)
		return false
	}
	one.used = now
	s.open[id] = one
	return true
}

func (s *sessions) remove(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, hashOf(secret))
}

func (one session) over(now time.Time) bool {
	return !now.Before(one.ends) || now.Sub(one.used) >= idleTime
}

func (s *sessions) sweep(now time.Time) {
	for id, one := range s.open {
		if one.over(now) {
			delete(s.open, id)
		}
	}
}

func (s *sessions) dropOldest() {
	var oldest hash
	var used time.Time
	for id, one := range s.open {
		if used.IsZero() || one.used.Before(used) {
			oldest, used = id, one.used
		}
	}
	delete(s.open, oldest)
}
