package storetest

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"datakit.dev/internal/store"
)

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
		if err := b.st.Wait(Deadline(t, quiet), since); !errors.Is(err, store.ErrClosed) {
			t.Errorf("Wait: %v", err)
		}
	}},
	{"Close of a store that was never read", nil, func(t *testing.T, b *bench) {
		if err := b.Open(t).Close(); err != nil {
			t.Fatal(err)
		}
	}},
	{"Close ends everything at once", nil, closeAtWork},
	{"nothing of a closed store runs", nil, func(t *testing.T, b *bench) {
		b.Put(t, "confd/a", "1")
		b.read(t, is("confd/a", "1"))
		b.close(t) // it would follow what the others write, on new connections
		noneLeft(t, func() {
			for n := range 3 {
				st := b.Open(t)
				snap, err := st.Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				waits := make(chan error, 1)
				go func() { waits <- st.Wait(t.Context(), snap.Revision) }()
				if w, ok := st.(store.Writer); ok {
					if _, err := w.Put(t.Context(), "confd/b", strconv.Itoa(n), store.Cond{}); err != nil {
						t.Fatal(err)
					}
				}
				if err := st.Close(); err != nil {
					t.Fatal(err)
				}
				_ = receive(t, "Wait", waits) // nil where the put woke it first
			}
		})
	}},
	{"nothing runs of a store that was closed without its server", with[Outage], func(t *testing.T, b *bench) {
		b.read(t, holds(nil))
		b.Server.(Outage).Stop(t)
		defer b.Server.(Outage).Start(t)
		Until(t, "a failing Read", func() error {
			if _, err := b.look(Deadline(t, patience(t)), t); err == nil {
				return errNotYet
			}
			return nil
		})
		noneLeft(t, func() {
			st := b.Open(t)
			if _, err := st.Read(Deadline(t, 3*quiet)); err == nil {
				t.Error("Read works without a server")
			}
			if err := st.Close(); err != nil {
				t.Error(err)
			}
		})
	}},
}

// closeAtWork closes a store in the midst of reads, waits and writes: each has to
// end, and what reads or waits says why.
func closeAtWork(t *testing.T, b *bench) {
	b.Put(t, "confd/a", "1")
	since := b.read(t, is("confd/a", "1")).Revision
	w, writes := b.st.(store.Writer)
	var ends []<-chan error
	work := func(once func(n int) error) {
		end, begun := make(chan error, 1), make(chan struct{})
		go func() {
			for n := 0; ; n++ {
				err := once(n)
				if n == 0 {
					close(begun)
				}
				if err != nil {
					end <- err
					return
				}
			}
		}()
		<-begun
		ends = append(ends, end)
	}
	work(func(int) error { _, err := b.st.Read(t.Context()); return err })
	work(func(n int) error {
		if n == 0 {
			return nil
		}
		return b.st.Wait(t.Context(), since)
	})
	if writes {
		work(func(n int) error {
			if _, err := w.Put(t.Context(), "confd/b", strconv.Itoa(n), store.Cond{}); err != nil {
				return store.ErrClosed // whether it was cut off or came too late
			}
			return nil
		})
	}
	if err := b.st.Close(); err != nil {
		t.Fatal(err)
	}
	for _, end := range ends {
		if err := receive(t, "what was at work", end); !errors.Is(err, store.ErrClosed) {
			t.Errorf("in the midst of Close: %v, which is not store.ErrClosed", err)
		}
	}
}

// noneLeft runs f, and fails for goroutines that it leaves behind. f must not
// let the server do anything: what that keeps running is no defect of a store.
func noneLeft(t *testing.T, f func()) {
	t.Helper()
	before := goroutines()
	f()
	Until(t, "what should have ended still runs", func() error {
		left := goroutines()
		maps.DeleteFunc(left, func(id, _ string) bool { _, ok := before[id]; return ok })
		if len(left) == 0 {
			return nil
		}
		return fmt.Errorf("%d goroutines, such as:\n%s", len(left), slices.Collect(maps.Values(left))[0])
	})
}

// goroutines returns the stack of every goroutine, by its number, other than
// those of the test servers.
func goroutines() map[string]string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	out := map[string]string{}
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		ofServer := func(part string) bool { return strings.Contains(stack, part) }
		if !slices.ContainsFunc([]string{"/internal/testserver.", "net/http/httptest.", "net/http.(*conn"}, ofServer) {
			id, _, _ := strings.Cut(strings.TrimPrefix(stack, "goroutine "), " ")
			out[id] = stack
		}
	}
	return out
}
