package vault

import (
	"fmt"
	"strings"
	"time"

	"datakit.dev/internal/store"
)

// A token is what the server let us in with.
type token struct {
	id        string
	ours      bool // it came of a login, so that it is ours to revoke
	asked     bool // its life is known
	renewable bool // it may live longer
	life      time.Duration
	ends      time.Time // zero where it lives for ever
}

// granted reads the token of a login or a renewal.
func granted(a answer) (token, error) {
	var out struct {
		Auth struct {
			ClientToken    string `json:"client_token"`
			LeaseDuration  int64  `json:"lease_duration"`
			Renewable      bool   `json:"renewable"`
			MFARequirement any    `json:"mfa_requirement"`
		} `json:"auth"`
	}
	if err := a.decode(&out); err != nil {
		return token{}, err
	}
	id := out.Auth.ClientToken
	switch {
	case id == "" && out.Auth.MFARequirement != nil:
		return token{}, fmt.Errorf("%w: the server asks for a second factor, which an agent has not", store.ErrDenied)
	case id == "" || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }):
		return token{}, fmt.Errorf("%w: %w", store.ErrUnavailable, errAnswer)
	}
	return token{id: id, asked: true, renewable: out.Auth.Renewable}.until(out.Auth.LeaseDuration), nil
}

// maxLife is longer than any token need live, and short enough to add to now.
const maxLife = 10 * 365 * 24 * 60 * 60

// until returns t with a life of so many seconds from now, for ever where 0.
func (t token) until(seconds int64) token {
	t.life, t.ends = 0, time.Time{}
	if seconds > 0 {
		t.life = time.Duration(min(seconds, maxLife)) * time.Second
		t.ends = time.Now().Add(t.life)
	}
	return t
}
