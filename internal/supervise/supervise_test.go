package supervise

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/input"
	"datakit.dev/internal/plan"
	"datakit.dev/internal/point"
	"datakit.dev/internal/status"
)

// job is an input whose behaviour a test chooses.
type job struct {
	pace     time.Duration
	tags     map[string]string
	baseline bool
	makeErr  error
	gather   func(ctx context.Context, s input.Sink) error
	run      func(ctx context.Context, s input.Sink) error
	closed   *atomic.Int32
}

func (j *job) Make(input.Env) (input.Gatherer, input.Runner, error) {
	if j.run != nil {
		return nil, runFunc(j.run), j.makeErr
	}
	return gatherer{j}, nil, j.makeErr
}
func (j *job) Baseline() bool            { return j.baseline }
func (j *job) Pace() time.Duration       { return j.pace }
func (j *job) Labels() map[string]string { return j.tags }

type runFunc func(context.Context, input.Sink) error

func (f runFunc) Run(ctx context.Context, s input.Sink) error { return f(ctx, s) }

type gatherer struct{ j *job }

func (g gatherer) Gather(ctx context.Context, s input.Sink) error { return g.j.gather(ctx, s) }
func (g gatherer) Close() error {
	if g.j.closed != nil {
		g.j.closed.Add(1)
	}
	return nil
}

// sink records when points came and with which tags.
type sink struct {
	mu     sync.Mutex
	tags   map[string]string
	ticks  []time.Time
	seen   []map[string]string
	closed bool
}

func (s *sink) Write(context.Context, point.Category, []point.Point) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("closed")
	}
	s.ticks, s.seen = append(s.ticks, time.Now()), append(s.seen, s.tags)
	return nil
}
func (s *sink) SetTags(t map[string]string) { s.mu.Lock(); s.tags = t; s.mu.Unlock() }
func (s *sink) Points() uint64              { s.mu.Lock(); defer s.mu.Unlock(); return uint64(len(s.ticks)) }
func (s *sink) Close()                      { s.mu.Lock(); s.closed = true; s.mu.Unlock() }

// bench is a supervisor with the sinks it opened, in order.
type bench struct {
	*Supervisor
	t     *testing.T
	sinks []*sink
	start time.Time
}

func each(t *testing.T, test func(b *bench)) {
	t.Helper()
	faketime.Test(t, func(t *testing.T) {
		b := &bench{t: t, start: time.Now()}
		b.Supervisor = New(Options{
			Log: slog.New(slog.DiscardHandler),
			Env: func(string) input.Env { return input.Env{Log: slog.New(slog.DiscardHandler)} },
			Sink: func(tags map[string]string) Sink {
				b.sinks = append(b.sinks, &sink{tags: tags})
				return b.sinks[len(b.sinks)-1]
			},
		})
		test(b)
		b.Stop()
	})
}

func writes(_ context.Context, s input.Sink) error {
	return s.Write(context.Background(), point.Metric, nil)
}

func unitOf(id, hash string, j *job) plan.Unit {
	if j.gather == nil && j.run == nil {
		j.gather = writes
	}
	return plan.Unit{ID: id, Kind: id, Hash: hash, Fixed: hash, Body: j}
}

// to applies the plan that leads to desired.
func (b *bench) to(desired ...plan.Unit) []Report {
	b.t.Helper()
	m := map[string]plan.Unit{}
	for _, u := range desired {
		m[u.ID] = u
	}
	return b.Apply(plan.Diff(b.Running(), m))
}

func (b *bench) after(d time.Duration) { time.Sleep(d); synctest.Wait() }

// ticks returns when sink i was written, in seconds since the start.
func (b *bench) ticks(i int) []float64 {
	b.sinks[i].mu.Lock()
	defer b.sinks[i].mu.Unlock()
	var out []float64
	for _, t := range b.sinks[i].ticks {
		out = append(out, t.Sub(b.start).Seconds())
	}
	return out
}

func (b *bench) unit(id string) status.Unit {
	b.t.Helper()
	i := slices.IndexFunc(b.Units(), func(u status.Unit) bool { return u.ID == id })
	if i < 0 {
		b.t.Fatalf("no unit %s in %v", id, b.Units())
	}
	return b.Units()[i]
}

func TestUnitGathersAtOnceAndThenOnSchedule(t *testing.T) {
	each(t, func(b *bench) {
		b.to(unitOf("a", "1", &job{pace: 10 * time.Second}))
		b.after(25 * time.Second)
		if got := b.ticks(0); !slices.Equal(got, []float64{0, 10, 20}) {
			t.Errorf("ticks %v", got)
		}
		if u := b.unit("a"); u.State != status.Running || u.Starts != 1 || u.Gathers != 3 || u.Points != 3 {
			t.Errorf("unit %+v", u)
		}
	})
}

// offsets returns when a unit gathered last and does next, in seconds since the
// start; -1 stands for never.
func (b *bench) offsets(id string) [2]float64 {
	b.t.Helper()
	u, out := b.unit(id), [2]float64{-1, -1}
	for i, t := range []status.Time{u.LastGather, u.NextGather} {
		if !t.IsZero() {
			out[i] = t.Sub(b.start).Seconds()
		}
	}
	return out
}

func TestStatusTellsTheLastAndTheNextGather(t *testing.T) {
	each(t, func(b *bench) {
		slow := &job{pace: 10 * time.Second, gather: func(context.Context, input.Sink) error { time.Sleep(2 * time.Second); return nil }}
		broken := &job{pace: time.Second, gather: func(context.Context, input.Sink) error { panic("boom") }}
		paced := &job{pace: time.Second, run: func(ctx context.Context, _ input.Sink) error { <-ctx.Done(); return nil }}
		one := unitOf("slow", "1", slow)
		b.to(one, unitOf("broken", "1", broken), unitOf("paced", "1", paced))
		b.after(25 * time.Second)
		if got := b.offsets("slow"); got != [2]float64{22, 30} {
			t.Errorf("slow: %v", got)
		}
		if got := b.offsets("broken"); got != [2]float64{-1, 31} { // tries at 1, 3, 7 and 15 s
			t.Errorf("broken: %v", got)
		}
		if got := b.offsets("paced"); got != [2]float64{-1, -1} {
			t.Errorf("paced: %v", got)
		}
		faster := unitOf("slow", "2", &job{pace: 6 * time.Second, gather: slow.gather})
		faster.Fixed = one.Fixed
		b.to(faster, unitOf("broken", "1", broken), unitOf("paced", "1", paced))
		synctest.Wait()
		if got := b.offsets("slow"); got != [2]float64{22, 26} {
			t.Errorf("after a new interval: %v", got)
		}
	})
}

func TestBaselineIsFollowedEarly(t *testing.T) {
	each(t, func(b *bench) {
		b.to(unitOf("a", "1", &job{pace: 10 * time.Second, baseline: true}))
		b.after(12 * time.Second)
		if got := b.ticks(0); !slices.Equal(got, []float64{0, 0.5, 10.5}) {
			t.Errorf("ticks %v", got)
		}
	})
}

func TestRestartOfOneKeepsTheScheduleOfTheOthers(t *testing.T) {
	each(t, func(b *bench) {
		a := unitOf("a", "1", &job{pace: 10 * time.Second})
		b.to(a, unitOf("b", "1", &job{pace: 10 * time.Second}))
		for i := range 20 {
			b.after(3100 * time.Millisecond)
			b.to(a, unitOf("b", string(rune('B'+i)), &job{pace: 10 * time.Second}))
		}
		if got, want := b.ticks(0), []float64{0, 10, 20, 30, 40, 50, 60}; !slices.Equal(got, want) {
			t.Errorf("ticks %v, want %v", got, want)
		}
		if u := b.unit("a"); u.Starts != 1 || u.Missed != 0 {
			t.Errorf("unit %+v", u)
		}
		if u := b.unit("b"); u.Starts != 21 {
			t.Errorf("unit %+v", u)
		}
	})
}

func TestIntervalAndTagsChangeInPlace(t *testing.T) {
	each(t, func(b *bench) {
		one := unitOf("a", "1", &job{pace: 10 * time.Second, tags: map[string]string{"v": "1"}})
		two := unitOf("a", "2", &job{pace: 4 * time.Second, tags: map[string]string{"v": "2"}})
		two.Fixed = one.Fixed
		b.to(one)
		b.after(11 * time.Second)
		b.to(two)
		b.after(8 * time.Second) // the next tick is one new interval after the last
		if got := b.ticks(0); !slices.Equal(got, []float64{0, 10, 14, 18}) {
			t.Errorf("ticks %v", got)
		}
		if u := b.unit("a"); u.Starts != 1 || u.Updates != 1 {
			t.Errorf("unit %+v", u)
		}
		if seen := b.sinks[0].seen; seen[1]["v"] != "1" || seen[2]["v"] != "2" {
			t.Errorf("tags %v", seen)
		}
	})
}

func TestInstanceThatCannotBeMadeLeavesTheOldOne(t *testing.T) {
	each(t, func(b *bench) {
		b.to(unitOf("a", "1", &job{pace: time.Second}))
		bad := unitOf("a", "2", &job{pace: time.Second, makeErr: errors.New("port in use")})
		if err := b.Prepare(bad); err == nil {
			t.Fatal("prepared what cannot be made")
		}
		r := b.to(bad)
		if len(r) != 1 || r[0].Err == nil {
			t.Fatalf("reports %v", r)
		}
		b.after(5500 * time.Millisecond)
		if got := b.ticks(0); len(got) != 6 {
			t.Errorf("the old one stopped: ticks %v", got)
		}
		if b.Running()["a"].Hash != "1" {
			t.Error("the failed one is said to run")
		}
	})
}

func TestPreparedIsUsedOnceAndDiscardedElse(t *testing.T) {
	each(t, func(b *bench) {
		var made, closed atomic.Int32
		u := unitOf("a", "1", &job{pace: time.Second, closed: &closed})
		count := &counting{u.Body.(*job), &made}
		u.Body = count
		for range 2 {
			if err := b.Prepare(u); err != nil {
				t.Fatal(err)
			}
		}
		b.to(u)
		if made.Load() != 1 {
			t.Errorf("made %d times", made.Load())
		}
		v := u
		v.ID, v.Hash = "b", "2"
		if err := b.Prepare(v); err != nil {
			t.Fatal(err)
		}
		b.Discard()
		if closed.Load() != 1 {
			t.Errorf("closed %d of what was not used", closed.Load())
		}
	})
}

type counting struct {
	*job
	made *atomic.Int32
}

func (c *counting) Make(e input.Env) (input.Gatherer, input.Runner, error) {
	c.made.Add(1)
	return c.job.Make(e)
}

func TestPanicIsContainedAndStartedAgainAlone(t *testing.T) {
	each(t, func(b *bench) {
		n := 0
		b.to(unitOf("good", "1", &job{pace: time.Second}), unitOf("bad", "1", &job{pace: time.Second, gather: func(context.Context, input.Sink) error {
			if n++; n < 4 {
				panic("boom password=x\nline")
			}
			return nil
		}}))
		synctest.Wait()
		if u := b.unit("bad"); u.State != status.Failed || !strings.Contains(u.LastError, "boom") || strings.Contains(u.LastError, "\n") {
			t.Errorf("unit %+v", u)
		}
		b.after(500 * time.Millisecond)
		b.after(10 * time.Second) // pauses of 1, 2 and 4 s
		if u := b.unit("bad"); u.State != status.Running || u.Starts != 4 || u.Errors != 3 {
			t.Errorf("unit %+v", u)
		}
		if u := b.unit("good"); u.Starts != 1 || u.Gathers != 11 {
			t.Errorf("the other one %+v", u)
		}
	})
}

func TestErrorOfAGatherCostsOnlyThatTick(t *testing.T) {
	each(t, func(b *bench) {
		b.to(unitOf("a", "1", &job{pace: time.Second, gather: func(context.Context, input.Sink) error {
			return errors.New("dial http://u:hunter2@h: refused")
		}}))
		b.after(3500 * time.Millisecond)
		if u := b.unit("a"); u.State != status.Running || u.Gathers != 4 || u.Errors != 4 || u.Starts != 1 || strings.Contains(u.LastError, "hunter2") {
			t.Errorf("unit %+v", u)
		}
	})
}

func TestRunnerThatEndsIsStartedAgain(t *testing.T) {
	each(t, func(b *bench) {
		b.to(unitOf("a", "1", &job{pace: time.Second, run: func(context.Context, input.Sink) error { return nil }}))
		b.after(20 * time.Second) // 0, 1, 3, 7, 15
		if u := b.unit("a"); u.Starts != 5 || u.Errors != 5 || u.State != status.Failed {
			t.Errorf("unit %+v", u)
		}
	})
}

// A gather that never returns holds up nobody, and emits nothing once its
// successor runs.
func TestHungGatherIsLeftBehind(t *testing.T) {
	each(t, func(b *bench) {
		release := make(chan struct{})
		late := make(chan error, 1)
		hang := unitOf("a", "1", &job{pace: time.Second, gather: func(_ context.Context, s input.Sink) error {
			<-release
			late <- writes(context.Background(), s)
			return nil
		}})
		other := unitOf("b", "1", &job{pace: time.Second})
		b.to(hang, other)
		b.after(5 * time.Minute)
		if u := b.unit("a"); u.State != status.Failed || !strings.Contains(u.LastError, "has not returned") {
			t.Errorf("unit %+v", u)
		}
		b.to(unitOf("a", "2", &job{pace: time.Second}), other)
		b.after(time.Second)
		close(release)
		if err := <-late; err == nil {
			t.Error("the old instance still emits")
		}
		if got := b.ticks(2); len(got) < 2 {
			t.Errorf("the new one does not run: %v", got)
		}
		if u := b.unit("b"); u.Missed != 0 || u.Gathers < 300 {
			t.Errorf("the other one %+v", u)
		}
	})
}

func TestSlowGatherSkipsTicksAndCountsThem(t *testing.T) {
	each(t, func(b *bench) {
		b.to(unitOf("a", "1", &job{pace: time.Second, gather: func(ctx context.Context, s input.Sink) error {
			select {
			case <-time.After(2500 * time.Millisecond):
			case <-ctx.Done():
			}
			return writes(ctx, s)
		}}))
		b.after(9900 * time.Millisecond)
		// Ticks 0, 2 and 5 have ended, 7 is under way; 1, 3, 4 and 6 were left out.
		if u := b.unit("a"); u.Gathers != 3 || u.Missed != 4 {
			t.Errorf("unit %+v", u)
		}
	})
}

func TestStopClosesAndRenameKeeps(t *testing.T) {
	each(t, func(b *bench) {
		var closed atomic.Int32
		u := unitOf("a", "1", &job{pace: time.Second, closed: &closed})
		b.to(u)
		u.ID, u.Origin = "a/moved", "elsewhere"
		b.to(u)
		b.after(1500 * time.Millisecond)
		if got := b.unit("a/moved"); got.Starts != 1 || got.Gathers != 2 || got.Origin != "elsewhere" {
			t.Errorf("unit %+v", got)
		}
		b.to()
		if closed.Load() != 1 || len(b.Units()) != 0 || !b.sinks[0].closed {
			t.Errorf("closed %d, units %v", closed.Load(), b.Units())
		}
	})
}
