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

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/output"
	"datakit.dev/internal/point"
)

func TestAFailedWriteIsRetriedInOrder(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		r := recorder{fail: func(try int) error {
			if try%3 != 0 {
				return fmt.Errorf("try %d: %w", try, errDown)
			}
			return nil
		}}
		f := New(Options{})
		outputs(t, f, Output{Name: "r", Output: &r})
		s := f.Sink(nil)
		for i := range 20 {
			write(t, s, point.Metric, series(i, i+1)...)
			synctest.Wait()
		}
		if st := f.Stats().Outputs[0]; !st.Failing || st.Retries == 0 || st.LastError != "try 1: connection refused" || st.QueuedPoints != 20 || st.QueuedBytes == 0 {
			t.Errorf("while it fails: %+v", st)
		}
		closeFlow(t, f)
		if !slices.Equal(r.got, labels(0, 20)) {
			t.Errorf("got %v", r.got)
		}
		if st := f.Stats().Outputs[0]; st.Failing || st.Written != 20 || st.QueuedPoints != 0 || st.QueuedBytes != 0 || st.LastError == "" {
			t.Errorf("in the end: %+v", st)
		}
	})
}

func TestBackOffGrowsAndHasABound(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		r := recorder{fail: down}
		f := New(Options{})
		outputs(t, f, Output{Name: "r", Output: &r})
		write(t, f.Sink(nil), point.Metric, named("x"))
		time.Sleep(10 * time.Minute)
		tries := int(f.Stats().Outputs[0].Retries)
		if tries < 20 || tries > 60 { // 6 while it grows, then one each 15 to 30 s
			t.Errorf("%d tries in ten minutes", tries)
		}
		r.set(nil)
		time.Sleep(lastRetry)
		if got := r.names(); len(got) != 1 {
			t.Errorf("got %v within one pause after it came back", got)
		}
		closeFlow(t, f)
	})
}

type asksForTime struct{ after time.Duration }

func (asksForTime) Error() string               { return "too many requests" }
func (e asksForTime) RetryAfter() time.Duration { return e.after }

func TestADestinationMayAskForTimeWithinABound(t *testing.T) {
	for asked, quiet := range map[time.Duration]time.Duration{time.Minute: time.Minute, 1000 * time.Hour: longestDelay} {
		faketime.Test(t, func(t *testing.T) {
			r := recorder{fail: func(try int) error {
				if try == 1 {
					return fmt.Errorf("write: %w", asksForTime{asked})
				}
				return nil
			}}
			f := New(Options{})
			outputs(t, f, Output{Name: "r", Output: &r})
			write(t, f.Sink(nil), point.Metric, named("x"))
			time.Sleep(quiet - time.Millisecond)
			if got := r.names(); len(got) != 0 {
				t.Errorf("asked for %v: it came back early", asked)
			}
			time.Sleep(2 * time.Millisecond)
			if got := r.names(); len(got) != 1 {
				t.Errorf("asked for %v: not back after %v", asked, quiet)
			}
			closeFlow(t, f)
		})
	}
}

func TestRejectedPointsAreCountedAndDropped(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		r := recorder{fail: func(try int) error {
			if try == 1 {
				return fmt.Errorf("https://h?token=tkn_secret: bad\nrequest %s: %w", strings.Repeat("x", 1000), output.ErrRejected)
			}
			return nil
		}}
		f := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		outputs(t, f, Output{Name: "r", Output: &r})
		s := f.Sink(nil)
		write(t, s, point.Metric, series(0, 2)...)
		synctest.Wait()
		write(t, s, point.Metric, series(2, 4)...)
		closeFlow(t, f)
		st := f.Stats().Outputs[0]
		if !slices.Equal(r.got, labels(2, 4)) || st.Rejected != 2 || st.Written != 2 || st.Retries != 0 {
			t.Errorf("got %v, %+v", r.got, st)
		}
		if strings.Contains(st.LastError+log.String(), "tkn_secret") || len(st.LastError) > maxError+4 || strings.Contains(st.LastError, "\n") {
			t.Errorf("last error %q, log %s", st.LastError, &log)
		}
	})
}

func TestAPanicOfAnOutputIsContained(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		r := recorder{fail: func(try int) error {
			if try == 1 {
				panic("index out of range")
			}
			return nil
		}}
		var other recorder
		f := New(Options{})
		outputs(t, f, Output{Name: "r", Output: &r}, Output{Name: "other", Output: &other}, Output{Name: "c", Output: panicsAtClose{}})
		s := f.Sink(nil)
		write(t, s, point.Metric, named("a"))
		synctest.Wait()
		write(t, s, point.Metric, named("b"))
		closeFlow(t, f)
		st := f.Stats().Outputs
		if !slices.Equal(r.got, []string{"b"}) || st[0].Panics != 1 || st[0].Rejected != 1 || len(other.got) != 2 || st[2].Panics != 1 {
			t.Errorf("got %v and %v, %+v", r.got, other.got, st)
		}
	})
}

type panicsAtClose struct{}

func (panicsAtClose) Write(context.Context, output.Batch) error { return nil }
func (panicsAtClose) Close() error                              { panic("close") }

func TestPointsGatherForALingerOrUntilAWriteIsFull(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		var eager, patient recorder
		f := New(Options{})
		outputs(t, f, Output{Name: "eager", Output: &eager}, Output{Name: "patient", Output: &patient, Linger: time.Second})
		s := f.Sink(nil)
		for i := range 9 {
			write(t, s, point.Metric, series(i, i+1)...)
			time.Sleep(100 * time.Millisecond)
		}
		if got := len(eager.names()); got != 9 || len(patient.names()) != 0 {
			t.Errorf("before a second: %d and %v", got, patient.names())
		}
		time.Sleep(200 * time.Millisecond)
		if !slices.Equal(patient.names(), labels(0, 9)) || !slices.Equal(patient.writes, []int{9}) {
			t.Errorf("after a second: %v in %v", patient.names(), patient.writes)
		}
		write(t, s, point.Metric, series(0, batchPoints+7)...)
		synctest.Wait()
		if got := patient.writes[1:]; !slices.Equal(got, []int{batchPoints}) {
			t.Errorf("a full batch waits: writes %v", got)
		}
		write(t, s, point.Logging, named("log"))
		closeFlow(t, f)
		if got := patient.writes[1:]; !slices.Equal(got, []int{batchPoints, 7, 1}) || patient.cats[3] != point.Logging {
			t.Errorf("categories were joined: writes %v, %v", got, patient.cats)
		}
	})
}

func TestLargeBatchesAreSplitByTheirSize(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		var r recorder
		f := New(Options{})
		outputs(t, f, Output{Name: "r", Output: &r})
		var pts []point.Point
		for range 10 {
			p := named("p")
			p.Set("text", point.StringOf(strings.Repeat("x", batchBytes/3)))
			pts = append(pts, p)
		}
		write(t, f.Sink(nil), point.Object, pts...)
		closeFlow(t, f)
		if !slices.Equal(r.writes, []int{2, 2, 2, 2, 2}) {
			t.Errorf("writes of %v points", r.writes)
		}
	})
}

func TestAReplacedOutputLosesNothing(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		broken := recorder{fail: down}
		var works, last recorder
		f := New(Options{})
		outputs(t, f, Output{Name: "r", Output: &broken})
		s := f.Sink(nil)
		write(t, s, point.Metric, series(0, 5)...)
		time.Sleep(time.Minute) // deep in its back-off
		outputs(t, f, Output{Name: "r", Output: &broken})
		if broken.closed != 0 {
			t.Error("the same value was closed")
		}
		outputs(t, f, Output{Name: "r", Output: &works})
		synctest.Wait()
		if got := works.names(); !slices.Equal(got, labels(0, 5)) || broken.closed != 1 {
			t.Errorf("the new one got %v at once, the old one was closed %d times", got, broken.closed)
		}
		outputs(t, f, Output{Name: "r", Output: &last})
		synctest.Wait()
		write(t, s, point.Metric, series(5, 6)...)
		closeFlow(t, f)
		if !slices.Equal(last.got, labels(5, 6)) || works.closed != 1 || last.closed != 1 {
			t.Errorf("got %v, closed %d and %d times", last.got, works.closed, last.closed)
		}
		if st := f.Stats().Outputs[0]; st.Written != 6 {
			t.Errorf("%+v", st)
		}
	})
}

func TestAReplacedOutputThatHangsIsAbandoned(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		hangs := recorder{hang: make(chan struct{})}
		var skipped, works recorder
		f := New(Options{})
		outputs(t, f, Output{Name: "r", Output: &hangs})
		write(t, f.Sink(nil), point.Metric, series(0, 3)...)
		synctest.Wait()
		outputs(t, f, Output{Name: "r", Output: &skipped})
		outputs(t, f, Output{Name: "r", Output: &works})
		time.Sleep(replaceGrace + lastRetry)
		if got := works.names(); !slices.Equal(got, labels(0, 3)) || hangs.closed != 1 || skipped.closed != 1 {
			t.Errorf("got %v, closed %d and %d", got, hangs.closed, skipped.closed)
		}
		closeFlow(t, f)
	})
}

// While a write hangs, its output is replaced and brought back: it goes on.
func TestAnOutputThatIsBroughtBackStaysOpen(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		first := recorder{hang: make(chan struct{})}
		var second recorder
		f := New(Options{})
		outputs(t, f, Output{Name: "r", Output: &first})
		write(t, f.Sink(nil), point.Metric, series(0, 3)...)
		synctest.Wait()
		outputs(t, f, Output{Name: "r", Output: &second})
		outputs(t, f, Output{Name: "r", Output: &first})
		close(first.hang)
		synctest.Wait()
		if !slices.Equal(first.names(), labels(0, 3)) || first.closed != 0 || second.closed != 1 {
			t.Errorf("got %v, closed %d and %d times", first.names(), first.closed, second.closed)
		}
		closeFlow(t, f)
	})
}

// A write that meets outputs which have just gone goes to those that came.
func TestPointsReachTheNewOutputsWhileAllAreReplaced(t *testing.T) {
	var got [2]recorder
	f := New(Options{})
	outputs(t, f, Output{Name: "0", Output: &got[0]})
	s := f.Sink(nil)
	const n = 2000
	done := make(chan error, 1)
	go func() {
		for i := range n {
			if err := s.Write(t.Context(), point.Metric, series(i, i+1)); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for i := 1; len(done) == 0; i++ {
		outputs(t, f, Output{Name: strconv.Itoa(i), Output: &keeper{&got[i%2]}})
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	closeFlow(t, f)
	if all := slices.Concat(got[0].got, got[1].got); len(all) != n {
		t.Errorf("%d of %d points arrived", len(all), n)
	}
}

// A keeper is one of several outputs that write to the same recorder.
type keeper struct{ to *recorder }

func (k *keeper) Write(ctx context.Context, b output.Batch) error { return k.to.Write(ctx, b) }
func (k *keeper) Close() error                                    { return nil }

func TestAFlappingOutputIsQuietInTheLog(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		r := recorder{fail: func(try int) error {
			if try%2 == 1 {
				return errDown
			}
			return nil
		}}
		f := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		outputs(t, f, Output{Name: "r", Output: &r})
		s := f.Sink(nil)
		for i := range 40 {
			write(t, s, point.Metric, series(i, i+1)...)
			time.Sleep(time.Second)
		}
		closeFlow(t, f)
		if lines := strings.Count(log.String(), "\n"); lines != 2 || !strings.Contains(log.String(), "takes points again") {
			t.Errorf("%d lines in 40 seconds:\n%s", lines, &log)
		}
	})
}

func TestAWriteThatNeverReturnsIsCutOffAndRetried(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		r := recorder{hang: make(chan struct{})}
		f := New(Options{})
		outputs(t, f, Output{Name: "r", Output: &r})
		write(t, f.Sink(nil), point.Metric, named("x"))
		time.Sleep(writeTimeout + time.Millisecond)
		if st := f.Stats().Outputs[0]; st.Retries != 1 || !st.Failing || st.LastError != context.DeadlineExceeded.Error() {
			t.Errorf("%+v", st)
		}
		close(r.hang)
		closeFlow(t, f)
		if !slices.Equal(r.got, []string{"x"}) {
			t.Errorf("got %v", r.got)
		}
	})
}

func TestARemovedOutputDrains(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		slow := recorder{fail: func(try int) error {
			if try < 3 {
				return errDown
			}
			return nil
		}}
		dead := recorder{fail: down}
		f := New(Options{})
		outputs(t, f, Output{Name: "slow", Output: &slow}, Output{Name: "dead", Output: &dead})
		s := f.Sink(nil)
		write(t, s, point.Metric, series(0, 3)...)
		outputs(t, f)
		write(t, s, point.Metric, series(3, 4)...)
		time.Sleep(drainTime + time.Second)
		if !slices.Equal(slow.names(), labels(0, 3)) || slow.closed != 1 {
			t.Errorf("got %v, closed %d times", slow.names(), slow.closed)
		}
		if len(dead.names()) != 0 || dead.closed != 1 {
			t.Errorf("the dead one: %v, closed %d times", dead.names(), dead.closed)
		}
		outputs(t, f)
		closeFlow(t, f)
	})
}

func TestCloseGivesUpWithItsContextAndSaysWhatIsLost(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		var good recorder
		dead := recorder{fail: down}
		stuck := ignoresContext{make(chan struct{})}
		f := New(Options{})
		outputs(t, f, Output{Name: "good", Output: &good}, Output{Name: "dead", Output: &dead}, Output{Name: "stuck", Output: stuck})
		write(t, f.Sink(nil), point.Metric, series(0, 4)...)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		err := f.Close(ctx)
		var lost *LostError
		if !errors.As(err, &lost) || lost.Points != 8 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if !strings.HasPrefix(err.Error(), "8 points were not delivered") {
			t.Error(err)
		}
		if !slices.Equal(good.got, labels(0, 4)) || dead.closed != 1 {
			t.Errorf("good got %v, dead closed %d times", good.got, dead.closed)
		}
		if st := f.Stats().Outputs[1]; st.Dropped != 4 {
			t.Errorf("dead: %+v", st)
		}
		if err := f.Close(ctx); err != nil {
			t.Errorf("a second close: %v", err)
		}
		close(stuck.release)
	})
}

type ignoresContext struct{ release chan struct{} }

func (o ignoresContext) Write(context.Context, output.Batch) error { <-o.release; return errDown }
func (ignoresContext) Close() error                                { return errors.New("close failed") }
