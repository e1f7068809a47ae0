package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"datakit.dev/internal/store"
)

var outageCases = []testCase{
	{"an outage is an error and never an empty tree", with[Outage], outage},
	{"a store that is down at start is opened and read later", with[Outage], func(t *testing.T, b *bench) {
		srv := b.Server.(Outage)
		b.Put(t, "confd/a", "1")
		srv.Stop(t)
		late := b.Open(t)
		t.Cleanup(func() { _ = late.Close() })
		if _, err := late.Read(Deadline(t, 20*time.Second)); !isAway(err) {
			t.Fatalf("Read: %v", err)
		}
		srv.Start(t)
		Until(t, "Read", func() error {
			snap, err := late.Read(Deadline(t, patience(t)))
			if err == nil && !is("confd/a", "1")(snap) {
				t.Fatalf("the first read shows %s", show(snap))
			}
			return err
		})
	}},
	{"a store that is away can be closed", with[Outage], func(t *testing.T, b *bench) {
		b.read(t, holds(nil))
		b.Server.(Outage).Stop(t)
		defer b.Server.(Outage).Start(t)
		read := make(chan error, 1)
		go func() {
			for {
				if _, err := b.st.Read(t.Context()); errors.Is(err, store.ErrClosed) || t.Context().Err() != nil {
					read <- err
					return
				}
			}
		}()
		if err := b.st.Close(); err != nil {
			t.Fatal(err)
		}
		if err := receive(t, "Read", read); !errors.Is(err, store.ErrClosed) {
			t.Fatalf("Read: %v", err)
		}
	}},
	{"a change made right after a restart is seen", with[Outage], restarts},
}

// outage takes the server away and back: reads fail meanwhile, and afterwards
// no change is missed.
func outage(t *testing.T, b *bench) {
	srv := b.Server.(Outage)
	b.Put(t, "confd/a", "1")
	before := b.read(t, is("confd/a", "1"))
	srv.Stop(t)
	Until(t, "a failing Read", func() error {
		snap, err := b.look(Deadline(t, patience(t)), t)
		if err == nil {
			if !is("confd/a", "1")(snap) {
				t.Fatalf("without a server Read shows %s", show(snap))
			}
			return errNotYet
		}
		if !isAway(err) {
			t.Fatalf("Read: %v, which is not store.ErrUnavailable", err)
		}
		return nil
	})
	srv.Start(t)
	Until(t, "Read after the return", func() error {
		snap, err := b.look(Deadline(t, patience(t)), t)
		if err == nil && !is("confd/a", "1")(snap) {
			t.Fatalf("after the return Read shows %s", show(snap))
		}
		if err == nil && b.traits.OneInstant && snap.Revision != before.Revision {
			t.Fatalf("the revision moved from %s to %s with no write", before.Revision, snap.Revision)
		}
		return err
	})
	since := b.read(t, is("confd/a", "1")).Revision
	b.Put(t, "confd/a", "2")
	Until(t, "Wait after the return", func() error { return b.st.Wait(Deadline(t, patience(t)), since) })
	b.read(t, is("confd/a", "2"))
}

// restarts takes the server away and back, with a change at once: a store that
// believes its watch to go on over a new connection misses it.
func restarts(t *testing.T, b *bench) {
	srv := b.Server.(Outage)
	b.Put(t, "confd/stays", "1")
	for n := range 3 {
		value := strconv.Itoa(n)
		b.Put(t, "confd/a", value)
		since := b.read(t, is("confd/a", value)).Revision
		waits := make(chan error, 1)
		ctx := Deadline(t, patience(t))
		go func() { waits <- again(ctx, func() error { return b.st.Wait(ctx, since) }) }()
		srv.Stop(t)
		srv.Start(t)
		b.Delete(t, "confd/a")
		if err := receive(t, "Wait", waits); err != nil {
			t.Fatalf("Wait: %v", err)
		}
		b.readAgain(t, holds(map[string]string{"confd/stays": "1"}))
	}
}

// readAgain reads until ok holds, over reads that fail because the server is
// away, and returns that snapshot.
func (b *bench) readAgain(t *testing.T, ok func(store.Snapshot) bool) store.Snapshot {
	t.Helper()
	var snap store.Snapshot
	Until(t, "Read", func() (err error) {
		snap, err = b.look(Deadline(t, patience(t)), t)
		if err != nil && !isAway(err) {
			t.Fatalf("Read: %v, which is not store.ErrUnavailable", err)
		}
		if err == nil && !ok(snap) {
			err = fmt.Errorf("%w: %s", errNotYet, show(snap))
		}
		return err
	})
	return snap
}

// again calls f until it works or ctx ends, as the agent does after a pause.
func again(ctx context.Context, f func() error) error {
	for {
		err := f()
		if err == nil || ctx.Err() != nil || errors.Is(err, store.ErrClosed) {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(tick):
		}
	}
}

// isAway reports whether err says that the server is not there.
func isAway(err error) bool { return errors.Is(err, store.ErrUnavailable) }
