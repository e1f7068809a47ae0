package follow_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
)

// script is a source whose every connection runs the next function; after the
// last one it stays on that.
type script struct {
	sessions []func(ctx context.Context, c *follow.Copy) error
	ask      func(ctx context.Context) error
	began    atomic.Int64
	closed   int
}

func (s *script) Follow(ctx context.Context, c *follow.Copy) error {
	n := min(int(s.began.Add(1)), len(s.sessions)) - 1
	return s.sessions[n](ctx, c)
}

func (s *script) Ask(ctx context.Context) error {
	if s.ask == nil {
		return nil
	}
	return s.ask(ctx)
}

func (s *script) Close() error {
	s.closed++
	return nil
}

func tree(values ...string) map[string]store.Entry {
	out := map[string]store.Entry{}
	for _, kv := range values {
		k, v, _ := strings.Cut(kv, "=")
		out[k] = store.Entry{Key: k, Value: v}
	}
	return out
}

// hold shows values and stays connected.
func hold(values ...string) func(context.Context, *follow.Copy) error {
	return func(ctx context.Context, c *follow.Copy) error {
		if err := c.Replace(0, tree(values...)); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}
}

// breaks shows values and then ends with err.
func breaks(after time.Duration, err error, values ...string) func(context.Context, *follow.Copy) error {
	return func(ctx context.Context, c *follow.Copy) error {
		if err := c.Replace(0, tree(values...)); err != nil {
			return err
		}
		select {
		case <-time.After(after):
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func fails(err error) func(context.Context, *follow.Copy) error {
	return func(context.Context, *follow.Copy) error { return err }
}

func open(t *testing.T, s *script) *follow.Store {
	st := follow.New("etcd", s, nil)
	t.Cleanup(func() {
		for range 2 { // it may be closed twice
			if err := st.Close(); err != nil {
				t.Error(err)
			}
		}
		if s.closed != 1 {
			t.Errorf("the source was closed %d times", s.closed)
		}
	})
	return st
}

func read(t *testing.T, st *follow.Store) (string, error) {
	t.Helper()
	snap, err := st.Read(t.Context())
	return fmt.Sprint(snap.Entries), err
}

func TestReadShowsTheCopy(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		src := &script{sessions: []func(context.Context, *follow.Copy) error{hold("a=1")}}
		st := open(t, src)
		for range 3 {
			if got, err := read(t, st); err != nil || !strings.Contains(got, "a 1") {
				t.Fatal(got, err)
			}
		}
		if src.began.Load() != 1 {
			t.Fatalf("%d connections for three reads", src.began.Load())
		}
	})
}

// While the connection is proved alive nothing is listed; every few minutes it
// is all the same.
func TestOldCopyIsListedAgain(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		asked := 0
		src := &script{sessions: []func(context.Context, *follow.Copy) error{hold("a=1"), hold("a=2")}}
		src.ask = func(context.Context) error { asked++; return nil }
		st := open(t, src)
		_, _ = read(t, st)
		time.Sleep(3 * time.Minute)
		if got, err := read(t, st); err != nil || !strings.Contains(got, "a 1") || asked != 1 {
			t.Fatal(got, err, asked)
		}
		time.Sleep(2 * time.Minute)
		if got, err := read(t, st); err != nil || !strings.Contains(got, "a 2") {
			t.Fatal(got, err)
		}
	})
}

// A server that no longer answers must not be answered for.
func TestNoSignOfLifeMeansANewList(t *testing.T) {
	away := fmt.Errorf("%w: cut off", store.ErrUnavailable)
	for name, ask := range map[string]func(context.Context) error{
		"an error": func(context.Context) error { return errors.New("cut off") },
		"silence":  func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			faketime.Test(t, func(t *testing.T) {
				src := &script{ask: ask, sessions: []func(context.Context, *follow.Copy) error{hold("a=1"), fails(away)}}
				st := open(t, src)
				_, _ = read(t, st)
				time.Sleep(time.Minute)
				if got, err := read(t, st); !errors.Is(err, store.ErrUnavailable) {
					t.Fatal(got, err)
				}
				if err := st.Wait(t.Context(), ""); !errors.Is(err, store.ErrUnavailable) {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestWaitSeesWhatComes(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		src := &script{sessions: []func(context.Context, *follow.Copy) error{func(ctx context.Context, c *follow.Copy) error {
			_ = c.Replace(7, tree("a=1"))
			time.Sleep(time.Minute)
			_ = c.Replace(8, tree("a=1")) // of another key: nobody is woken
			time.Sleep(time.Minute)
			_ = c.Apply(9, []store.Entry{{Key: "b", Value: "2"}}, []string{"a"})
			<-ctx.Done()
			return ctx.Err()
		}}}
		st, began := open(t, src), time.Now()
		snap, err := st.Read(t.Context())
		if err != nil || snap.Revision != "7" {
			t.Fatal(snap, err)
		}
		if err := st.Wait(t.Context(), snap.Revision); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d != 2*time.Minute {
			t.Errorf("woken after %v", d)
		}
		if snap, err = st.Read(t.Context()); err != nil || snap.Revision != "9" || fmt.Sprint(snap.Entries) != "[{b 2  0}]" {
			t.Error(snap, err)
		}
	})
}

// A broken connection moves no revision unless the content did.
func TestConnectionComesBack(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		src := &script{sessions: []func(context.Context, *follow.Copy) error{
			breaks(time.Minute, errors.New("reset"), "a=1"), fails(errors.New("refused")), breaks(time.Minute, nil, "a=1"), hold("a=2"),
		}}
		st, began := open(t, src), time.Now()
		snap, err := st.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(61 * time.Second)
		if again, err := st.Read(t.Context()); err != nil || again.Revision != snap.Revision {
			t.Fatal(again, err)
		}
		if err := st.Wait(t.Context(), snap.Revision); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d < 2*time.Minute || d > 2*time.Minute+5*time.Second {
			t.Errorf("woken after %v", d)
		}
	})
}

// A server that ends every connection at once is not listed without pause.
func TestHastyServerIsNotListedWithoutEnd(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		src := &script{sessions: []func(context.Context, *follow.Copy) error{breaks(0, nil, "a=1")}}
		st := open(t, src)
		_, _ = read(t, st)
		time.Sleep(time.Minute)
		if src.began.Load() > 1500 {
			t.Fatalf("%d lists in a minute", src.began.Load())
		}
	})
}

func TestPausesGrowWhileNothingWorks(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		src := &script{sessions: []func(context.Context, *follow.Copy) error{fails(fmt.Errorf("%w: wrong password", store.ErrDenied))}}
		st := open(t, src)
		if _, err := read(t, st); !errors.Is(err, store.ErrDenied) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		if src.began.Load() > 300 || src.began.Load() < 100 {
			t.Fatalf("%d tries in ten minutes", src.began.Load())
		}
	})
}

// Nothing that a server sends may end the agent.
func TestPanicIsAnError(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		src := &script{sessions: []func(context.Context, *follow.Copy) error{
			func(context.Context, *follow.Copy) error { panic("index out of range") }, fails(nil),
		}}
		st := open(t, src)
		for range 2 { // a panic, and an end without a word
			if _, err := read(t, st); !errors.Is(err, store.ErrUnavailable) {
				t.Fatal(err)
			}
		}
	})
}

func TestTreeOverTheBoundsIsAnError(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		many := make(map[string]store.Entry, store.MaxEntries+1)
		for i := range store.MaxEntries + 1 {
			key := fmt.Sprint(i)
			many[key] = store.Entry{Key: key}
		}
		src := &script{sessions: []func(context.Context, *follow.Copy) error{func(_ context.Context, c *follow.Copy) error { return c.Replace(0, many) }}}
		if got, err := read(t, open(t, src)); !errors.Is(err, follow.ErrBound) {
			t.Fatal(len(got), err)
		}
	})
}

func TestCloseEndsEverything(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		src := &script{sessions: []func(context.Context, *follow.Copy) error{func(ctx context.Context, _ *follow.Copy) error {
			<-ctx.Done()
			return ctx.Err()
		}}}
		st := open(t, src)
		ends := make(chan error, 2)
		go func() { _, err := st.Read(context.Background()); ends <- err }()
		go func() { ends <- st.Wait(context.Background(), "") }()
		synctest.Wait()
		_ = st.Close()
		for range 2 {
			if err := <-ends; !errors.Is(err, store.ErrClosed) {
				t.Error(err)
			}
		}
	})
}

func TestEndedContext(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		src := &script{sessions: []func(context.Context, *follow.Copy) error{func(ctx context.Context, _ *follow.Copy) error {
			<-ctx.Done()
			return ctx.Err()
		}}}
		st := open(t, src)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := st.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if _, err := st.Read(ctx); !errors.Is(err, context.DeadlineExceeded) || src.began.Load() != 1 {
			t.Error(err, src.began.Load())
		}
	})
}
