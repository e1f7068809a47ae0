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

// A Static server gives a store what it holds when the store is opened, and never
// again, as the environment does. The suite opens its store anew after each
// change, and leaves out what only a store that follows its server can do.
type Static interface {
	ReadOnce()
}

// A Line is a Server that the store under test can be cut off from while the
// server itself goes on: Put and Delete still work.
type Line interface {
	Cut(t *testing.T)
	Mend(t *testing.T)
}

// A Freezer is a Server that can be made to keep its connections and answer
// nothing, as SIGSTOP does.
type Freezer interface {
	Pause(t *testing.T)
	Resume(t *testing.T)
}

// A Rewinder is a Server that can be set back: Rewind puts in place what it held
// at the time of Save, revisions included, as restoring a backup does.
type Rewinder interface {
	Save(t *testing.T)
	Rewind(t *testing.T)
}

// A Login is a Server with a secret that works. OpenLogin returns a store that
// logs in with it, and the secret, of eight characters or more. It may be on a
// server of its own.
type Login interface {
	OpenLogin(t *testing.T, log *slog.Logger) (st store.Store, secret string)
}

// An Expiring server hands out tokens or sessions that end. OpenExpiring returns
// a store that has logged in, on this server's root; Expire lets all that the
// server has handed out end, while the secret that it was asked with still works.
type Expiring interface {
	OpenExpiring(t *testing.T) store.Store
	Expire(t *testing.T)
}

// A bench is what one case works with.
type bench struct {
	Server
	traits store.Traits
	st     store.Store
	seen   map[store.Revision]string // what each revision of st stood for
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
	for _, c := range slices.Concat(readCases, waitCases, closeCases, writeCases, outageCases, faultCases, secretCases) {
		t.Run(c.name, func(t *testing.T) {
			srv := start(t)
			if c.fits != nil && !c.fits(traits, srv) {
				t.Skip("no such thing with this store")
			}
			b := &bench{Server: srv, traits: traits}
			b.open(t)
			t.Cleanup(func() { b.close(t) })
			c.run(t, b)
		})
	}
}

func writes(traits store.Traits, _ Server) bool { return traits.Writes }

// follows says that the store learns of changes while it is open.
func follows(_ store.Traits, srv Server) bool { return !can[Static](srv) }

// with returns a condition: the server is also a T.
func with[T any](_ store.Traits, srv Server) bool { return can[T](srv) }

func can[T any](srv Server) bool {
	_, ok := srv.(T)
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

func (b *bench) open(t *testing.T) {
	t.Helper()
	b.st, b.seen = b.Open(t), map[store.Revision]string{}
}

func (b *bench) close(t *testing.T) {
	t.Helper()
	if err := b.st.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// Put writes a key as an operator would.
func (b *bench) Put(t *testing.T, key, value string) {
	t.Helper()
	b.Server.Put(t, key, value)
	b.anew(t)
}

// Delete removes a key as an operator would.
func (b *bench) Delete(t *testing.T, key string) {
	t.Helper()
	b.Server.Delete(t, key)
	b.anew(t)
}

// anew opens the store again where it would not see a change.
func (b *bench) anew(t *testing.T) {
	t.Helper()
	if can[Static](b.Server) {
		b.close(t)
		b.open(t)
	}
}
