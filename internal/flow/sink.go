package flow

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"datakit.dev/internal/input"
	"datakit.dev/internal/output"
	"datakit.dev/internal/point"
)

var _ input.Sink = (*Sink)(nil)

// A Sink is the way into the flow of one instance of an input.
type Sink struct {
	flow    *Flow
	own     atomic.Pointer[tagSet]
	merged  atomic.Pointer[mergedTags]
	scripts atomic.Pointer[map[string]string]
	points  atomic.Uint64
	done    chan struct{}
	once    sync.Once

	// A write holds fence for reading while it emits, so that Close, which
	// takes it for writing, returns only when nothing more can come.
	fence  sync.RWMutex
	closed bool
}

// mergedTags is own over agent, kept until one of the two changes.
type mergedTags struct{ own, agent, all *tagSet }

// Sink returns a sink whose points get tags, unless they have those keys.
func (f *Flow) Sink(tags map[string]string) *Sink {
	s := &Sink{flow: f, done: make(chan struct{})}
	s.SetTags(tags)
	s.SetScripts(nil)
	return s
}

// SetScripts says which scripts the instance wants for its points: a name, such
// as a source, to a script's name, or to "-" for none.
func (s *Sink) SetScripts(own map[string]string) { s.scripts.Store(&own) }

// SetTags replaces the instance's tags in place.
func (s *Sink) SetTags(tags map[string]string) { s.own.Store(newTagSet(tags)) }

// Points returns how many points the instance has written.
func (s *Sink) Points() uint64 { return s.points.Load() }

// Close is the fence behind an instance: once it returns, nothing that the
// instance still writes is emitted, so that one which is slow to stop leaves no
// ghost points beside those of its successor. A blocked write returns.
func (s *Sink) Close() {
	s.once.Do(func() { close(s.done) })
	s.fence.Lock()
	s.closed = true
	s.fence.Unlock()
}

// Write implements [input.Sink]. Points of category logging wait while a queue
// is full; those of the others push the oldest out.
func (s *Sink) Write(ctx context.Context, category point.Category, pts []point.Point) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	if len(pts) == 0 {
		return nil
	}
	if category == "" {
		category = point.Metric
	}
	written := uint64(len(pts))
	now := time.Now()
	stamp(pts, now)
	s.tags().apply(pts)
	pts, made := s.flow.process(category, *s.scripts.Load(), pts)
	stamp(pts, now) // a script may have taken the time away

	s.fence.RLock()
	defer s.fence.RUnlock()
	if s.closed {
		return ErrClosed
	}
	if err := s.flow.emit(ctx, s.done, output.Batch{Category: category, Points: pts}, now); err != nil {
		return err
	}
	for _, b := range made {
		stamp(b.Points, now)
		if err := s.flow.emit(ctx, s.done, b, now); err != nil {
			return err
		}
	}
	s.points.Add(written)
	s.flow.stats.points.Add(written)
	return nil
}

// stamp sets the time of the points that have none.
func stamp(pts []point.Point, now time.Time) {
	for i := range pts {
		if pts[i].Time == 0 {
			pts[i].Time = now.UnixNano()
		}
	}
}

func (s *Sink) open(ctx context.Context) error {
	select {
	case <-s.done:
		return ErrClosed
	case <-s.flow.closing:
		return ErrClosed
	default:
	}
	if ctx.Err() != nil {
		return fmt.Errorf("write points: %w", context.Cause(ctx))
	}
	return nil
}

func (s *Sink) tags() *tagSet {
	own, agent := s.own.Load(), s.flow.tags.Load()
	if m := s.merged.Load(); m != nil && m.own == own && m.agent == agent {
		return m.all
	}
	m := &mergedTags{own: own, agent: agent, all: own.over(agent)}
	s.merged.Store(m)
	return m.all
}

// process runs the stage. Where it panics the points go on as they are: a
// broken script must not cost the points it was to change.
func (f *Flow) process(category point.Category, own map[string]string, pts []point.Point) (kept []point.Point, made []output.Batch) {
	stage := f.stage.Load()
	if stage == nil {
		return pts, nil
	}
	defer func() {
		if r := recover(); r != nil {
			kept, made = pts, nil
			f.stats.panics.Add(1)
			if n, ok := f.scripts.speak(1, time.Now()); ok {
				f.log.Error("a script stage panicked, its points pass unchanged", "category", string(category), "panics", n,
					"panic", redact(fmt.Sprint(r)), "stack", string(debug.Stack()))
			}
		}
	}()
	return (*stage).Process(category, own, pts)
}
