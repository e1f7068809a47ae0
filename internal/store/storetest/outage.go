package storetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/store"
)

var outageCases = []testCase{
	{"an outage is an error and never an empty tree", hasOutage, outage},
	{"a store that is down at start is opened and read later", hasOutage, func(t *testing.T, b *bench) {
		srv := b.Server.(Outage)
		b.Put(t, "confd/a", "1")
		srv.Stop(t)
		late := b.Open(t)
		t.Cleanup(func() { _ = late.Close() })
		if _, err := late.Read(deadline(t, 20*time.Second)); !isAway(err) {
			t.Fatalf("Read: %v", err)
		}
		srv.Start(t)
		until(t, "Read", func() error {
			snap, err := late.Read(deadline(t, patience))
			if err == nil && !is("confd/a", "1")(snap) {
				t.Fatalf("the first read shows %s", show(snap))
			}
			return err
		})
	}},
	{"a store that is away can be closed", hasOutage, func(t *testing.T, b *bench) {
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
	{"a wrong password is denied and told to nobody", func(_ store.Traits, srv Server) bool {
		_, ok := srv.(Guard)
		return ok
	}, wrongPassword},
}

// outage takes the server away and back: reads fail meanwhile, and afterwards
// no change is missed.
func outage(t *testing.T, b *bench) {
	srv := b.Server.(Outage)
	b.Put(t, "confd/a", "1")
	before := b.read(t, is("confd/a", "1"))
	srv.Stop(t)
	until(t, "a failing Read", func() error {
		snap, err := b.st.Read(deadline(t, patience))
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
	until(t, "Read after the return", func() error {
		snap, err := b.st.Read(deadline(t, patience))
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
	until(t, "Wait after the return", func() error { return b.st.Wait(deadline(t, patience), since) })
	b.read(t, is("confd/a", "2"))
}

func wrongPassword(t *testing.T, b *bench) {
	const secret = "pa55-Wor:d/@%-that-nobody-may-see"
	var logged record
	st := b.Server.(Guard).OpenWith(t, secret, slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { _ = st.Close() })
	ctx := deadline(t, patience)
	_, err := st.Read(ctx)
	if !errors.Is(err, store.ErrDenied) {
		t.Errorf("Read: %v, which is not store.ErrDenied", err)
	}
	werr := st.Wait(ctx, "")
	if werr == nil {
		t.Error("Wait returned as if there were something to read")
	}
	told := fmt.Sprintf("%v %+v %#v %v %s", err, err, err, werr, logged.String())
	if strings.Contains(told, secret) || strings.Contains(told, "that-nobody-may-see") {
		t.Errorf("the password is in: %s", told)
	}
}

// isAway reports whether err says that the server is not there.
func isAway(err error) bool { return errors.Is(err, store.ErrUnavailable) }

func deadline(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
