package access

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// The errors of a login.
var (
	ErrWrong   = errors.New("this is not the token")
	ErrNoToken = errors.New("there is no token: `datakit console token` on the agent's machine makes one")
)

// TooMany says that somebody guesses too often.
type TooMany struct{ Wait time.Duration }

func (e TooMany) Error() string {
	return fmt.Sprintf("too many wrong tokens: wait %v", e.Wait.Round(time.Second))
}

// A Gate lets people in. Its methods may be called from several goroutines.
type Gate struct {
	file     File
	sessions sessions
	guesses  *guesses
}

// NewGate returns a gate whose token is kept in f. The file is looked at for every
// decision: a token that was revoked is of no use from then on.
func NewGate(f File) *Gate {
	return &Gate{file: f, sessions: sessions{open: map[hash]session{}}, guesses: newGuesses()}
}

// Locked reports whether there is a token, so that being on this machine is not
// enough. A token that cannot be read counts as one.
func (g *Gate) Locked() bool {
	_, exists, err := g.file.read()
	return exists || err != nil
}

// Login opens a session for who has the token, and returns what the browser is to
// hold.
func (g *Gate) Login(from netip.Addr, secret string) (string, error) {
	h, err := g.compare(from, secret)
	if err != nil {
		return "", err
	}
	return g.sessions.add(h, time.Now()), nil
}

// CheckToken lets in who shows the token itself, without a session.
func (g *Gate) CheckToken(from netip.Addr, secret string) error {
	_, err := g.compare(from, secret)
	return err
}

func (g *Gate) compare(from netip.Addr, secret string) (hash, error) {
	right, wait := g.guesses.try(from, time.Now())
	if right == nil {
		return hash{}, TooMany{wait}
	}
	h, exists, err := g.file.read()
	switch {
	case err != nil:
		return hash{}, err
	case !exists:
		return hash{}, ErrNoToken
	case !h.equal(hashOf(secret)):
		return hash{}, ErrWrong
	}
	right()
	return h, nil
}

// CheckSession reports whether secret is an open session.
func (g *Gate) CheckSession(secret string) bool {
	h, exists, err := g.file.read()
	return err == nil && exists && g.sessions.check(secret, h, time.Now())
}

// Logout ends a session.
func (g *Gate) Logout(secret string) { g.sessions.remove(secret) }

type admissionKey struct{}

// WithAdmission notes whether who sent a request may see what the agent does.
func WithAdmission(ctx context.Context, admitted bool) context.Context {
	return context.WithValue(ctx, admissionKey{}, admitted)
}

// Admitted reports what [WithAdmission] noted; where it noted nothing, nobody is.
func Admitted(ctx context.Context) bool {
	admitted, _ := ctx.Value(admissionKey{}).(bool)
	return admitted
}
