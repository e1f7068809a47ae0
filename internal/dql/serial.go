package dql

import (
	"slices"
	"time"

	"datakit.dev/internal/point"
)

// A cell is what a function over a series remembers: the point before.
type cell struct {
	set   bool
	time  int64
	value float64
}

// A stepFunc returns the value of a point, given the one before it.
type stepFunc func(c *cell, v point.Value, t int64) point.Value

func stepOf(fn string) stepFunc {
	perSecond := fn == "derivative" || fn == "non_negative_derivative"
	negative := fn == "derivative" || fn == "difference"
	return func(c *cell, v point.Value, t int64) point.Value {
		x, ok := toFloat(v)
		if !ok {
			return point.Value{}
		}
		last := *c
		*c = cell{set: true, time: t, value: x}
		if !last.set {
			return point.Value{}
		}
		d := x - last.value
		if perSecond {
			d /= float64(t-last.time) / float64(time.Second)
		}
		if d < 0 && !negative {
			return point.Value{}
		}
		return finite(d)
	}
}

// A sample is one value of one series.
type sample struct {
	series int
	time   int64
	value  float64
}

const sampleBytes = 24

// samples collects the points of an aggregate over a function over a series.
type samples struct {
	meter *meter
	fn    string
	outer state
	list  []sample
}

func (s *samples) add(v point.Value, t int64, series int) {
	if x, ok := toFloat(v); ok && s.meter.take(sampleBytes) {
		s.list = append(s.list, sample{series, t, x})
	}
}

// result computes the function for each series, in the order of time whatever
// the order of arrival, and gives its values to the aggregate.
func (s *samples) result() (point.Value, int64) {
	slices.SortStableFunc(s.list, func(a, b sample) int {
		if a.series != b.series {
			return a.series - b.series
		}
		return int(min(max(a.time-b.time, -1), 1))
	})
	for from := 0; from < len(s.list); {
		to := from
		for to < len(s.list) && s.list[to].series == s.list[from].series {
			to++
		}
		s.one(s.list[from:to])
		from = to
	}
	return s.outer.result()
}

func (s *samples) one(list []sample) {
	switch s.fn {
	case "rate":
		s.outer.add(rate(list), list[0].time, 0)
	case "irate":
		s.outer.add(rate(list[max(0, len(list)-2):]), list[0].time, 0)
	default:
		step := stepOf(s.fn)
		var c cell
		for _, x := range list {
			s.outer.add(step(&c, point.FloatOf(x.value), x.time), x.time, 0)
		}
	}
}

// rate returns the increase a second. Where a counter falls it has begun anew at
// zero.
func rate(list []sample) point.Value {
	if len(list) < 2 {
		return point.Value{}
	}
	increase := 0.0
	for i, s := range list[1:] {
		if s.value >= list[i].value {
			increase += s.value - list[i].value
		} else {
			increase += s.value
		}
	}
	seconds := float64(list[len(list)-1].time-list[0].time) / float64(time.Second)
	return finite(increase / seconds)
}
