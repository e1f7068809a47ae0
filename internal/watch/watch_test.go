package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/memory"
)

var quick = Options{Debounce: 2 * time.Second, DebounceMax: 10 * time.Second, Timeout: time.Minute, Resync: 5 * time.Minute, Hold: 30 * time.Second}

// world is one store that a set follows, in a bubble of its own time.
type world struct {
	*testing.T
	store *memory.Store
	set   *Set
	start func() // follows the store, the first time
}

// each runs test in a bubble; the set is closed at its end, and the bubble then
// fails the test if a goroutine is left.
func each(t *testing.T, opts Options, known *store.Snapshot, test func(w world)) {
	t.Helper()
	faketime.Test(t, func(t *testing.T) {
		w := world{T: t, store: memory.New(), set: NewSet(slog.New(slog.DiscardHandler))}
		w.start = sync.OnceFunc(func() { w.set.Replace([]Source{source("memory", w.store, known)}, opts) })
		test(w)
		w.set.Close()
	})
}

func source(id string, st store.Store, known *store.Snapshot) Source {
	return Source{ID: id, Backend: "memory", Known: known, Open: func() (store.Store, error) { return st, nil }}
}

func (w world) put(key, value string) {
	w.Helper()
	if _, err := w.store.Put(w.Context(), key, value, store.Cond{}); err != nil {
		w.Fatal(err)
	}
}

func (w world) del(key string) {
	w.Helper()
	if err := w.store.Delete(w.Context(), key, store.Cond{}); err != nil {
		w.Fatal(err)
	}
}

// after starts the set the first time, lets d pass and returns the view.
func (w world) after(d time.Duration) View {
	if w.start != nil {
		w.start()
	}
	synctest.Wait()
	time.Sleep(d)
	synctest.Wait()
	return w.set.Views()[0]
}

// keys renders a view's entries: "a=1 b=2".
func keys(v View) string {
	parts := []string{}
	for _, e := range v.Snapshot.Entries {
		parts = append(parts, e.Key+"="+e.Value)
	}
	return strings.Join(parts, " ")
}

func (w world) want(v View, state status.StoreState, entries string) {
	w.Helper()
	if v.State != state || keys(v) != entries {
		w.Fatalf("view %s %q (%s), want %s %q", v.State, keys(v), v.Error, state, entries)
	}
}

func TestFirstReadDoesNotWait(t *testing.T) {
	each(t, quick, nil, func(w world) {
		w.put("a", "1")
		w.want(w.after(0), status.Watching, "a=1")
	})
}

func TestChangeCountsAfterQuiet(t *testing.T) {
	each(t, quick, nil, func(w world) {
		w.after(0)
		w.put("a", "1")
		w.want(w.after(time.Second), status.Watching, "")
		w.put("b", "1") // the quiet time begins again
		w.want(w.after(1900*time.Millisecond), status.Watching, "")
		w.want(w.after(400*time.Millisecond), status.Watching, "a=1 b=1")
	})
}

func TestSteadyStreamCountsAtLeastEveryMax(t *testing.T) {
	each(t, quick, nil, func(w world) {
		w.after(0)
		for i := range 11 {
			w.put("a", fmt.Sprint(i))
			w.after(time.Second)
		}
		if v := w.after(0); keys(v) == "" {
			t.Fatal("nothing was published in 11 s of changes")
		}
		if n := w.store.Reads(); n > 60 {
			t.Fatalf("%d reads for 11 changes", n)
		}
	})
}

func TestNoDebounceIsImmediate(t *testing.T) {
	opts := quick
	opts.Debounce = 0
	each(t, opts, nil, func(w world) {
		w.after(0)
		w.put("a", "1")
		w.want(w.after(0), status.Watching, "a=1")
	})
}

// Upstream takes a failed read for "no keys" and stops every input for good.
func TestOutageBetweenEventAndReadRemovesNothing(t *testing.T) {
	each(t, quick, nil, func(w world) {
		w.put("a", "1")
		w.after(0)
		w.put("b", "1")
		w.after(100 * time.Millisecond)
		w.store.Fail(store.ErrUnavailable)
		v := w.after(time.Minute)
		w.want(v, status.Stale, "a=1")
		if v.Error == "" || !v.Known {
			t.Errorf("a stale view without its reason: %+v", v)
		}
		w.store.Fail(nil)
		w.want(w.after(pauseMax*2), status.Watching, "a=1 b=1")
	})
}

func TestDeniedIsSaid(t *testing.T) {
	each(t, quick, nil, func(w world) {
		w.put("a", "1")
		w.after(0)
		w.store.Fail(store.ErrDenied)
		w.want(w.after(time.Minute), status.Denied, "a=1")
	})
}

func TestReadThatHangsIsLeftBehind(t *testing.T) {
	each(t, quick, nil, func(w world) {
		w.put("a", "1")
		w.after(0)
		release := w.store.Hang()
		w.put("b", "1")
		w.want(w.after(5*time.Minute), status.Stale, "a=1")
		if n := w.store.Reads(); n > 2 {
			t.Errorf("%d reads hang at once", n-1)
		}
		release()
		w.want(w.after(2*time.Minute), status.Watching, "a=1 b=1")
	})
}

func TestBackendThatPanicsIsAnOutage(t *testing.T) {
	each(t, quick, nil, func(w world) {
		w.put("a", "1")
		w.after(0)
		w.store.Panic(true)
		w.put("a", "2")
		w.want(w.after(time.Minute), status.Stale, "a=1")
		w.store.Panic(false)
		w.want(w.after(time.Minute), status.Watching, "a=2")
	})
}

func TestMassDeletionIsHeldForASecondLook(t *testing.T) {
	each(t, quick, nil, func(w world) {
		for _, k := range []string{"a", "b", "c", "d"} {
			w.put(k, "1")
		}
		w.after(0)
		w.store.Wipe()
		w.put("e", "1") // other changes go on
		w.want(w.after(5*time.Second), status.Held, "a=1 b=1 c=1 d=1 e=1")
		w.want(w.after(20*time.Second), status.Held, "a=1 b=1 c=1 d=1 e=1")
		w.want(w.after(20*time.Second), status.Watching, "e=1")
	})
}

func TestHeldKeysThatComeBackEndTheHold(t *testing.T) {
	each(t, quick, nil, func(w world) {
		for _, k := range []string{"a", "b", "c", "d"} {
			w.put(k, "1")
		}
		w.after(0)
		w.store.Wipe()
		w.want(w.after(5*time.Second), status.Held, "a=1 b=1 c=1 d=1")
		for _, k := range []string{"a", "b", "c", "d"} {
			w.put(k, "2")
		}
		w.want(w.after(5*time.Second), status.Watching, "a=2 b=2 c=2 d=2")
	})
}

func TestAcceptAppliesAtOnce(t *testing.T) {
	each(t, quick, nil, func(w world) {
		for _, k := range []string{"a", "b", "c"} {
			w.put(k, "1")
		}
		w.after(0)
		if w.set.Accept() != 0 {
			t.Error("there was nothing to accept")
		}
		w.store.Wipe()
		w.want(w.after(5*time.Second), status.Held, "a=1 b=1 c=1")
		w.store.Fail(store.ErrUnavailable) // accepting cannot stand in for a read
		w.set.Accept()
		w.want(w.after(time.Second), status.Stale, "a=1 b=1 c=1")
		w.store.Fail(nil)
		w.want(w.after(pauseMax), status.Watching, "")
	})
}

func TestSmallDeletionsAreNotHeld(t *testing.T) {
	each(t, quick, nil, func(w world) {
		for _, k := range []string{"a", "b", "c", "d", "e", "f"} {
			w.put(k, "1")
		}
		w.after(0)
		for _, k := range []string{"a", "b", "c"} { // half, not more
			w.del(k)
		}
		w.want(w.after(5*time.Second), status.Watching, "d=1 e=1 f=1")
		w.del("d")
		w.del("e") // most, but only two
		w.want(w.after(5*time.Second), status.Watching, "f=1")
	})
}

func TestBackupCountsUntilTheFirstRead(t *testing.T) {
	known := store.Snapshot{Revision: "old", Entries: []store.Entry{{Key: "a", Value: "1"}}}
	faketime.Test(t, func(t *testing.T) {
		st := memory.New()
		st.Fail(store.ErrUnavailable)
		w := world{T: t, store: st, set: NewSet(slog.New(slog.DiscardHandler))}
		w.set.Replace([]Source{source("memory", st, &known)}, quick)
		v := w.after(time.Second)
		w.want(v, status.Stale, "a=1")
		if !v.Known || v.Read {
			t.Errorf("known %v, read %v", v.Known, v.Read)
		}
		st.Fail(nil)
		w.want(w.after(pauseMax), status.Watching, "")
		w.set.Close()
	})
}

func TestResyncFindsWhatNoEventTold(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		st := deaf{memory.New()}
		w := world{T: t, store: st.Store, set: NewSet(slog.New(slog.DiscardHandler))}
		w.set.Replace([]Source{source("memory", st, nil)}, quick)
		w.after(0)
		w.put("a", "1")
		w.want(w.after(4*time.Minute), status.Watching, "")
		w.want(w.after(2*time.Minute), status.Watching, "a=1")
		w.set.Close()
	})
}

// deaf is a store whose events are lost.
type deaf struct{ *memory.Store }

func (d deaf) Wait(ctx context.Context, _ store.Revision) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestRefreshReadsNow(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		st := deaf{memory.New()}
		opts := quick
		opts.Debounce = 0
		w := world{T: t, store: st.Store, set: NewSet(slog.New(slog.DiscardHandler))}
		w.set.Replace([]Source{source("memory", st, nil)}, opts)
		w.after(0)
		w.put("a", "1")
		w.set.Refresh()
		w.want(w.after(0), status.Watching, "a=1")
		w.set.Close()
	})
}

func TestReplaceKeepsWhatIsEqualAndWhatIsKnown(t *testing.T) {
	each(t, quick, nil, func(w world) {
		w.put("a", "1")
		w.after(0)
		reads := w.store.Reads()
		src := w.set.Views()[0].Source
		w.set.Replace([]Source{src}, quick)
		w.after(0)
		if w.store.Reads() != reads {
			t.Error("an equal source was opened again")
		}
		moved := source("memory", memory.New(), nil)
		moved.Hash = "another address"
		moved.Open = func() (store.Store, error) { return nil, errors.New("no such file: ca.pem") }
		w.set.Replace([]Source{moved}, quick)
		v := w.after(time.Second)
		w.want(v, status.Stale, "a=1")
		if !strings.Contains(v.Error, "ca.pem") {
			t.Errorf("error %q", v.Error)
		}
	})
}

func TestDisabledIsNotOpened(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		set := NewSet(slog.New(slog.DiscardHandler))
		set.Replace([]Source{{ID: "x", Disabled: true, Open: func() (store.Store, error) {
			t.Error("opened")
			return nil, errors.New("no")
		}}}, quick)
		synctest.Wait()
		if v := set.Views()[0]; v.State != status.Disabled || !v.Fresh() {
			t.Errorf("view %+v", v)
		}
		set.Close()
	})
}

func TestSecretsDoNotReachTheStatus(t *testing.T) {
	each(t, quick, nil, func(w world) {
		w.after(0)
		w.store.Fail(fmt.Errorf("%w: dial https://root:hunter2@db:1/?token=hunter2\nx", store.ErrUnavailable))
		if v := w.after(time.Minute); strings.Contains(v.Error, "hunter2") || strings.Contains(v.Error, "\n") {
			t.Errorf("error %q", v.Error)
		}
	})
}

func TestHoldHelpers(t *testing.T) {
	snap := func(keys ...string) store.Snapshot {
		entries := []store.Entry{}
		for _, k := range keys {
			entries = append(entries, store.Entry{Key: k})
		}
		s, err := store.NewSnapshot("1", entries)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	lost := gone(snap("a", "b", "c"), snap("b", "x"))
	got := slices.Collect(maps.Keys(map[string]bool{lost[0].Key: true, lost[1].Key: true}))
	slices.Sort(got)
	if !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("gone %v", got)
	}
	if !grew(lost[:1], lost) || grew(lost, lost[:1]) {
		t.Error("grew")
	}
	if back := restore(snap("b", "x"), lost); keys(View{Snapshot: back}) != "a= b= c= x=" {
		t.Errorf("restored %v", back.Entries)
	}
}

// A cluster that is restored key by key would otherwise lose the rest as soon
// as fewer than half were missing.
func TestDeletionThatShrinksIsStillHeld(t *testing.T) {
	each(t, quick, nil, func(w world) {
		for _, k := range []string{"a", "b", "c"} {
			w.put(k, "1")
		}
		w.want(w.after(0), status.Watching, "a=1 b=1 c=1")
		w.store.Wipe()
		w.want(w.after(5*time.Second), status.Held, "a=1 b=1 c=1")
		w.put("a", "2")
		w.want(w.after(5*time.Second), status.Held, "a=2 b=1 c=1")
		w.put("b", "2")
		w.want(w.after(5*time.Second), status.Held, "a=2 b=2 c=1")
		w.want(w.after(30*time.Second), status.Watching, "a=2 b=2")
	})
}
