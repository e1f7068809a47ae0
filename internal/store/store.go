// Package store says what the agent needs of a config store: the whole tree
// under a root at one revision, and a way to wait until that tree may differ.
//
// A change event is only a hint; a snapshot is the truth. A backend therefore
// never sends deltas: [Store.Wait] returns, and the caller reads again. This
// keeps a backend small, and lets polling and pushing backends pass the same
// suite ([datakit.dev/internal/store/storetest]).
package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The errors a backend may return, always wrapped with what it was doing.
// An error never becomes an empty snapshot.
var (
	ErrUnavailable = errors.New("store unavailable") // unreachable for now: retry
	ErrDenied      = errors.New("store denied access")
	ErrClosed      = errors.New("store closed")
	ErrConflict    = errors.New("the key has changed meanwhile")
	ErrNotFound    = errors.New("no such key")
)

// The bounds of one tree. A read past them is an error, so that a hostile or
// runaway store cannot exhaust the agent's memory. A single value over
// MaxValue is only refused for itself: see [Entry.TooLarge].
const (
	MaxValue   = 1 << 20   // bytes of one value
	MaxEntries = 100_000   // keys of one tree
	MaxTree    = 256 << 20 // bytes of keys and values of one tree
)

// A Revision names one state of a tree or of one key. Only equality has meaning.
type Revision string

// An Entry is one key and its value.
type Entry struct {
	Key      string // below the root, slash separated: "confd/cpu"; any bytes, as the store has them
	Value    string
	Revision Revision // of this key
	// TooLarge is the size in bytes of a value over MaxValue, whose Value is
	// then empty: the key exists, and must not look deleted.
	TooLarge int
}

// A Snapshot is every entry under the root at one revision. It is never
// changed once returned, so it may be shared.
type Snapshot struct {
	Revision Revision
	Entries  []Entry // sorted by key, keys unique
}

// Get returns the entry of key.
func (s Snapshot) Get(key string) (Entry, bool) {
	i, ok := slices.BinarySearchFunc(s.Entries, key, func(e Entry, k string) int { return strings.Compare(e.Key, k) })
	if !ok {
		return Entry{}, false
	}
	return s.Entries[i], true
}

// NewSnapshot sorts entries, drops the Value of those over MaxValue, and
// refuses a tree over the bounds. Of equal keys the last one stays.
func NewSnapshot(rev Revision, entries []Entry) (Snapshot, error) {
	if len(entries) > MaxEntries {
		return Snapshot{}, fmt.Errorf("the tree has %d keys, at most %d are taken", len(entries), MaxEntries)
	}
	size := 0
	for i := range entries {
		e := &entries[i]
		if len(e.Value) > MaxValue {
			e.TooLarge, e.Value = len(e.Value), ""
		}
		size += len(e.Key) + len(e.Value)
	}
	if size > MaxTree {
		return Snapshot{}, fmt.Errorf("the tree holds %d bytes, at most %d are taken", size, MaxTree)
	}
	slices.SortStableFunc(entries, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	out := entries[:0]
	for i, e := range entries {
		if i+1 < len(entries) && entries[i+1].Key == e.Key {
			continue
		}
		out = append(out, e)
	}
	return Snapshot{Revision: rev, Entries: out}, nil
}

// A Store reads and watches one tree of keys. Its methods may be called from
// several goroutines.
type Store interface {
	// Read returns the whole tree, or an error; never a part of it. A missing
	// root is an empty tree. Read MUST return soon after ctx ends.
	Read(ctx context.Context) (Snapshot, error)

	// Wait returns nil once the tree may differ from since, and at once if it
	// already does: a write between Read and Wait must not be missed. It may
	// return early. It returns an error where it cannot tell; the caller then
	// reads again after a pause, so a backend need not retry for ever.
	Wait(ctx context.Context, since Revision) error

	// Close ends every Read and Wait with ErrClosed, and returns once nothing
	// of the store runs any more. It may be called twice.
	Close() error
}

// A Writer is a Store that can also be written, for the command line.
type Writer interface {
	// Put writes one key under cond and returns its new revision. It makes
	// what the store needs on the way (parents, folders).
	Put(ctx context.Context, key, value string, cond Cond) (Revision, error)

	// Delete removes one key under cond; ErrNotFound where there is none.
	Delete(ctx context.Context, key string, cond Cond) error
}

// A Creator is a Store whose place an operator may have to make first, such as
// a table: for the command line, which asks before it does so.
type Creator interface {
	// Create makes what is missing, and returns nil where it is there already.
	Create(ctx context.Context) error
}

// A Poller is a Store that may have to poll. Polling reports whether it does so
// now, which the status then says instead of "watching".
type Poller interface{ Polling() bool }

// A Cond is what must hold for a write. The zero Cond always holds. A store
// without compare-and-set checks before it writes, and its traits say so.
type Cond struct {
	Absent   bool     // the key does not exist
	Revision Revision // the key is at this revision; "" is not compared
}

// CheckPut refuses a key or a value that no reader would take.
func CheckPut(key, value string) error {
	if len(value) > MaxValue {
		return fmt.Errorf("key %q: a value of %d bytes, at most %d are taken", key, len(value), MaxValue)
	}
	return CheckKey(key)
}

// CheckKey refuses what no store may be asked to write: an empty key, empty or
// dot-only parts, and control characters.
func CheckKey(key string) error {
	if key == "" {
		return errors.New("the key is empty")
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("key %q: empty, . and .. are no parts of a key", key)
		}
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' || r == '\\' }) {
		return fmt.Errorf("key %q: control characters, invalid UTF-8 and backslashes are not taken", key)
	}
	return nil
}
