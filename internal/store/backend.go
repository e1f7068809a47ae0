package store

import (
	"log/slog"

	"datakit.dev/internal/spec"
)

// A Backend is the code for one kind of store, as a value in the list of
// [datakit.dev/internal/stores/all].
type Backend struct {
	Name    string // as `backend` in [[confds]] names it
	Aliases []string
	Doc     string // one sentence, English
	DocZH   string // the same in Chinese
	Spec    spec.Schema
	Traits  Traits

	// Open returns a store on the tree that options name. It MUST NOT wait for
	// the server: a store that is down at start is read later. It fails only
	// where the options can never work.
	Open func(Options) (Store, error)
}

// Options is what a backend is opened with.
type Options struct {
	Root   string // the root of our keys with a leading slash and no trailing one: "/datakit"
	Values spec.Values
	Log    *slog.Logger
}

// Traits says what a kind of store can and cannot do, for the suite and the
// documentation.
type Traits struct {
	Watches       bool // it is told of changes; otherwise it polls
	Writes        bool // it is a Writer
	CompareAndSet bool // Cond is checked by the store itself
	Mirrors       bool // reads are answered from memory: a change costs no read
	OneInstant    bool // a read shows all keys as they were at one instant
	MaxValue      int  // bytes the store itself takes; 0 where it has no limit below ours
}
