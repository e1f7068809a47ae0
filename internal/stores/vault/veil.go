package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"datakit.dev/internal/store"
)

// hidden stands for a secret that a server repeats in its answer.
const hidden = "***"

// clean takes our secrets out of what the server says: it goes into errors.
func (s *session) clean(words said, more string) said {
	for _, list := range [][]string{words.Errors, words.Warnings} {
		for i := range list {
			list[i] = s.veil(list[i], more)
		}
	}
	return words
}

// minSecret is the length below which a secret is part of any sentence.
const minSecret = 4

func (s *session) veil(text, more string) string {
	for _, secret := range append(s.method.secrets(), more) {
		if len(secret) >= minSecret {
			text = strings.ReplaceAll(text, secret, hidden)
		}
	}
	return text
}

// discreet returns err, which may repeat words of the server, without our
// secrets.
func (s *session) discreet(err error, id string) error {
	text := err.Error()
	clean := s.veil(s.veil(text, id), s.held().id)
	if clean == text {
		return err
	}
	kinds := []error{store.ErrDenied, store.ErrUnavailable, context.Canceled, context.DeadlineExceeded}
	at := slices.IndexFunc(kinds, func(k error) bool { return errors.Is(err, k) })
	if at < 0 {
		return fmt.Errorf("%w: %s", store.ErrUnavailable, clean)
	}
	return veiled{clean, kinds[at]}
}

// A veiled error is one of a kind whose text was changed.
type veiled struct {
	text string
	kind error
}

func (v veiled) Error() string { return v.text }

func (v veiled) Unwrap() error { return v.kind }
