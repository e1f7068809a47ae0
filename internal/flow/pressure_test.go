package flow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/output"
	"datakit.dev/internal/point"
)

func TestMetricsPushTheOldestOutOfADeadOutput(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var good recorder
		dead := recorder{fail: down}
		f := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		outputs(t, f, Output{Name: "dead", Output: &dead, MaxPoints: 10}, Output{Name: "good", Output: &good})
		s := f.Sink(nil)
		start := time.Now()
		for i := range 50 {
			write(t, s, point.Metric, series(i, i+1)...)
			synctest.Wait()
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("metrics waited %v for a dead output", took)
		}
		if !slices.Equal(good.names(), labels(0, 50)) {
			t.Errorf("the good output got %d points", len(good.names()))
		}
		st := f.Stats().Outputs[0]
		if st.QueuedPoints != 10 || st.Dropped != 40 {
			t.Errorf("%+v", st)
		}
		if n := strings.Count(log.String(), "oldest points are dropped"); n != 1 {
			t.Errorf("%d log lines of the drops", n)
		}
		time.Sleep(errorInterval)
		write(t, s, point.Metric, series(50, 51)...)
		if !strings.Contains(log.String(), "points=40") {
			t.Errorf("the next log line does not say how many: %s", &log)
		}
		dead.set(nil)
		closeFlow(t, f)
		// The batch that was under way is kept, the newest of the others too.
		if want := append([]string{"0"}, labels(42, 51)...); !slices.Equal(dead.got, want) {
			t.Errorf("got %v, want %v", dead.got, want)
		}
	})
}

func TestAPointThatFitsNoQueueIsDropped(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		var r recorder
		f := New(Options{})
		outputs(t, f, Output{Name: "r", Output: &r, MaxBytes: 1000})
		s := f.Sink(nil)
		for _, c := range []point.Category{point.Metric, point.Logging} {
			p := named("huge")
			p.Set("text", point.StringOf(strings.Repeat("x", 2000)))
			write(t, s, c, p)
			write(t, s, c, named("small"))
		}
		closeFlow(t, f)
		if st := f.Stats().Outputs[0]; !slices.Equal(r.got, []string{"small", "small"}) || st.Dropped != 2 {
			t.Errorf("got %v, %+v", r.got, st)
		}
	})
}

// burst writes n log lines one by one in the background, and returns a function
// that says how many were taken and what the last error was.
func burst(ctx context.Context, s *Sink, n int) func() (int, error) {
	taken, result := make(chan struct{}, n), make(chan error, 1)
	go func() {
		for i := range n {
			if err := s.Write(ctx, point.Logging, series(i, i+1)); err != nil {
				result <- err
				return
			}
			taken <- struct{}{}
		}
		result <- nil
	}()
	return func() (int, error) {
		synctest.Wait()
		select {
		case err := <-result:
			result <- err
			return len(taken), err
		default:
			return len(taken), errBlocked
		}
	}
}

var errBlocked = errors.New("it waits")

func TestLogLinesWaitForRoomAndNoneIsLost(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		r := recorder{fail: down}
		f := New(Options{})
		outputs(t, f, Output{Name: "r", Output: &r, MaxPoints: 10})
		taken := burst(t.Context(), f.Sink(nil), 100)
		if n, err := taken(); n != 10 || !errors.Is(err, errBlocked) {
			t.Errorf("%d taken, %v", n, err)
		}
		time.Sleep(time.Hour)
		if n, _ := taken(); n != 10 {
			t.Errorf("an hour later %d are taken: some must have been dropped", n)
		}
		write(t, f.Sink(nil), point.Metric, named("metric")) // dropped, but it does not wait
		r.set(nil)
		time.Sleep(time.Minute)
		if n, err := taken(); n != 100 || err != nil {
			t.Errorf("%d taken, %v", n, err)
		}
		closeFlow(t, f)
		if !slices.Equal(r.got, labels(0, 100)) {
			t.Errorf("got %v", r.got)
		}
	})
}

func TestLogsLeaveRoomForMetrics(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		r := recorder{fail: down}
		f := New(Options{})
		outputs(t, f, Output{Name: "r", Output: &r, MaxBytes: 10_000})
		taken := burst(t.Context(), f.Sink(nil), 1000)
		n, _ := taken()
		write(t, f.Sink(nil), point.Metric, named("cpu"))
		st := f.Stats().Outputs[0]
		if st.Dropped != 0 || st.QueuedPoints != n+1 || st.QueuedBytes > 8000 {
			t.Errorf("%d log lines and a metric: %+v", n, st)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := f.Close(ctx); err == nil {
			t.Error("nothing was lost")
		}
		if _, err := taken(); !errors.Is(err, ErrClosed) {
			t.Errorf("the waiting write: %v", err)
		}
	})
}

func TestAWaitingWriteEndsWithItsContextOrItsSink(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		r := recorder{fail: down}
		f := New(Options{})
		outputs(t, f, Output{Name: "r", Output: &r, MaxPoints: 1})
		ctx, cancel := context.WithCancel(t.Context())
		s := f.Sink(nil)
		first, second := burst(ctx, f.Sink(nil), 5), burst(t.Context(), s, 5)
		cancel()
		if _, err := first(); !errors.Is(err, context.Canceled) {
			t.Errorf("its context: %v", err)
		}
		s.Close()
		if _, err := second(); !errors.Is(err, ErrClosed) {
			t.Errorf("its sink: %v", err)
		}
		third := burst(t.Context(), f.Sink(nil), 5)
		if _, err := third(); !errors.Is(err, errBlocked) {
			t.Errorf("no room: %v", err)
		}
		outputs(t, f) // the output is gone: there is nothing to wait for
		if _, err := third(); err != nil {
			t.Errorf("its output went: %v", err)
		}
		time.Sleep(drainTime + time.Second)
		closeFlow(t, f)
	})
}

// Log lines go at the pace of a slow output, and pass by one that has stalled.
func TestAStalledOutputDoesNotHoldBackTheOthers(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		hung := recorder{hang: make(chan struct{})}
		var good recorder
		f := New(Options{})
		outputs(t, f, Output{Name: "hung", Output: &hung, MaxPoints: 10}, Output{Name: "good", Output: &good, MaxPoints: 10})
		taken := burst(t.Context(), f.Sink(nil), 100)
		if n, _ := taken(); n != 10 {
			t.Errorf("at once %d were taken", n)
		}
		time.Sleep(stalledAfter + time.Second)
		if n, err := taken(); n != 100 || err != nil {
			t.Errorf("after it has stalled: %d, %v", n, err)
		}
		if !slices.Equal(good.names(), labels(0, 100)) {
			t.Errorf("the good one got %d", len(good.names()))
		}
		close(hung.hang)
		closeFlow(t, f)
		if st := f.Stats().Outputs[0]; st.Written != 10 || st.Dropped != 90 {
			t.Errorf("the stalled one: %+v", st)
		}
	})
}

// Whatever is written, taken and pushed out, the queue's books balance, its
// bounds hold, and each category comes out in the order in which it went in.
func TestQueueKeepsItsBoundsAndOrder(t *testing.T) {
	categories := []point.Category{point.Metric, point.Logging, point.Object}
	rapid.Check(t, func(t *rapid.T) {
		q := newQueue()
		q.bound(Output{MaxPoints: 20, MaxBytes: 6000})
		in, out, lost, next := 0, 0, 0, 0
		last := map[point.Category]int{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				b, ok := q.take()
				if !ok {
					continue
				}
				for _, p := range b.Points {
					if int(p.Time) <= last[b.Category] {
						t.Fatalf("%s: %d after %d", b.Category, p.Time, last[b.Category])
					}
					last[b.Category] = int(p.Time)
				}
				out += len(b.Points)
				q.ack()
			default:
				c := rapid.SampledFrom(categories).Draw(t, "category")
				var pts []point.Point
				for range rapid.IntRange(1, 6).Draw(t, "points") {
					next++
					p := named(strings.Repeat("n", rapid.IntRange(1, 400).Draw(t, "size")))
					p.Time = int64(next)
					pts = append(pts, p)
				}
				for part, bytes := range chunks(output.Batch{Category: c, Points: pts}) {
					v, dropped := q.offer(entry{batch: part, bytes: bytes}, rapid.Bool().Draw(t, "force"))
					lost += dropped
					if v != full {
						in += len(part.Points)
					}
				}
			}
			bytes, points, dropped := q.size()
			if in != out+lost+points || int(dropped) != lost || bytes > 6000 || points > 20 || points == 0 != (bytes == 0) || q.waiting > bytes {
				t.Fatalf("in %d, out %d, lost %d (%d), queued %d points, %d bytes, %d of them wait", in, out, lost, dropped, points, bytes, q.waiting)
			}
		}
	})
}

func BenchmarkFlow(b *testing.B) {
	for _, outs := range []int{1, 3} {
		b.Run(fmt.Sprintf("outputs=%d", outs), func(b *testing.B) {
			f := New(Options{Tags: map[string]string{"host": "h"}})
			var all []Output
			for i := range outs {
				all = append(all, Output{Name: strconv.Itoa(i), Output: discard{}, MaxPoints: 1 << 30, MaxBytes: 1 << 40})
			}
			if err := f.SetOutputs(all...); err != nil {
				b.Fatal(err)
			}
			s := f.Sink(map[string]string{"some": "tag"})
			b.ReportAllocs()
			const n = 100
			for b.Loop() {
				if err := s.Write(b.Context(), point.Metric, gathered(n)); err != nil {
					b.Fatal(err)
				}
			}
			if err := f.Close(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "points/s")
		})
	}
}

type discard struct{}

func (discard) Write(context.Context, output.Batch) error { return nil }
func (discard) Close() error                              { return nil }

// gathered is what one Gather writes: the points, with two tags and five fields
// each, are part of the cost.
func gathered(n int) []point.Point {
	pts := make([]point.Point, n)
	for i := range pts {
		p := point.New("cpu", 5)
		p.Tags = []point.Tag{{Key: "cpu", Value: "cpu0"}, {Key: "role", Value: "web"}}
		for _, k := range [...]string{"a", "b", "c", "d", "e"} {
			p.Add(k, point.FloatOf(1.5))
		}
		pts[i] = p
	}
	return pts
}
