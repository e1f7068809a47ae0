package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/store"
)

// errBound marks an answer or a tree that is over the bounds.
var errBound = errors.New("too much to take")

// A refusal is an error that the server answers with: a code in capitals and
// a text.
type refusal struct{ text string }

func (r *refusal) Error() string { return diag.OneLine(r.text[:min(len(r.text), 300)]) }

// code returns the first word: NOAUTH, WRONGTYPE, MOVED.
func (r *refusal) code() string {
	word, _, _ := strings.Cut(r.text, " ")
	return word
}

// err returns the refusal that r is, nil where it is none.
func (r reply) err() error {
	if r.kind == '-' {
		return &refusal{r.text}
	}
	return nil
}

// failure reports whether err is a refusal with one of the codes.
func failure(err error, codes ...string) bool {
	var r *refusal
	if !errors.As(err, &r) {
		return false
	}
	for _, c := range codes {
		if r.code() == c {
			return true
		}
	}
	return false
}

// denied reports whether err says that we may not, which only an operator cures.
func denied(err error) bool {
	return failure(err, "NOAUTH", "WRONGPASS", "NOPERM", "DENIED") || errors.Is(err, store.ErrDenied)
}

// explain gives an error its place in the contract, and says which node it is
// from. What a server says may repeat what it was sent: the password is taken
// out of it.
func (s *settings) explain(ctx context.Context, node string, err error) error {
	kind := store.ErrUnavailable
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case errors.Is(err, store.ErrClosed), errors.Is(err, errSaid):
		return err
	case denied(err):
		kind = store.ErrDenied
	case errors.Is(err, context.DeadlineExceeded):
		err = errSilent
	}
	text := strings.TrimPrefix(err.Error(), kind.Error()+": ")
	if s.password != "" {
		text = strings.ReplaceAll(text, s.password, "***")
	}
	return &said{kind: kind, node: node, text: text}
}

// A said is an error with its place, ready for the user.
type said struct {
	kind       error
	node, text string
}

// errSaid marks an error that explain has seen.
var errSaid = errors.New("explained")

func (e *said) Error() string { return fmt.Sprintf("%v: %s: %s", e.kind, e.node, e.text) }

// Is reports what the error counts as.
func (e *said) Is(target error) bool { return target == e.kind || target == errSaid }
