package redis_test

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"datakit.dev/internal/store"
	. "datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

// A key that is the field of a hash stays one; deleted, it is gone, although a
// hash further up has it, too.
func TestWritesGoWhereTheKeyIs(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	r.Do(t, "HSET", root, "confd/a", "root", "confd/z", "root")
	r.Do(t, "HSET", root+"/confd", "a", "hash", "b", "hash")
	st := open(t, at(r))
	w := st.(store.Writer)
	read := ReadUntil(t, st, "confd/a=hash confd/b=hash confd/z=root")
	old, _ := read.Get("confd/a")

	if _, err := w.Put(t.Context(), "confd/a", "new", store.Cond{Absent: true}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("it is there: %v", err)
	}
	rev, err := w.Put(t.Context(), "confd/a", "new", store.Cond{Revision: old.Revision})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Do(t, "HGET", root+"/confd", "a"); got != "new" {
		t.Errorf("the field is %q", got)
	}
	ReadUntil(t, st, "confd/a=new confd/b=hash confd/z=root")
	if err := w.Delete(t.Context(), "confd/a", store.Cond{Revision: old.Revision}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("at the old revision: %v", err)
	}
	if err := w.Delete(t.Context(), "confd/a", store.Cond{Revision: rev}); err != nil {
		t.Fatal(err)
	}
	ReadUntil(t, st, "confd/b=hash confd/z=root")
	if err := w.Delete(t.Context(), "confd/a", store.Cond{Revision: rev}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("once more: %v", err)
	}
}

// What is neither a string nor a hash belongs to somebody else.
func TestNothingElseIsOverwritten(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	r.Do(t, "RPUSH", root+"/confd/queue", "job")
	r.Do(t, "HSET", root+"/confd", "a", "1")
	w := open(t, at(r)).(store.Writer)
	for key, kind := range map[string]string{"confd/queue": "list", "confd": "hash"} {
		if _, err := w.Put(t.Context(), key, "x", store.Cond{}); err == nil || !strings.Contains(err.Error(), kind) {
			t.Errorf("put %s: %v", key, err)
		}
		if err := w.Delete(t.Context(), key, store.Cond{}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("delete %s: %v", key, err)
		}
	}
	if got := r.Do(t, "LRANGE", root+"/confd/queue", "0", "-1"); got != "job" {
		t.Errorf("the list is %q", got)
	}
}

// Of many writers at one revision just one wins.
func TestCompareAndSetHasOneWinner(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	st := open(t, at(r))
	w := st.(store.Writer)
	rev, err := w.Put(t.Context(), "confd/a", "start", store.Cond{Absent: true})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 10 {
		var won atomic.Int64
		var next atomic.Value
		var wg sync.WaitGroup
		for n := range 8 {
			wg.Go(func() {
				got, err := w.Put(t.Context(), "confd/a", strconv.Itoa(round)+"/"+strconv.Itoa(n), store.Cond{Revision: rev})
				switch {
				case err == nil:
					won.Add(1)
					next.Store(got)
				case !errors.Is(err, store.ErrConflict):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d writers have won", won.Load())
		}
		rev = next.Load().(store.Revision)
	}
}

// A write without a condition is not held up by others.
func TestPlainWritesAllHappen(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	w := open(t, at(r)).(store.Writer)
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			for i := range 10 {
				if _, err := w.Put(t.Context(), "confd/a", strconv.Itoa(n*10+i), store.Cond{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// A key whose value is too large to be read can be replaced and deleted.
func TestTooLargeValueIsReplaced(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	r.Put(t, root+"/confd/a", strings.Repeat("x", 3<<20))
	st := open(t, at(r))
	w := st.(store.Writer)
	e, _ := ReadUntil(t, st, "confd/a=").Get("confd/a")
	if e.TooLarge != 3<<20 {
		t.Fatalf("TooLarge is %d", e.TooLarge)
	}
	if _, err := w.Put(t.Context(), "confd/a", "1", store.Cond{Revision: e.Revision}); err != nil {
		t.Fatal(err)
	}
	ReadUntil(t, st, "confd/a=1")
}
