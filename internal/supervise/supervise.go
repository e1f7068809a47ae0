// Package supervise owns the goroutines of what runs: it starts, stops, restarts
// and updates units as a plan says, ticks those that gather, and starts again,
// alone and after a pause, what fails.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"datakit.dev/internal/input"
	"datakit.dev/internal/plan"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/status"
)

// A Sink is where one instance writes: its tags change in place, and once it is
// closed nothing that the instance still writes is emitted.
type Sink interface {
	input.Sink
	SetTags(tags map[string]string)
	Points() uint64
	Close()
}

// A Job is what a unit runs: the Body of its plan.Unit.
type Job interface {
	// Make returns a new instance. It is called again after a failure.
	Make(env input.Env) (input.Gatherer, input.Runner, error)
	Baseline() bool // see [input.Plugin]
	Pace() time.Duration
	Labels() map[string]string
}

// Options is what a supervisor needs.
type Options struct {
	Log  *slog.Logger
	Sink func(tags map[string]string) Sink
	Env  func(kind string) input.Env
	// Route tells the sink of a new unit which scripts its points want. It may
	// be nil.
	Route func(Job, Sink)
	// Entered is told each state that a unit goes into, with its last error where
	// it failed. It must not wait, nor call the supervisor. It may be nil.
	Entered func(id, kind string, s status.UnitState, lastError string)
	// Grace is how long a unit may take to stop before it is left behind, its
	// sink closed; 2 s where 0.
	Grace time.Duration
}

// A Supervisor runs units. Its methods may be called from several goroutines;
// Prepare, Apply and Stop wait for each other.
type Supervisor struct {
	opts Options

	turn     sync.Mutex // held by Prepare, Apply and Stop
	prepared map[string]instance

	mu    sync.Mutex
	units map[string]*unit
}

// New returns a supervisor that runs nothing.
func New(o Options) *Supervisor {
	if o.Grace == 0 {
		o.Grace = 2 * time.Second
	}
	return &Supervisor{opts: o, prepared: map[string]instance{}, units: map[string]*unit{}}
}

// instance is one made input, before or while it runs.
type instance struct {
	gatherer input.Gatherer
	runner   input.Runner
}

func (i instance) close() error {
	for _, v := range []any{i.gatherer, i.runner} {
		if c, ok := v.(input.Closer); ok {
			return c.Close()
		}
	}
	return nil
}

// Prepare makes the instance of u, so that a plan is only applied once all that
// it starts can start: until then what runs is not touched. Apply uses what was
// prepared; Discard drops the rest.
func (s *Supervisor) Prepare(u plan.Unit) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if _, ok := s.prepared[u.Hash]; ok {
		return nil
	}
	in, err := s.make(u)
	if err != nil {
		return err
	}
	s.prepared[u.Hash] = in
	return nil
}

// Discard drops what was prepared and not applied.
func (s *Supervisor) Discard() {
	s.turn.Lock()
	defer s.turn.Unlock()
	for hash, in := range s.prepared {
		if err := in.close(); err != nil {
			s.opts.Log.Warn("closing an instance that was not used", "error", err)
		}
		delete(s.prepared, hash)
	}
}

// make calls the plugin, and contains its panic.
func (s *Supervisor) make(u plan.Unit) (in instance, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s panicked while it was made: %v", u.Kind, p)
		}
	}()
	job, ok := u.Body.(Job)
	if !ok {
		return instance{}, fmt.Errorf("%s: nothing to run", u.ID)
	}
	in.gatherer, in.runner, err = job.Make(s.opts.Env(u.Kind))
	if err == nil && in.gatherer == nil && in.runner == nil {
		err = errors.New("the input made no instance")
	}
	return in, err
}

// take returns the prepared instance of u, or makes one.
func (s *Supervisor) take(u plan.Unit) (instance, error) {
	if in, ok := s.prepared[u.Hash]; ok {
		delete(s.prepared, u.Hash)
		return in, nil
	}
	return s.make(u)
}

// A Report says what became of one step.
type Report struct {
	Step plan.Step
	Err  error // nil where the step was done
	// Took is how long the step took: of a restart, the time from the first that
	// was done to the old unit until the new one was on its way. Units that stop
	// together have the time of all of them.
	Took time.Duration
}

// Apply carries out steps: the stops together, then the rest in their order. It
// returns a report for each step. A unit that does not stop in time is left
// behind, and holds up nobody.
func (s *Supervisor) Apply(steps []plan.Step) []Report {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mu.Lock()
	was := maps.Clone(s.units)
	s.mu.Unlock()

	var stopping []*unit
	next := make(map[string]*unit, len(was))
	maps.Copy(next, was)
	for _, st := range steps {
		if st.Verb == plan.Stop {
			stopping = append(stopping, was[st.Was])
		}
		if st.Verb != plan.Start {
			delete(next, st.Was)
		}
	}
	begun := time.Now()
	s.stopAll(stopping)
	stopped := time.Since(begun)
	reports := make([]Report, 0, len(steps))
	for _, st := range steps {
		begun := time.Now()
		u, err := s.apply(st, was[st.Was])
		took := time.Since(begun)
		if st.Verb == plan.Stop {
			took = stopped
		}
		if u != nil {
			next[st.Unit.ID] = u
		}
		reports = append(reports, Report{st, err, took})
	}
	s.mu.Lock()
	s.units = next
	s.mu.Unlock()
	return reports
}

// apply carries out one step and returns the unit that runs after it.
func (s *Supervisor) apply(st plan.Step, was *unit) (*unit, error) {
	switch st.Verb {
	case plan.Start:
		in, err := s.take(st.Unit)
		if err != nil {
			return nil, err
		}
		return s.start(st.Unit, in, 0), nil
	case plan.Restart:
		in, err := s.take(st.Unit)
		if err != nil {
			return was, err // the old one stays
		}
		s.stopAll([]*unit{was})
		return s.start(st.Unit, in, was.starts()), nil
	case plan.Update:
		was.update(st.Unit)
		return was, nil
	case plan.Keep:
		was.rename(st.Unit)
		return was, nil
	case plan.Stop:
	}
	return nil, nil
}

func (s *Supervisor) start(u plan.Unit, in instance, starts uint64) *unit {
	job := u.Body.(Job) //nolint:forcetypeassert // make has checked it
	run := &unit{
		supervisor: s, plan: u, job: job, sink: s.opts.Sink(job.Labels()),
		log: s.opts.Log.With("unit", u.ID), done: make(chan struct{}), paced: make(chan struct{}, 1),
	}
	if s.opts.Route != nil {
		s.opts.Route(job, run.sink)
	}
	run.tally.starts = starts + 1
	run.enter(status.Starting)
	ctx, cancel := context.WithCancel(context.Background())
	run.cancel = cancel
	go run.loop(ctx, in)
	return run
}

// stopAll stops units together and waits for them, at most for the grace.
func (s *Supervisor) stopAll(units []*unit) {
	for _, u := range units {
		u.enter(status.Stopping)
		u.cancel()
	}
	grace := time.NewTimer(s.opts.Grace)
	defer grace.Stop()
	for _, u := range units {
		select {
		case <-u.done:
		case <-grace.C:
			grace.Reset(0) // the others have had their time too
			u.log.Warn("did not stop in time and is left behind", "grace", s.opts.Grace)
		}
		u.sink.Close()
	}
}

// Running returns the units that run, by ID.
func (s *Supervisor) Running() map[string]plan.Unit {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]plan.Unit, len(s.units))
	for id, u := range s.units {
		out[id] = u.unit()
	}
	return out
}

// Units returns the state of every unit, by ID.
func (s *Supervisor) Units() []status.Unit {
	s.mu.Lock()
	units := slices.Collect(maps.Values(s.units))
	s.mu.Unlock()
	out := make([]status.Unit, len(units))
	for i, u := range units {
		out[i] = u.status()
	}
	slices.SortFunc(out, func(a, b status.Unit) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Stop stops every unit and waits for them, at most for the grace.
func (s *Supervisor) Stop() {
	s.Discard()
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mu.Lock()
	units := slices.Collect(maps.Values(s.units))
	s.units = map[string]*unit{}
	s.mu.Unlock()
	s.stopAll(units)
}

// redact keeps passwords and tokens that an input's error repeats out of the
// status.
func redact(err error) string { return spec.RedactURL(err.Error()) }
