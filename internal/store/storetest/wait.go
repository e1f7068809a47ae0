package storetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
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
	{"Wait returns for a write made while it waits", nil, func(t *testing.T, b *bench) {
		done := b.background(t.Context(), b.read(t, holds(nil)).Revision)
		stays(t, "Wait", done)
		b.Put(t, "confd/a", "x")
		if err := receive(t, "Wait", done); err != nil {
			t.Fatalf("Wait: %v", err)
		}
		b.read(t, is("confd/a", "x"))
	}},
	{"Wait returns for a new value", nil, func(t *testing.T, b *bench) {
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
	{"Wait returns for a delete", nil, func(t *testing.T, b *bench) {
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
			b.Put(t, key, "1")
			b.wait(t, since)
			since = b.read(t, is(key, "1")).Revision
		}
	}},
	{"Wait blocks while nothing changes", nil, func(t *testing.T, b *bench) {
		b.Put(t, "confd/a", "1")
		ctx, cancel := context.WithTimeout(t.Context(), quiet)
		defer cancel()
		if err := b.st.Wait(ctx, b.read(t, is("confd/a", "1")).Revision); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Wait: %v", err)
		}
	}},
	{"Wait returns at once for an unknown revision", nil, func(t *testing.T, b *bench) {
		b.wait(t, "a revision that never was")
	}},
	{"two waiters both return", nil, func(t *testing.T, b *bench) {
		since := b.read(t, holds(nil)).Revision
		one, two := b.background(t.Context(), since), b.background(t.Context(), since)
		stays(t, "Wait", one)
		b.Put(t, "confd/a", "1")
		if err := errors.Join(receive(t, "Wait", one), receive(t, "Wait", two)); err != nil {
			t.Fatalf("Wait: %v", err)
		}
	}},
	{"a cancelled Wait returns and the others stay", nil, func(t *testing.T, b *bench) {
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
		for n := range 20 {
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
		until(t, "the last state", func() error {
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

var closeCases = []testCase{
	{"Close ends a Wait", nil, func(t *testing.T, b *bench) {
		done := b.background(t.Context(), b.read(t, holds(nil)).Revision)
		stays(t, "Wait", done)
		if err := b.st.Close(); err != nil {
			t.Fatal(err)
		}
		if err := receive(t, "Wait", done); !errors.Is(err, store.ErrClosed) {
			t.Fatalf("Wait: %v", err)
		}
	}},
	{"a closed store says so, and may be closed again", nil, func(t *testing.T, b *bench) {
		since := b.read(t, holds(nil)).Revision
		if err := errors.Join(b.st.Close(), b.st.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := b.st.Read(t.Context()); !errors.Is(err, store.ErrClosed) {
			t.Errorf("Read: %v", err)
		}
		if err := b.st.Wait(deadline(t, quiet), since); !errors.Is(err, store.ErrClosed) {
			t.Errorf("Wait: %v", err)
		}
	}},
	{"Close of a store that was never read", nil, func(t *testing.T, b *bench) {
		if err := b.Open(t).Close(); err != nil {
			t.Fatal(err)
		}
	}},
	{"nothing of a closed store runs", nil, func(t *testing.T, b *bench) {
		b.Put(t, "confd/a", "1")
		b.read(t, is("confd/a", "1"))
		before := runtime.NumGoroutine()
		for range 3 {
			st := b.Open(t)
			snap, err := st.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), tick)
			_ = st.Wait(ctx, snap.Revision)
			cancel()
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
		}
		until(t, "goroutines", func() error {
			if n := runtime.NumGoroutine(); n > before {
				return fmt.Errorf("%d before, %d now:\n%s", before, n, stacks())
			}
			return nil
		})
	}},
}
