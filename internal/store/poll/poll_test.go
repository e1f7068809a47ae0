package poll_test

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
	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/poll"
)

// server counts how often it is looked at.
type server struct {
	value atomic.Pointer[string]
	looks atomic.Int64
	err   error
}

func (s *server) set(v string) { s.value.Store(&v) }

func (s *server) read(context.Context) ([]store.Entry, error) {
	s.looks.Add(1)
	if v := s.value.Load(); v != nil {
		return []store.Entry{{Key: "a", Value: *v}}, s.err
	}
	return nil, s.err
}

func open(t *testing.T, s *server) *poll.Store {
	st := poll.New(poll.Options{Name: "vault", Every: time.Minute, Read: s.read})
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func TestChangeIsSeenAtTheNextLook(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		srv := &server{}
		st := open(t, srv)
		if !st.Polling() {
			t.Error("it does not say that it polls")
		}
		before, err := st.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		go func() {
			time.Sleep(200 * time.Second)
			srv.set("1")
		}()
		if err := st.Wait(t.Context(), before.Revision); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d < 200*time.Second || d > 266*time.Second {
			t.Errorf("seen after %v", d)
		}
		looks := srv.looks.Load()
		after, err := st.Read(t.Context())
		if err != nil || after.Revision == before.Revision || len(after.Entries) != 1 {
			t.Fatal(after, err)
		}
		if srv.looks.Load() != looks {
			t.Error("the Read after Wait looked again")
		}
		srv.set("2") // and the one after that shows what is there now
		if again, err := st.Read(t.Context()); err != nil || again.Entries[0].Value != "2" {
			t.Error(again, err)
		}
		if err := st.Wait(t.Context(), after.Revision); err != nil || time.Since(began) > 266*time.Second {
			t.Error("Wait does not see what Read saw", err)
		}
	})
}

// A look that Wait took a while ago answers no Read.
func TestOldLookIsNotShown(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		srv := &server{}
		st := open(t, srv)
		snap, _ := st.Read(t.Context())
		srv.set("1")
		if err := st.Wait(t.Context(), snap.Revision); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		srv.set("2")
		if snap, err := st.Read(t.Context()); err != nil || snap.Entries[0].Value != "2" {
			t.Fatal(snap, err)
		}
	})
}

func TestErrorsEndWait(t *testing.T) {
	for want, err := range map[error]error{
		store.ErrUnavailable: errors.New("refused"),
		store.ErrDenied:      fmt.Errorf("%w: 403", store.ErrDenied),
	} {
		faketime.Test(t, func(t *testing.T) {
			srv := &server{}
			st := open(t, srv)
			snap, _ := st.Read(t.Context())
			srv.err = err
			if got := st.Wait(t.Context(), snap.Revision); !errors.Is(got, want) {
				t.Errorf("Wait: %v, not %v", got, want)
			}
			if got, rerr := st.Read(t.Context()); !errors.Is(rerr, want) || len(got.Entries) != 0 {
				t.Errorf("Read: %v, not %v", rerr, want)
			}
		})
	}
}

func TestCloseEndsEverything(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		st := poll.New(poll.Options{Name: "vault", Every: time.Minute, Read: func(ctx context.Context) ([]store.Entry, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		ends := make(chan error, 3)
		go func() { _, err := st.Read(context.Background()); ends <- err }()
		go func() { _, err := st.Read(context.Background()); ends <- err }() // it waits for its turn
		go func() { ends <- st.Wait(context.Background(), "") }()
		synctest.Wait()
		_ = st.Close()
		_ = st.Close()
		for range 3 {
			if err := <-ends; !errors.Is(err, store.ErrClosed) {
				t.Error(err)
			}
		}
		if _, err := st.Read(t.Context()); !errors.Is(err, store.ErrClosed) {
			t.Error(err)
		}
		if err := st.Wait(t.Context(), ""); !errors.Is(err, store.ErrClosed) {
			t.Error(err)
		}
	})
}

func TestContextEndsWait(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		st := open(t, &server{})
		snap, _ := st.Read(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := st.Wait(ctx, snap.Revision); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if _, err := st.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	})
}

// A fleet that was started in one second does not come in one second.
func TestIntervalsSpread(t *testing.T) {
	low, high := time.Hour, time.Duration(0)
	for range 1000 {
		d := poll.Spread(time.Minute)
		low, high = min(low, d), max(high, d)
	}
	if low < 54*time.Second || high > 66*time.Second || high-low < 6*time.Second {
		t.Errorf("between %v and %v", low, high)
	}
	for n, want := range map[int64]time.Duration{0: time.Minute, 1: time.Second, 90: 90 * time.Second} {
		if got := poll.Every(spec.Values{"circle_interval": n}); got != want {
			t.Errorf("%d is %v", n, got)
		}
	}
}

func TestValueTooLargeExistsAllTheSame(t *testing.T) {
	srv := &server{}
	srv.set(strings.Repeat("x", store.MaxValue+1))
	snap, err := open(t, srv).Read(t.Context())
	if err != nil || len(snap.Entries) != 1 || snap.Entries[0].TooLarge != store.MaxValue+1 {
		t.Fatal(len(snap.Entries), err)
	}
}
