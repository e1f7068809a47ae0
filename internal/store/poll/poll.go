// Package poll is the part that all stores without a watch share: they are
// looked at every circle_interval, a little sooner or later, so that a fleet
// does not come all at once.
package poll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

const (
	// jitter is how much an interval varies, to both sides.
	jitter = 0.1
	// shelf is how long a look that Wait took may answer the Read that follows.
	shelf = time.Second
)

// Options describes one polled store.
type Options struct {
	Name  string        // for errors: "vault"
	Every time.Duration // between two looks; at least a second

	// Read returns the whole tree, or an error that wraps one of package store;
	// one of another kind counts as [store.ErrUnavailable]. It is called by one
	// goroutine at a time, and may keep what did not change since its last call.
	Read func(ctx context.Context) ([]store.Entry, error)

	Log *slog.Logger
}

// Every returns the time between two looks that circle_interval names, a minute
// where it names none.
func Every(v spec.Values) time.Duration {
	if n := v.Int("circle_interval"); n > 0 {
		return time.Duration(n) * time.Second
	}
	return time.Minute
}

// Spread returns d, up to a tenth shorter or longer.
func Spread(d time.Duration) time.Duration {
	return d + time.Duration((2*rand.Float64()-1)*jitter*float64(d))
}

// A Store is looked at from time to time. It implements [store.Store] and
// [store.Poller].
type Store struct {
	o     Options
	turn  chan struct{}   // holds the right to look
	ctx   context.Context //nolint:containedctx // ends everything when the store is closed
	stop  context.CancelFunc
	calls sync.WaitGroup

	mu     sync.Mutex
	closed bool
	last   *store.Snapshot // the newest look, nil before the first
	seen   time.Time       // when that was, zero once a Read has used it
}

// New returns a store that reads with o.Read.
func New(o Options) *Store {
	o.Every = max(o.Every, time.Second)
	s := &Store{o: o, turn: make(chan struct{}, 1)}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Polling implements [store.Poller].
func (*Store) Polling() bool { return true }

// Read implements [store.Store].
func (s *Store) Read(ctx context.Context) (store.Snapshot, error) {
	if snap, ok := s.shelved(); ok && ctx.Err() == nil {
		return snap, nil
	}
	snap, err := s.look(ctx)
	if err != nil {
		return store.Snapshot{}, fmt.Errorf("read %s: %w", s.o.Name, err)
	}
	return snap, nil
}

// shelved returns the look that a Wait has just taken, once.
func (s *Store) shelved() (store.Snapshot, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.last == nil || s.seen.IsZero() || time.Since(s.seen) > shelf {
		return store.Snapshot{}, false
	}
	s.seen = time.Time{}
	return *s.last, true
}

// Wait implements [store.Store].
func (s *Store) Wait(ctx context.Context, since store.Revision) error {
	for {
		s.mu.Lock()
		last, closed := s.last, s.closed
		s.mu.Unlock()
		switch {
		case closed:
			return store.ErrClosed
		case last != nil && last.Revision != since:
			return nil
		}
		if last != nil {
			if err := s.sleep(ctx); err != nil {
				return err
			}
		}
		snap, err := s.look(ctx)
		if err != nil {
			return fmt.Errorf("poll %s: %w", s.o.Name, err)
		}
		if snap.Revision != since {
			s.mu.Lock()
			s.seen = time.Now()
			s.mu.Unlock()
			return nil
		}
	}
}

func (s *Store) sleep(ctx context.Context) error {
	t := time.NewTimer(Spread(s.o.Every))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ctx.Done():
		return store.ErrClosed
	}
}

// look reads the tree, one call at a time.
func (s *Store) look(ctx context.Context) (store.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return store.Snapshot{}, err
	}
	if !s.enter() {
		return store.Snapshot{}, store.ErrClosed
	}
	defer s.calls.Done()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)() //nolint:contextcheck // closing the store ends its reads
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-inner.Done():
		return store.Snapshot{}, s.why(ctx, inner.Err())
	}
	entries, err := s.o.Read(inner)
	if err != nil {
		return store.Snapshot{}, s.why(ctx, err)
	}
	byKey := make(map[string]store.Entry, len(entries))
	for _, e := range entries {
		if len(e.Value) > store.MaxValue {
			e.TooLarge, e.Value = len(e.Value), ""
		}
		byKey[e.Key] = e
	}
	snap, err := store.NewSnapshot(store.TreeRevision(byKey), entries)
	if err != nil {
		return store.Snapshot{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.seen = &snap, time.Time{}
	return snap, nil
}

func (s *Store) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.calls.Add(1)
	return true
}

// why gives an error of a look its place among those of package store.
func (s *Store) why(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case s.ctx.Err() != nil:
		return store.ErrClosed
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrDenied):
		return err
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.calls.Wait()
	return nil
}
