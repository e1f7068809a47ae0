package flow

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/point"
)

// An outage is what one output goes through: it fails or hangs, is replaced, and
// gets its lines through all the same.
type outage struct {
	maxPoints int
	linger    time.Duration
	failures  []bool // of the first writes
	replaceAt []int  // before these lines, by an output of the same name
	pauseAt   []int  // before these lines a while passes
}

func anyOutage(t *rapid.T) outage {
	line := rapid.SliceOfNDistinct(rapid.IntRange(0, lines-1), 0, 4, rapid.ID)
	return outage{
		maxPoints: rapid.IntRange(1, 50).Draw(t, "max points"),
		linger:    rapid.SampledFrom([]time.Duration{0, time.Second}).Draw(t, "linger"),
		failures:  rapid.SliceOfN(rapid.Bool(), 0, 8).Draw(t, "failures"),
		replaceAt: line.Draw(t, "replaced at"),
		pauseAt:   line.Draw(t, "pause at"),
	}
}

const lines = 60

// run writes the lines through the outage and returns what arrived, in order.
func (o outage) run(t *testing.T) (got []string) {
	faketime.Test(t, func(t *testing.T) {
		r := recorder{fail: func(try int) error {
			if try <= len(o.failures) && o.failures[try-1] {
				return errDown
			}
			return nil
		}}
		f := New(Options{})
		put := func() {
			outputs(t, f, Output{Name: "r", Output: &keeper{&r}, Linger: o.linger, MaxPoints: o.maxPoints})
		}
		put()
		s := f.Sink(nil)
		for i := range lines {
			if slices.Contains(o.replaceAt, i) {
				put()
			}
			if slices.Contains(o.pauseAt, i) {
				time.Sleep(700 * time.Millisecond)
			}
			write(t, s, point.Logging, series(i, i+1)...)
		}
		closeFlow(t, f)
		got = r.names()
		if st := f.Stats().Outputs[0]; st.Written != lines || st.QueuedPoints+st.QueuedBytes != 0 || st.Dropped != 0 {
			t.Errorf("%+v: %+v", o, st)
		}
	})
	return got
}

// Whatever an output goes through, every log line reaches it, in order.
func TestNoOutageLosesOrTurnsALogLine(t *testing.T) {
	want := labels(0, lines)
	rapid.Check(t, func(rt *rapid.T) {
		o := anyOutage(rt)
		if got := o.run(t); !slices.Equal(got, want) {
			rt.Fatalf("%+v\ngot %v", o, got)
		}
	})
}

// Inputs write from many goroutines while a reload changes everything. Under
// the race detector this is the test of the locks; the books must balance too.
func TestReloadsWhileManyInputsWrite(t *testing.T) {
	const inputs, writes = 8, 200
	f := New(Options{})
	var r recorder
	outputs(t, f, Output{Name: "r", Output: &keeper{&r}})
	sinks := make([]*Sink, inputs)
	var wg sync.WaitGroup
	for i := range sinks {
		sinks[i] = f.Sink(map[string]string{"input": strconv.Itoa(i)})
		category := point.Metric
		if i%2 == 0 {
			category = point.Logging
		}
		wg.Go(func() {
			for range writes {
				write(t, sinks[i], category, series(0, 3)...)
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for reload := true; reload; {
		select {
		case <-done:
			reload = false
		default:
		}
		f.SetTags(map[string]string{"host": "h"})
		f.SetStage(stageFunc(func(_ point.Category, pts []point.Point) []point.Point { return pts }))
		sinks[0].SetTags(map[string]string{"new": "tag"})
		outputs(t, f, Output{Name: "r", Output: &keeper{&r}, Linger: time.Millisecond})
		f.SetStage(nil)
		_ = f.Stats()
	}
	closeFlow(t, f)
	const all = inputs * writes * 3
	if st := f.Stats(); st.Points != all || len(r.got) != all || st.Outputs[0].Written != all {
		t.Errorf("%d points arrived, want %d: %+v", len(r.got), all, st)
	}
	for _, s := range sinks {
		if s.Points() != writes*3 {
			t.Errorf("a sink has counted %d points", s.Points())
		}
	}
}
