package watch

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// A Set follows several stores at once, each in its own goroutine.
type Set struct {
	log     *slog.Logger
	changed chan struct{}

	mu        sync.Mutex
	followers []*running
	moves     moves
}

type running struct {
	*follower
	cancel context.CancelFunc
	done   chan struct{}
}

// NewSet returns a set that follows nothing yet.
func NewSet(log *slog.Logger) *Set {
	return &Set{log: log, changed: make(chan struct{}, 1)}
}

// Changed receives a value after any view has changed. Its capacity is one:
// many changes may be one value, none is lost.
func (s *Set) Changed() <-chan struct{} { return s.changed }

func (s *Set) notify() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Replace follows sources, in their order, instead of what was followed. A
// source with the ID, the hash and the options of an earlier one goes on
// untouched; one with the ID alone starts from what the earlier one knew, so
// that a new address stops nothing.
func (s *Set) Replace(sources []Source, opts Options) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := map[string]*running{}
	for _, r := range s.followers {
		old[r.get().Source.ID] = r
	}
	next := make([]*running, 0, len(sources))
	for _, src := range sources {
		if was, ok := old[src.ID]; ok {
			v := was.get()
			if v.Source.Hash == src.Hash && v.Source.Disabled == src.Disabled && was.opts == opts {
				delete(old, src.ID)
				next = append(next, was)
				continue
			}
			if v.Known && !v.Source.Disabled {
				src.Known = &v.Snapshot
			}
		}
		next = append(next, s.start(src, opts))
	}
	s.followers = next
	for _, r := range old {
		r.stop()
	}
	s.notify()
}

func (s *Set) start(src Source, opts Options) *running {
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{newFollower(src, opts, s.log, s.notify), cancel, make(chan struct{})}
	go func() {
		defer close(r.done)
		r.run(ctx)
	}()
	return r
}

func (r *running) stop() {
	r.cancel()
	<-r.done
}

// Views returns the view of every store, in order. What one store lost is in it
// for as long as another has changes that have not come to rest: a value that
// is moved from one to the other must not be stopped in between.
func (s *Set) Views() []View {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, limits := make([]View, len(s.followers)), make([]time.Duration, len(s.followers))
	for i, r := range s.followers {
		out[i], limits[i] = r.get(), max(r.opts.Debounce, r.opts.DebounceMax)
	}
	s.moves.keep(out, limits)
	return out
}

// Refresh reads every store now.
func (s *Set) Refresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.followers {
		r.refresh()
	}
}

// Accept applies the deletions that are held, and returns how many stores held
// one.
func (s *Set) Accept() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.followers {
		if r.accept() {
			n++
		}
	}
	return n
}

// Close stops following; it returns once every store is closed.
func (s *Set) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.followers {
		r.cancel()
	}
	for _, r := range s.followers {
		<-r.done
	}
	s.followers = nil
}
