// Package storetest is the suite that every config store passes: each promise
// of package store is a case here, run against the real server.
package storetest

import (
	"log/slog"
	"slices"
	"testing"

	"datakit.dev/internal/store"
)

// A Server is the other side of a backend: what an operator would do to it,
// without the store under test.
type Server interface {
	// Open returns a store on the root of this server. The suite closes it.
	Open(t *testing.T) store.Store
	Put(t *testing.T, key, value string)
	Delete(t *testing.T, key string)
}

// An Outage is a Server that can be taken away and brought back with what it
// holds.
type Outage interface {
	Stop(t *testing.T)
	Start(t *testing.T)
}

// A Neighbour is a Server that can hold keys outside the root. PutBeside writes
// one whose path merely begins like the root: /datakitX/confd/a for /datakit.
type Neighbour interface {
	PutBeside(t *testing.T, key, value string)
}

// A Guard is a Server that asks for a password. OpenWith returns a store that
// uses the one given, right or wrong.
type Guard interface {
	OpenWith(t *testing.T, password string, log *slog.Logger) store.Store
}

// A Narrow server cannot hold every key and value.
type Narrow interface {
	Takes(key, value string) bool
}

// A bench is what one case works with.
type bench struct {
	Server
	traits store.Traits
	st     store.Store
}

type testCase struct {
	name string
	// fits reports whether the case applies; nil says always.
	fits func(store.Traits, Server) bool
	run  func(*testing.T, *bench)
}

// Run runs the suite. start is called once a case, for a server with an empty
// root; traits decide which cases apply.
func Run(t *testing.T, traits store.Traits, start func(*testing.T) Server) {
	t.Helper()
	for _, c := range slices.Concat(readCases, waitCases, closeCases, writeCases, outageCases) {
		t.Run(c.name, func(t *testing.T) {
			srv := start(t)
			if c.fits != nil && !c.fits(traits, srv) {
				t.Skip("no such thing with this store")
			}
			b := &bench{Server: srv, traits: traits, st: srv.Open(t)}
			t.Cleanup(func() {
				if err := b.st.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			c.run(t, b)
		})
	}
}

func writes(traits store.Traits, _ Server) bool { return traits.Writes }

func hasOutage(_ store.Traits, srv Server) bool {
	_, ok := srv.(Outage)
	return ok
}

// takes reports whether the server can hold key and value.
func (b *bench) takes(key, value string) bool {
	if b.traits.MaxValue > 0 && len(value) > b.traits.MaxValue {
		return false
	}
	n, ok := b.Server.(Narrow)
	return !ok || n.Takes(key, value)
}
