package watch

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/memory"
)

// pair is a set that follows two stores, in a bubble of its own time.
func pair(t *testing.T, test func(one, two world)) {
	t.Helper()
	faketime.Test(t, func(t *testing.T) {
		one := world{T: t, store: memory.New(), set: NewSet(slog.New(slog.DiscardHandler))}
		two := world{T: t, store: memory.New(), set: one.set}
		one.put("confd/a", "1")
		one.set.Replace([]Source{source("one", one.store, nil), source("two", two.store, nil)}, quick)
		synctest.Wait()
		test(one, two)
		one.set.Close()
	})
}

// both returns the keys of the two stores after d.
func both(w world, d time.Duration) string {
	time.Sleep(d)
	synctest.Wait()
	views := w.set.Views()
	return keys(views[0]) + " | " + keys(views[1])
}

func TestWhatMovesIsNeverGone(t *testing.T) {
	pair(t, func(one, two world) {
		one.del("confd/a")
		if got := both(one, time.Second); got != "confd/a=1 | " {
			t.Fatal(got)
		}
		two.put("confd/a", "1")
		if got := both(one, 1500*time.Millisecond); got != "confd/a=1 | " {
			t.Fatalf("half a second after the deletion has come to rest: %s", got)
		}
		if got := both(one, time.Second); got != " | confd/a=1" {
			t.Fatal(got)
		}
	})
}

// What is put is never kept waiting for another store, only what is lost.
func TestOtherChangesDoNotWaitForAMove(t *testing.T) {
	pair(t, func(one, two world) {
		one.del("confd/a")
		one.put("confd/b", "1")
		both(one, time.Second)
		two.put("confd/c", "1")
		if got := both(one, 1500*time.Millisecond); got != "confd/a=1 confd/b=1 | " {
			t.Fatal(got)
		}
	})
}

// A store that never comes to rest keeps the deletions of another for a while,
// and not for ever.
func TestDeletionIsNotKeptForEver(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		var m moves
		full := store.Snapshot{Entries: []store.Entry{{Key: "confd/a", Value: "1"}}}
		look := func(one store.Snapshot) string {
			views := []View{{Source: Source{ID: "one"}, Snapshot: one}, {Source: Source{ID: "two"}, settling: true}}
			m.keep(views, []time.Duration{10 * time.Second, 10 * time.Second})
			return keys(views[0])
		}
		look(full)
		for range 9 {
			if got := look(store.Snapshot{}); got != "confd/a=1" {
				t.Fatalf("within its limit: %q", got)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Second)
		if got := look(store.Snapshot{}); got != "" {
			t.Fatalf("past its limit: %q", got)
		}
		look(full)
		if got := look(store.Snapshot{}); got != "confd/a=1" {
			t.Fatalf("another deletion has a limit of its own: %q", got)
		}
	})
}

// A store that fails while it settles lets the others go on.
func TestOutageEndsTheWaitForAMove(t *testing.T) {
	pair(t, func(one, two world) {
		one.del("confd/a")
		both(one, time.Second)
		two.put("confd/x", "1")
		both(one, time.Second)
		two.store.Fail(store.ErrUnavailable)
		if got := both(one, time.Second); got != " | " {
			t.Fatal(got)
		}
		if v := one.set.Views()[1]; v.State != status.Stale {
			t.Fatalf("state %s", v.State)
		}
	})
}
