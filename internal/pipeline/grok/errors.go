package grok

import "errors"

// The reasons for which a pattern is refused; test with [errors.Is].
var (
	// ErrUnknown is a reference to a name that the set does not hold.
	ErrUnknown = errors.New("unknown pattern")
	// ErrSyntax is a malformed reference or regular expression.
	ErrSyntax = errors.New("bad pattern")
	// ErrCycle is a pattern that refers to itself, directly or through others.
	ErrCycle = errors.New("pattern refers to itself")
	// ErrLimit is a pattern, or a number of patterns, beyond what is safe to
	// expand and compile.
	ErrLimit = errors.New("pattern too large")
)
