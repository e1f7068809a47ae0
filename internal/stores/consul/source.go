package consul

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
)

// A source follows the root by blocking queries. It implements [follow.Source].
type source struct {
	api
	wait time.Duration // that a query may be held

	mu    sync.Mutex
	copy  state
	moved chan struct{} // closed when copy has changed
}

func newSource(a api, wait time.Duration) *source {
	return &source{api: a, wait: wait, moved: make(chan struct{})}
}

// Follow implements [follow.Source]. A query is held from the index of the answer
// before it. After a gap, a list comes first: a restore within the gap would set
// the cluster back to below that index, and the query would be held for nothing.
func (s *source) Follow(ctx context.Context, c *follow.Copy) error {
	s.took(state{})
	var p pace
	var last state
	for index := uint64(0); ; {
		asked := time.Now()
		t, err := s.list(ctx, index, s.wait)
		if err != nil {
			return err
		}
		held, same := index > 0, t.state().same(last)
		early := held && time.Since(asked) < s.wait
		// A restore ends the queries that are held with what was before it, at their
		// own index. A leader that does not know everything yet is behind it.
		back := t.index < index || early && t.index == index
		if back {
			s.took(state{})
		} else if err := s.take(ctx, c, t); err != nil {
			return err
		} else {
			last = t.state()
		}
		index = t.index
		if !held && same {
			continue
		}
		gap := p.next(time.Now(), early && same, t.size)
		if back || gap > 0 {
			index = 0
		}
		if err := pause(ctx, gap); err != nil {
			return err
		}
	}
}

// take hands an answer over to the copy.
func (s *source) take(ctx context.Context, c *follow.Copy, t tree) error {
	s.mu.Lock()
	known := s.copy.missing
	s.mu.Unlock()
	if t.missing && !known {
		if err := s.mayRead(ctx); err != nil {
			return err
		}
	}
	if err := c.Replace(int64(t.index), t.entries); err != nil { //nolint:gosec // indexOf has bounded it
		return err
	}
	s.took(t.state())
	return nil
}

// took notes the state of the copy.
func (s *source) took(now state) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.copy = now
	close(s.moved)
	s.moved = make(chan struct{})
}

// errSetBack says that the server knows less than the copy.
var errSetBack = errors.New("the index has gone back")

// Ask implements [follow.Source]. It compares the copy with the server and gives
// the query that is under way the time to bring what is missing.
func (s *source) Ask(ctx context.Context) error {
	s.mu.Lock()
	before := s.copy
	s.mu.Unlock()
	now, err := s.state(ctx)
	if err != nil {
		return err
	}
	if now.index < before.index {
		return fmt.Errorf("%w: %w from %d to %d", store.ErrUnavailable, errSetBack, before.index, now.index)
	}
	for {
		s.mu.Lock()
		covered, moved := s.copy.covers(now), s.moved
		s.mu.Unlock()
		if covered {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close implements [follow.Source].
func (s *source) Close() error {
	s.client.Close()
	return nil
}

// A state names the content of the root.
type state struct {
	index   uint64 // 0 where nothing is known
	missing bool   // Consul has no key at all there
}

// same reports whether nothing has changed from other to s. The index of a tree
// that is missing is that of all keys there are, which moves with everybody's.
func (s state) same(other state) bool {
	return s == other || s.missing && other.missing
}

// covers reports whether a tree at s holds every change up to now.
func (s state) covers(now state) bool {
	return s.index != 0 && (s.index > now.index || s.same(now))
}
