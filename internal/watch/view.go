// Package watch turns config stores into views that can be applied: each
// store's newest complete tree after its changes have come to rest, kept over
// outages, with a mass deletion held back for a second look.
package watch

import (
	"time"

	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
)

// Options say how stores are followed.
type Options struct {
	Debounce    time.Duration // quiet time after a change before it counts
	DebounceMax time.Duration // a steady stream of changes counts at least this often
	Timeout     time.Duration // of one read
	Resync      time.Duration // read again even if no event came, ±10 %
	Hold        time.Duration // how long a mass deletion waits; 0 turns that off
}

// A Source is one store to follow.
type Source struct {
	ID       string // unique in a set and stable over reloads: "etcdv3", "etcdv3#2"
	Backend  string
	Root     string // of the keys, for display: "/datakit"
	Nodes    []string
	Hash     string // of the options: a source with an equal one is not reopened
	Disabled bool
	// Open opens the store; it must not wait for the server. It is tried again
	// after a pause where it fails: a certificate may appear later.
	Open func() (store.Store, error)
	// Known is what a backup holds of the store, or nil. It counts until the
	// first read, which is compared with it as with any earlier read.
	Known *store.Snapshot
}

// A View is what is known of one store.
type View struct {
	Source   Source
	Snapshot store.Snapshot // last-known-good; meaningless unless Known
	Known    bool
	Read     bool // the store itself was read, since the start
	State    status.StoreState
	ReadAt   time.Time
	Error    string

	settling bool // changes have come, and have not come to rest
}

// Fresh reports whether the snapshot is what the store holds now, as far as the
// agent can tell.
func (v View) Fresh() bool {
	return v.State == status.Watching || v.State == status.Polling || v.State == status.Disabled
}

// Status returns the view as the status shows it.
func (v View) Status() status.Store {
	nodes := v.Source.Nodes
	if nodes == nil {
		nodes = []string{}
	}
	return status.Store{
		ID: v.Source.ID, Backend: v.Source.Backend, Root: v.Source.Root, Nodes: nodes, State: v.State, Revision: string(v.Snapshot.Revision),
		ReadAt: status.At(v.ReadAt), Error: v.Error, Keys: len(v.Snapshot.Entries),
	}
}
