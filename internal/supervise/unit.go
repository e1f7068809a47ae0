package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/plan"
	"datakit.dev/internal/status"
)

// The pauses before a unit that failed is started again. A unit that then runs
// for longer than pauseMax begins anew with pauseMin.
const (
	pauseMin = time.Second
	pauseMax = time.Minute
)

// unit is one running instance and what is told of it.
type unit struct {
	supervisor *Supervisor
	job        Job
	sink       Sink
	log        *slog.Logger
	cancel     context.CancelFunc
	done       chan struct{} // closed when the goroutine has ended
	paced      chan struct{} // capacity 1: the interval has changed

	mu    sync.Mutex
	plan  plan.Unit
	tally tally
}

// tally is what the status tells.
type tally struct {
	state     status.UnitState
	since     time.Time
	starts    uint64
	updates   uint64
	gathers   uint64
	missed    uint64
	errors    uint64
	lastError string
	began     time.Time // of the gather that is under way
	last      time.Time // when the gather before it ended
	next      time.Time // the next tick, or the next try after a failure
}

func (u *unit) enter(s status.UnitState) {
	u.mu.Lock()
	news := u.tally.state != s && u.tally.state != status.Stopping
	if news {
		u.tally.state, u.tally.since = s, time.Now()
	}
	id, kind, why := u.plan.ID, u.plan.Kind, ""
	if s == status.Failed {
		why = u.tally.lastError
	}
	u.mu.Unlock()
	if told := u.supervisor.opts.Entered; told != nil && news {
		told(id, kind, s, why)
	}
}

// expect notes when something happens next.
func (u *unit) expect(next time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.tally.next = next
}

func (u *unit) starts() uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.tally.starts
}

func (u *unit) unit() plan.Unit {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.plan
}

// rename notes that the unit goes by another ID or origin now.
func (u *unit) rename(p plan.Unit) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.plan = p
}

// update takes a new interval and new tags while the instance runs on.
func (u *unit) update(p plan.Unit) {
	job, ok := p.Body.(Job)
	if !ok {
		return
	}
	u.sink.SetTags(job.Labels())
	u.mu.Lock()
	u.job, u.plan = job, p
	u.tally.updates++
	u.mu.Unlock()
	select {
	case u.paced <- struct{}{}:
	default:
	}
}

func (u *unit) pace() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.job.Pace()
}

func (u *unit) baseline() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.job.Baseline()
}

// fail counts an error of the instance.
func (u *unit) fail(err error) {
	text := diag.OneLine(redact(err))
	u.mu.Lock()
	news := u.tally.lastError != text
	u.tally.errors++
	u.tally.lastError = text
	u.mu.Unlock()
	if news { // a failure that repeats every tick is one line, not a flood
		u.log.Warn("collecting failed", "error", text)
	}
}

// hung is how long a gather may take before the status calls it failed.
const hung = 2 * time.Minute

func (u *unit) status() status.Unit {
	u.mu.Lock()
	defer u.mu.Unlock()
	t := u.tally
	if d := time.Since(t.began); !t.began.IsZero() && d > max(hung, 2*u.job.Pace()) && t.state == status.Running {
		t.state, t.since = status.Failed, t.began
		t.lastError = fmt.Sprintf("a collection has not returned for %v", d.Round(time.Second))
	}
	return status.Unit{
		ID: u.plan.ID, Kind: u.plan.Kind, Origin: u.plan.Origin, State: t.state, Since: status.At(t.since),
		Starts: t.starts, Updates: t.updates, Gathers: t.gathers, Missed: t.missed,
		LastGather: status.At(t.last), NextGather: status.At(t.next),
		Points: u.sink.Points(), Errors: t.errors, LastError: t.lastError,
	}
}

// loop runs the instance until ctx ends, and makes a new one where it fails.
func (u *unit) loop(ctx context.Context, in instance) {
	defer close(u.done)
	pause := pauseMin
	for {
		begun := time.Now()
		err := u.run(ctx, in)
		if cerr := in.close(); cerr != nil && err == nil && ctx.Err() == nil {
			err = cerr
		}
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("the input ended by itself")
		}
		u.fail(err)
		u.enter(status.Failed)
		if time.Since(begun) > pauseMax {
			pause = pauseMin
		}
		next, ok := u.again(ctx, &pause)
		if !ok {
			return
		}
		in = next
	}
}

// again makes a new instance after a pause, until that works or ctx ends.
func (u *unit) again(ctx context.Context, pause *time.Duration) (instance, bool) {
	for {
		t := time.NewTimer(*pause)
		u.expect(time.Now().Add(*pause))
		*pause = min(2**pause, pauseMax)
		select {
		case <-ctx.Done():
			t.Stop()
			return instance{}, false
		case <-t.C:
		}
		in, err := u.supervisor.make(u.unit())
		if err != nil {
			u.fail(err)
			continue
		}
		u.mu.Lock()
		u.tally.starts++
		u.mu.Unlock()
		return in, true
	}
}

// run runs one instance to its end, and turns its panic into an error.
func (u *unit) run(ctx context.Context, in instance) (err error) {
	defer func() {
		if p := recover(); p != nil {
			u.log.Error("panic", "panic", p, "stack", strings.ReplaceAll(string(debug.Stack()), "\n", " | "))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	u.enter(status.Running)
	u.expect(time.Time{})
	if in.runner != nil {
		return in.runner.Run(ctx, u.sink)
	}
	return u.gather(ctx, in)
}
