package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/store"
)

var writeCases = []testCase{
	{"what was put is read", writes, func(t *testing.T, b *bench) {
		w, want := b.writer(t), map[string]string{"confd/a b/ü.conf": "1\n", "pipeline/metric/x.p": "y = 2", "confd/empty": ""}
		for k, v := range want {
			if !b.takes(k, v) {
				delete(want, k)
				continue
			}
			if _, err := w.Put(t.Context(), k, v, store.Cond{}); err != nil {
				t.Fatal(err)
			}
		}
		b.read(t, holds(want))
	}},
	{"a put wakes Wait", writes, func(t *testing.T, b *bench) {
		done := b.background(t.Context(), b.read(t, holds(nil)).Revision)
		stays(t, "Wait", done)
		if _, err := b.writer(t).Put(t.Context(), "confd/a", "1", store.Cond{}); err != nil {
			t.Fatal(err)
		}
		if err := receive(t, "Wait", done); err != nil {
			t.Fatalf("Wait: %v", err)
		}
	}},
	{"a put returns the revision that a read shows", writes, func(t *testing.T, b *bench) {
		rev, err := b.writer(t).Put(t.Context(), "confd/a", "1", store.Cond{})
		if err != nil {
			t.Fatal(err)
		}
		if got := revision(t, b.read(t, is("confd/a", "1")), "confd/a"); got != rev {
			t.Fatalf("Put says %q, Read says %q", rev, got)
		}
	}},
	{"a put that wants the key absent", writes, func(t *testing.T, b *bench) {
		w := b.writer(t)
		if _, err := w.Put(t.Context(), "confd/a", "1", store.Cond{Absent: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Put(t.Context(), "confd/a", "2", store.Cond{Absent: true}); !errors.Is(err, store.ErrConflict) {
			t.Fatalf("the second: %v", err)
		}
		b.read(t, holds(map[string]string{"confd/a": "1"}))
	}},
	{"a put at a revision", writes, compareAndSet},
	{"of many puts at once one wins", func(traits store.Traits, _ Server) bool { return traits.Writes && traits.CompareAndSet }, race},
	{"a put that was given up is an error", writes, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.writer(t).Put(ctx, "confd/a", "1", store.Cond{}); !errors.Is(err, context.Canceled) {
			t.Errorf("Put: %v", err)
		}
		if err := b.writer(t).Delete(ctx, "confd/a", store.Cond{}); !errors.Is(err, context.Canceled) && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Delete: %v", err)
		}
	}},
	{"a delete", writes, deletes},
	{"a delete takes no key that only begins the same", writes, func(t *testing.T, b *bench) {
		want := map[string]string{}
		for _, key := range []string{"confd/a", "confd/ab", "confd/a-b", "confd/a.conf"} {
			if b.takes(key, "1") {
				b.Put(t, key, "1")
				want[key] = "1"
			}
		}
		b.read(t, holds(want))
		if err := b.writer(t).Delete(t.Context(), "confd/a", store.Cond{}); err != nil {
			t.Fatal(err)
		}
		delete(want, "confd/a")
		b.read(t, holds(want))
	}},
	{"a delete at a revision", writes, func(t *testing.T, b *bench) {
		w := b.writer(t)
		old, err := w.Put(t.Context(), "confd/a", "1", store.Cond{})
		if err != nil {
			t.Fatal(err)
		}
		b.Put(t, "confd/a", "2")
		b.read(t, is("confd/a", "2"))
		if err := w.Delete(t.Context(), "confd/a", store.Cond{Revision: old}); !errors.Is(err, store.ErrConflict) {
			t.Fatalf("at the old revision: %v", err)
		}
		now := revision(t, b.read(t, is("confd/a", "2")), "confd/a")
		if err := w.Delete(t.Context(), "confd/a", store.Cond{Revision: now}); err != nil {
			t.Fatal(err)
		}
		b.read(t, holds(nil))
	}},
	{"what no reader would take is not written", writes, func(t *testing.T, b *bench) {
		w := b.writer(t)
		for _, key := range []string{"", "confd/", "/confd/a", "confd//a", "confd/../a", "../a", "confd/.", "confd/a\nb", "confd/a\x00", "confd/\xff", `confd\a`} {
			if _, err := w.Put(t.Context(), key, "1", store.Cond{}); err == nil {
				t.Errorf("key %q was written", key)
			}
			if err := w.Delete(t.Context(), key, store.Cond{}); err == nil {
				t.Errorf("key %q was deleted", key)
			}
		}
		if _, err := w.Put(t.Context(), "confd/huge", strings.Repeat("x", store.MaxValue+1), store.Cond{}); err == nil {
			t.Error("a value over the limit was written")
		}
		b.read(t, holds(nil))
	}},
	{"whatever key a put takes is read back", writes, anyKey},
	{"a closed store writes nothing", writes, func(t *testing.T, b *bench) {
		w := b.writer(t)
		if err := b.st.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Put(t.Context(), "confd/a", "1", store.Cond{}); !errors.Is(err, store.ErrClosed) {
			t.Errorf("Put: %v", err)
		}
		if err := w.Delete(t.Context(), "confd/a", store.Cond{}); !errors.Is(err, store.ErrClosed) {
			t.Errorf("Delete: %v", err)
		}
	}},
}

func (b *bench) writer(t *testing.T) store.Writer {
	t.Helper()
	w, ok := b.st.(store.Writer)
	if !ok {
		t.Fatalf("%T is no Writer, though its traits say so", b.st)
	}
	return w
}

func compareAndSet(t *testing.T, b *bench) {
	w := b.writer(t)
	one, err := w.Put(t.Context(), "confd/a", "1", store.Cond{})
	if err != nil {
		t.Fatal(err)
	}
	two, err := w.Put(t.Context(), "confd/a", "2", store.Cond{Revision: one})
	if err != nil {
		t.Fatalf("at its revision: %v", err)
	}
	if _, err := w.Put(t.Context(), "confd/a", "3", store.Cond{Revision: one}); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("at the old revision: %v", err)
	}
	if _, err := w.Put(t.Context(), "confd/none", "3", store.Cond{Revision: two}); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("a key that is not there: %v", err)
	}
	b.read(t, holds(map[string]string{"confd/a": "2"}))
}

// race lets several writers put at the same revision, or where there is no key,
// all at once.
func race(t *testing.T, b *bench) {
	const writers = 6
	w, cond := b.writer(t), store.Cond{Absent: true}
	for round := range 5 {
		var all sync.WaitGroup
		revs, errs := make([]store.Revision, writers), make([]error, writers)
		for n := range writers {
			all.Go(func() { revs[n], errs[n] = w.Put(t.Context(), "confd/a", fmt.Sprint(round, n), cond) })
		}
		all.Wait()
		won := -1
		for n, err := range errs {
			switch {
			case err == nil && won >= 0:
				t.Fatalf("round %d: writers %d and %d have both won", round, won, n)
			case err == nil:
				won = n
			case !errors.Is(err, store.ErrConflict):
				t.Fatalf("round %d: Put: %v", round, err)
			}
		}
		if won < 0 {
			t.Fatalf("round %d: nobody has won", round)
		}
		b.read(t, is("confd/a", fmt.Sprint(round, won)))
		cond = store.Cond{Revision: revs[won]}
	}
}

// anyKey puts keys of any characters: a store may refuse one, but must not write
// it elsewhere, or under another name.
func anyKey(t *testing.T, b *bench) {
	w, want := b.writer(t), map[string]string{}
	part := rapid.StringOfN(rapid.RuneFrom([]rune("aZ0 .%+#?&=:;,~$'\"`*[]{}()|<>^!@-_äß名🌡\u202e\u00a0")), 1, 12, 60)
	for seed, tried := 0, 0; tried < 60 && seed < 3000; seed++ { // a narrow store takes few
		key := "confd/" + strings.Join(rapid.SliceOfN(part, 1, 3).Example(seed), "/")
		if !b.takes(key, "1") || nested(want, key) {
			continue
		}
		tried++
		if _, err := w.Put(t.Context(), key, key, store.Cond{}); err == nil {
			want[key] = key
		}
	}
	if len(want) < 20 && !can[Narrow](b.Server) || len(want) == 0 {
		t.Fatalf("only %d of 60 keys were taken", len(want))
	}
	b.read(t, holds(want))
	for key := range want {
		if err := w.Delete(t.Context(), key, store.Cond{}); err != nil {
			t.Errorf("delete %q: %v", key, err)
		}
	}
	b.read(t, holds(nil))
}

// nested reports whether key is a folder of another key or the other way round,
// which not every store can hold.
func nested(keys map[string]string, key string) bool {
	for k := range keys {
		if strings.HasPrefix(k, key+"/") || strings.HasPrefix(key, k+"/") {
			return true
		}
	}
	return false
}

func deletes(t *testing.T, b *bench) {
	w := b.writer(t)
	if err := w.Delete(t.Context(), "confd/a", store.Cond{}); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("of no key: %v", err)
	}
	for _, key := range []string{"confd/a", "confd/b", "confd/deep/c"} {
		if _, err := w.Put(t.Context(), key, "1", store.Cond{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"confd/a", "confd/deep/c"} {
		if err := w.Delete(t.Context(), key, store.Cond{}); err != nil {
			t.Fatal(err)
		}
	}
	b.read(t, holds(map[string]string{"confd/b": "1"}))
	if err := w.Delete(t.Context(), "confd/a", store.Cond{}); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("once more: %v", err)
	}
}
