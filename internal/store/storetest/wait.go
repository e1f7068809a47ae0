package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"

	"datakit.dev/internal/store"
)

var waitCases = []testCase{
	{"Wait returns for a write made before it began", nil, func(t *testing.T, b *bench) {
		since := b.read(t, holds(nil)).Revision
		b.Put(t, "confd/late", "x")
		b.wait(t, since)
		b.read(t, is("confd/late", "x"))
	}},
	{"Wait returns for a write made while it waits", follows, func(t *testing.T, b *bench) {
		done := b.background(t.Context(), b.read(t, holds(nil)).Revision)
		stays(t, "Wait", done)
		b.Put(t, "confd/a", "x")
		if err := receive(t, "Wait", done); err != nil {
			t.Fatalf("Wait: %v", err)
		}
		b.read(t, is("confd/a", "x"))
	}},
	{"Wait returns for a new value", follows, func(t *testing.T, b *bench) {
		b.Put(t, "confd/a", "1")
		since := b.read(t, is("confd/a", "1")).Revision
		done := b.background(t.Context(), since)
		stays(t, "Wait", done)
		b.Put(t, "confd/a", "2")
		if err := receive(t, "Wait", done); err != nil {
			t.Fatalf("Wait: %v", err)
		}
		b.read(t, is("confd/a", "2"))
	}},
	{"Wait returns for a delete", follows, func(t *testing.T, b *bench) {
		b.Put(t, "confd/a", "1")
		b.Put(t, "confd/b", "1")
		done := b.background(t.Context(), b.read(t, is("confd/b", "1")).Revision)
		stays(t, "Wait", done)
		b.Delete(t, "confd/a")
		if err := receive(t, "Wait", done); err != nil {
			t.Fatalf("Wait: %v", err)
		}
		b.read(t, holds(map[string]string{"confd/b": "1"}))
	}},
	{"Wait returns for the delete of the last key", nil, func(t *testing.T, b *bench) {
		b.Put(t, "confd/a", "1")
		since := b.read(t, is("confd/a", "1")).Revision
		b.Delete(t, "confd/a")
		b.wait(t, since)
		b.read(t, holds(nil))
	}},
	{"Wait returns for a change below confd and for one below pipeline", nil, func(t *testing.T, b *bench) {
		since := b.read(t, holds(nil)).Revision
		for _, key := range []string{"confd/a", "pipeline/logging/b.p", "confd/deep/c"} {
			if !b.takes(key, "1") {
				continue
			}
			b.Put(t, key, "1")
			b.wait(t, since)
			since = b.read(t, is(key, "1")).Revision
		}
	}},
	{"Wait blocks while nothing changes", nil, func(t *testing.T, b *bench) {
		b.Put(t, "confd/a", "1")
		since := b.read(t, is("confd/a", "1")).Revision
		if err := b.st.Wait(Deadline(t, b.interval()), since); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Wait: %v", err)
		}
	}},
	{"Wait returns at once for every older revision", nil, func(t *testing.T, b *bench) {
		older := []store.Revision{b.read(t, holds(nil)).Revision}
		for n := range 3 {
			b.Put(t, "confd/a", strconv.Itoa(n))
			for _, since := range older {
				b.wait(t, since)
				b.wait(t, since) // it has to say so as often as it is asked
			}
			older = append(older, b.read(t, is("confd/a", strconv.Itoa(n))).Revision)
		}
	}},
	{"what comes after a single look is not seen", with[Static], func(t *testing.T, b *bench) {
		b.Put(t, "confd/a", "1")
		since := b.read(t, is("confd/a", "1")).Revision
		done := b.background(t.Context(), since)
		b.Server.Put(t, "confd/b", "2")
		stays(t, "Wait", done)
		if snap := b.read(t, holds(map[string]string{"confd/a": "1"})); snap.Revision != since {
			t.Errorf("the revision moved from %s to %s", since, snap.Revision)
		}
	}},
	{"Wait returns at once for an unknown revision", nil, func(t *testing.T, b *bench) {
		b.wait(t, "a revision that never was")
	}},
	{"two waiters both return", follows, func(t *testing.T, b *bench) {
		since := b.read(t, holds(nil)).Revision
		one, two := b.background(t.Context(), since), b.background(t.Context(), since)
		stays(t, "Wait", one)
		b.Put(t, "confd/a", "1")
		if err := errors.Join(receive(t, "Wait", one), receive(t, "Wait", two)); err != nil {
			t.Fatalf("Wait: %v", err)
		}
	}},
	{"a cancelled Wait returns and the others stay", follows, func(t *testing.T, b *bench) {
		since := b.read(t, holds(nil)).Revision
		ctx, cancel := context.WithCancel(t.Context())
		one, two := b.background(ctx, since), b.background(t.Context(), since)
		stays(t, "Wait", one)
		cancel()
		if err := receive(t, "Wait", one); !errors.Is(err, context.Canceled) {
			t.Fatalf("Wait: %v", err)
		}
		stays(t, "the other Wait", two)
		b.Put(t, "confd/a", "1")
		if err := receive(t, "Wait", two); err != nil {
			t.Fatalf("Wait: %v", err)
		}
	}},
	{"no change of many is missed", nil, func(t *testing.T, b *bench) {
		since := b.read(t, holds(nil)).Revision
		for n := range b.rounds(20) {
			b.Put(t, "confd/counter", strconv.Itoa(n))
			b.wait(t, since)
			since = b.read(t, is("confd/counter", strconv.Itoa(n))).Revision
		}
	}},
	{"after a burst of changes the last state is there", nil, func(t *testing.T, b *bench) {
		want := map[string]string{}
		for n := range 100 {
			key := fmt.Sprintf("confd/k%d", n%7)
			want[key] = strconv.Itoa(n)
			b.Put(t, key, want[key])
		}
		since := store.Revision("")
		Until(t, "the last state", func() error {
			b.wait(t, since)
			snap, err := b.st.Read(t.Context())
			if err != nil {
				return err
			}
			since = snap.Revision
			if !holds(want)(snap) {
				return errNotYet
			}
			return nil
		})
	}},
}
