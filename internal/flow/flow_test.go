package flow

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/output"
	"datakit.dev/internal/point"
)

// A recorder is an output in memory, which can be told to fail or to hang.
type recorder struct {
	mu     sync.Mutex
	got    []string // the names of the points, in order
	writes []int    // the points of each write that was taken
	cats   []point.Category
	times  []int64
	tries  int
	closed int
	fail   func(try int) error // nil takes the batch
	hang   chan struct{}       // a write waits until it is closed
}

func (r *recorder) Write(ctx context.Context, b output.Batch) error {
	r.mu.Lock()
	r.tries++
	try, fail, hang := r.tries, r.fail, r.hang
	r.mu.Unlock()
	if hang != nil {
		select {
		case <-hang:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if fail != nil {
		if err := fail(try); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes = append(r.writes, len(b.Points))
	r.cats = append(r.cats, b.Category)
	for i := range b.Points {
		r.got = append(r.got, b.Points[i].Name)
		r.times = append(r.times, b.Points[i].Time)
	}
	return nil
}

func (r *recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed++
	return nil
}

func (r *recorder) names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *recorder) set(fail func(int) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = fail
}

var errDown = errors.New("connection refused")

func down(int) error { return errDown }

func named(name string) point.Point {
	return point.Point{Name: name, Fields: []point.Field{{Key: "f", Value: point.IntOf(1)}}}
}

func series(from, to int) []point.Point {
	var pts []point.Point
	for i := from; i < to; i++ {
		pts = append(pts, named(strconv.Itoa(i)))
	}
	return pts
}

func labels(from, to int) []string {
	var out []string
	for i := from; i < to; i++ {
		out = append(out, strconv.Itoa(i))
	}
	return out
}

func write(t *testing.T, s *Sink, c point.Category, pts ...point.Point) {
	t.Helper()
	if err := s.Write(t.Context(), c, pts); err != nil {
		t.Errorf("write: %v", err)
	}
}

func outputs(t *testing.T, f *Flow, outs ...Output) {
	t.Helper()
	if err := f.SetOutputs(outs...); err != nil {
		t.Fatal(err)
	}
}

func closeFlow(t *testing.T, f *Flow) {
	t.Helper()
	if err := f.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPointsGetTimeAndTagsAndReachEveryOutput(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		var a, b recorder
		var seen []point.Point
		f := New(Options{Tags: map[string]string{"host": "h1", "env": "prod", "empty": ""}, Observe: func(_ point.Category, pts []point.Point) { seen = pts }})
		outputs(t, f, Output{Name: "a", Output: &a}, Output{Name: "b", Output: &b, Linger: time.Second})
		s := f.Sink(map[string]string{"env": "test", "some": "tag"})

		shared := []point.Tag{{Key: "host", Value: "own"}}
		p, q := named("p"), named("q")
		p.Tags, q.Tags, q.Time = shared, shared[:0:1], 42
		write(t, s, "", p, q)
		if want := []point.Tag{{Key: "env", Value: "test"}, {Key: "host", Value: "own"}, {Key: "some", Value: "tag"}}; !slices.Equal(seen[0].Tags, want) {
			t.Errorf("tags %v, want %v", seen[0].Tags, want)
		}
		if want := []point.Tag{{Key: "env", Value: "test"}, {Key: "host", Value: "h1"}, {Key: "some", Value: "tag"}}; !slices.Equal(seen[1].Tags, want) {
			t.Errorf("tags %v, want %v", seen[1].Tags, want)
		}
		if shared[0] != (point.Tag{Key: "host", Value: "own"}) {
			t.Error("the input's own slice was written to")
		}
		if seen[0].Time != time.Now().UnixNano() || seen[1].Time != 42 {
			t.Errorf("times %d, %d", seen[0].Time, seen[1].Time)
		}

		f.SetTags(map[string]string{"host": "h2"})
		s.SetTags(map[string]string{"new": "1"})
		write(t, s, point.Metric, named("r"))
		if want := []point.Tag{{Key: "host", Value: "h2"}, {Key: "new", Value: "1"}}; !slices.Equal(seen[0].Tags, want) {
			t.Errorf("after a change: %v, want %v", seen[0].Tags, want)
		}
		closeFlow(t, f)
		for _, r := range []*recorder{&a, &b} {
			if !slices.Equal(r.got, []string{"p", "q", "r"}) || r.closed != 1 || r.cats[0] != point.Metric {
				t.Errorf("got %v %v, closed %d times", r.got, r.cats, r.closed)
			}
		}
		if s.Points() != 3 || f.Stats().Points != 3 {
			t.Errorf("%d points of the sink, %d of the flow", s.Points(), f.Stats().Points)
		}
	})
}

func TestAClosedSinkEmitsNothing(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		var r recorder
		f := New(Options{})
		outputs(t, f, Output{Name: "r", Output: &r})
		old, fresh := f.Sink(nil), f.Sink(nil)
		old.Close()
		old.Close()
		if err := old.Write(t.Context(), point.Metric, series(0, 1)); !errors.Is(err, ErrClosed) {
			t.Errorf("a closed sink: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := fresh.Write(ctx, point.Metric, series(1, 2)); !errors.Is(err, context.Canceled) {
			t.Errorf("an ended context: %v", err)
		}
		write(t, fresh, point.Metric, named("ok"))
		closeFlow(t, f)
		if err := fresh.Write(t.Context(), point.Metric, series(2, 3)); !errors.Is(err, ErrClosed) {
			t.Errorf("a closed flow: %v", err)
		}
		if err := f.SetOutputs(); !errors.Is(err, ErrClosed) {
			t.Errorf("outputs of a closed flow: %v", err)
		}
		if !slices.Equal(r.got, []string{"ok"}) || fresh.Points() != 1 || old.Points() != 0 {
			t.Errorf("got %v; %d and %d points", r.got, old.Points(), fresh.Points())
		}
	})
}

// A write that is inside a slow script when its instance is superseded must not
// come out behind the fence.
func TestTheFenceHoldsBackAWriteThatIsUnderWay(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		var r recorder
		f := New(Options{})
		outputs(t, f, Output{Name: "r", Output: &r})
		release := make(chan struct{})
		f.SetStage(stageFunc(func(_ point.Category, pts []point.Point) []point.Point { <-release; return pts }))
		s := f.Sink(nil)
		result := make(chan error)
		go func() { result <- s.Write(t.Context(), point.Metric, series(0, 1)) }()
		synctest.Wait()
		s.Close()
		close(release)
		if err := <-result; !errors.Is(err, ErrClosed) {
			t.Errorf("got %v", err)
		}
		closeFlow(t, f)
		if len(r.got) > 0 {
			t.Errorf("ghost points %v", r.got)
		}
	})
}

type stageFunc func(point.Category, []point.Point) []point.Point

func (f stageFunc) Process(c point.Category, _ map[string]string, pts []point.Point) ([]point.Point, []output.Batch) {
	return f(c, pts), nil
}

func TestTheStageIsSwappedAndItsPanicsAreContained(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		var r recorder
		var log bytes.Buffer
		f := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		outputs(t, f, Output{Name: "r", Output: &r})
		s := f.Sink(nil)
		f.SetStage(stageFunc(func(c point.Category, pts []point.Point) []point.Point {
			if c == point.Logging {
				return nil
			}
			pts[0].Name = "renamed"
			return append(pts, named("added"))
		}))
		write(t, s, point.Metric, named("x"))
		write(t, s, point.Logging, named("dropped"))
		f.SetStage(stageFunc(func(point.Category, []point.Point) []point.Point { panic("token=secret?token=tkn_1") }))
		write(t, s, point.Metric, named("y"))
		write(t, s, point.Metric, named("z"))
		f.SetStage(nil)
		write(t, s, point.Metric, named("last"))
		closeFlow(t, f)
		if want := []string{"renamed", "added", "y", "z", "last"}; !slices.Equal(r.got, want) {
			t.Errorf("got %v, want %v", r.got, want)
		}
		if slices.Contains(r.times, 0) {
			t.Errorf("the point that the stage added has no time: %v", r.times)
		}
		if n := f.Stats().StagePanics; n != 2 {
			t.Errorf("%d panics", n)
		}
		if n := strings.Count(log.String(), "panicked"); n != 1 || strings.Contains(log.String(), "tkn_1") {
			t.Errorf("%d log lines of the panics: %s", n, &log)
		}
	})
}

func TestPointsOfOneWriteDoNotShareTheirTags(t *testing.T) {
	var seen []point.Point
	f := New(Options{Tags: map[string]string{"a": "agent"}, Observe: func(_ point.Category, pts []point.Point) { seen = pts }})
	f.SetStage(stageFunc(func(_ point.Category, pts []point.Point) []point.Point {
		pts[0].SetTag("z", "only the first")
		return pts
	}))
	write(t, f.Sink(nil), point.Metric, series(0, 2)...)
	if got := seen[1].Tags; !slices.Equal(got, []point.Tag{{Key: "a", Value: "agent"}}) || len(seen[0].Tags) != 2 {
		t.Errorf("tags %v and %v", seen[0].Tags, got)
	}
	closeFlow(t, f)
}

func TestWithoutAnOutputPointsAreCounted(t *testing.T) {
	f := New(Options{})
	write(t, f.Sink(nil), point.Metric, series(0, 3)...)
	if n := f.Stats().Unclaimed; n != 3 {
		t.Errorf("%d", n)
	}
	closeFlow(t, f)
}

func TestOutputNamesAreUnique(t *testing.T) {
	var a, b recorder
	f := New(Options{})
	if err := f.SetOutputs(Output{Name: "x", Output: &a}, Output{Name: "x", Output: &b}); err == nil {
		t.Error("two outputs of one name")
	}
	closeFlow(t, f)
}

type makingStage struct{ own chan map[string]string }

func (m makingStage) Process(_ point.Category, own map[string]string, pts []point.Point) ([]point.Point, []output.Batch) {
	m.own <- own
	made := point.New("made", 1)
	made.Add("v", point.IntOf(1))
	return pts[:0], []output.Batch{{Category: point.Logging, Points: []point.Point{made}}}
}

// What a script makes goes on in its own category, stamped, also where the
// script drops all that it was given.
func TestStageMakesPointsOfAnotherCategory(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		f := New(Options{})
		out := &collector{}
		if err := f.SetOutputs(Output{Name: "out", Output: out}); err != nil {
			t.Fatal(err)
		}
		m := makingStage{make(chan map[string]string, 1)}
		f.SetStage(m)
		s := f.Sink(nil)
		s.SetScripts(map[string]string{"src": "a.p"})
		if err := s.Write(t.Context(), point.Metric, []point.Point{point.New("m", 0)}); err != nil {
			t.Fatal(err)
		}
		if own := <-m.own; own["src"] != "a.p" {
			t.Errorf("own %v", own)
		}
		if err := f.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(out.batches) != 1 || out.batches[0].Category != point.Logging || out.batches[0].Points[0].Time == 0 {
			t.Errorf("batches %+v", out.batches)
		}
	})
}

type collector struct{ batches []output.Batch }

func (c *collector) Write(_ context.Context, b output.Batch) error {
	c.batches = append(c.batches, b)
	return nil
}
func (c *collector) Close() error { return nil }
