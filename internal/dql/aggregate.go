package dql

import (
	"math"
	"slices"

	"datakit.dev/internal/point"
)

// A meter bounds the memory of one query.
type meter struct {
	left int64
	over bool
}

// take reports whether n more bytes may be used.
func (m *meter) take(n int64) bool {
	if m.left -= n; m.left < 0 {
		m.over = true
	}
	return !m.over
}

// An aggSpec is one aggregate of a query.
type aggSpec struct {
	fn    string
	p     float64  // of percentile
	inner string   // the function over a series within it, or distinct
	arg   evalFunc // on a point
}

// A state is an aggregate under way. It passes nil over.
type state interface {
	add(v point.Value, t int64, series int)
	// result returns the value, and the time of the point that it is from,
	// noMoment where it is of many.
	result() (point.Value, int64)
}

const stateBytes = 96

const noMoment = math.MinInt64

// state returns a new state of s.
func (s *aggSpec) state(m *meter) state {
	m.take(stateBytes)
	switch s.inner {
	case "":
		return s.plain(m)
	case "distinct":
		return &unique{meter: m, outer: s.plain(m)}
	}
	return &samples{meter: m, fn: s.inner, outer: s.plain(m)}
}

func (s *aggSpec) plain(m *meter) state {
	switch s.fn {
	case "count":
		return &counting{}
	case "sum":
		return &summing{}
	case "avg":
		return &averaging{}
	case "stddev":
		return &deviation{}
	case "min", "max", "spread":
		return &extremes{fn: s.fn}
	case "first", "last":
		return &selector{last: s.fn == "last"}
	case "median", "percentile":
		return &ranked{meter: m, median: s.fn == "median", p: s.p}
	case "mode":
		return &tally{meter: m}
	}
	return &unique{meter: m, outer: &counting{}} // count_distinct
}

type counting struct{ n int64 }

func (c *counting) add(v point.Value, _ int64, _ int) {
	if v.Kind() != point.Nil {
		c.n++
	}
}
func (c *counting) result() (point.Value, int64) { return point.IntOf(c.n), noMoment }

// summing adds whole numbers as such while they fit.
type summing struct {
	n     int
	whole int64
	real  float64
	mixed bool
}

func (s *summing) add(v point.Value, _ int64, _ int) {
	if x, ok := v.AsInt(); ok && !s.mixed {
		if sum, ok := whole("+", s.whole, x); ok {
			s.n++
			s.whole = sum.Int()
			return
		}
	}
	x, ok := toFloat(v)
	if !ok {
		return
	}
	if !s.mixed {
		s.mixed, s.real = true, float64(s.whole)
	}
	s.n++
	s.real += x
}

func (s *summing) result() (point.Value, int64) {
	switch {
	case s.n == 0:
		return point.Value{}, noMoment
	case s.mixed:
		return finite(s.real), noMoment
	}
	return point.IntOf(s.whole), noMoment
}

type averaging struct {
	n   int
	sum float64
}

func (a *averaging) add(v point.Value, _ int64, _ int) {
	if x, ok := toFloat(v); ok {
		a.n++
		a.sum += x
	}
}

func (a *averaging) result() (point.Value, int64) { return finite(a.sum / float64(a.n)), noMoment }

// deviation is Welford's: the naive sum of squares loses all digits where the
// mean is large.
type deviation struct {
	n        int
	mean, m2 float64
}

func (d *deviation) add(v point.Value, _ int64, _ int) {
	if x, ok := toFloat(v); ok {
		d.n++
		delta := x - d.mean
		d.mean += delta / float64(d.n)
		d.m2 += delta * (x - d.mean)
	}
}

func (d *deviation) result() (point.Value, int64) {
	if d.n < 2 {
		return point.Value{}, noMoment
	}
	return finite(math.Sqrt(d.m2 / float64(d.n-1))), noMoment
}

// extremes are the least and the greatest, of texts too but for spread.
type extremes struct {
	fn       string
	min, max point.Value
}

func (e *extremes) add(v point.Value, _ int64, _ int) {
	switch k := v.Kind(); {
	case k == point.Nil, k == point.Float && math.IsNaN(v.Float()):
	case e.min.Kind() == point.Nil:
		e.min, e.max = v, v
	case k == point.Float && e.min.Kind() == point.Float && e.max.Kind() == point.Float:
		if f := v.Float(); f < e.min.Float() { // most are floats
			e.min = v
		} else if f > e.max.Float() {
			e.max = v
		}
	default:
		if before(v, e.min) < 0 {
			e.min = v
		}
		if before(v, e.max) > 0 {
			e.max = v
		}
	}
}

func (e *extremes) result() (point.Value, int64) {
	switch e.fn {
	case "min":
		return e.min, noMoment
	case "max":
		return e.max, noMoment
	}
	return arithmetic("-", e.max, e.min), noMoment
}

// selector is the earliest or the latest value.
type selector struct {
	last bool
	set  bool
	time int64
	v    point.Value
}

func (s *selector) add(v point.Value, t int64, _ int) {
	if v.Kind() != point.Nil && (!s.set || s.last && t >= s.time || !s.last && t < s.time) {
		s.set, s.time, s.v = true, t, v
	}
}

func (s *selector) result() (point.Value, int64) { return s.v, s.time }

// ranked is a percentile by nearest rank, or the median.
type ranked struct {
	meter  *meter
	median bool
	p      float64
	list   []float64
}

func (r *ranked) add(v point.Value, _ int64, _ int) {
	if x, ok := toFloat(v); ok && !math.IsNaN(x) && r.meter.take(8) {
		r.list = append(r.list, x)
	}
}

func (r *ranked) result() (point.Value, int64) {
	n := len(r.list)
	if n == 0 {
		return point.Value{}, noMoment
	}
	slices.Sort(r.list)
	if !r.median {
		rank := int(math.Ceil(r.p / 100 * float64(n)))
		return finite(r.list[min(max(rank-1, 0), n-1)]), noMoment
	}
	if n%2 == 1 {
		return finite(r.list[n/2]), noMoment
	}
	return finite(r.list[n/2-1]/2 + r.list[n/2]/2), noMoment
}

// A valueKey is a value that can be compared with ==: 1 and 1.0 are one key.
type valueKey struct {
	rank int
	bits uint64
	text string
}

func keyOf(v point.Value) valueKey {
	k := valueKey{rank: rank(v)}
	switch v.Kind() {
	case point.String:
		k.text = v.Text()
	case point.Bool:
		k.bits = uint64(toInt(v.Bool())) //nolint:gosec // 0 or 1
	case point.Int, point.Uint, point.Float:
		f, _ := toFloat(v)
		if f == 0 {
			f = 0 // -0 is 0
		}
		k.bits = math.Float64bits(f)
	default:
	}
	return k
}

const keyBytes = 96

// tally counts how often each value comes.
type tally struct {
	meter *meter
	seen  map[valueKey]*tallied
}

type tallied struct {
	v point.Value
	n int
}

func (y *tally) add(v point.Value, _ int64, _ int) {
	if v.Kind() == point.Nil {
		return
	}
	if y.seen == nil {
		y.seen = map[valueKey]*tallied{}
	}
	k := keyOf(v)
	e := y.seen[k]
	if e == nil {
		if !y.meter.take(keyBytes) {
			return
		}
		e = &tallied{v: v}
		y.seen[k] = e
	}
	e.n++
}

// result returns the most frequent value, the least of those that are equally so.
func (y *tally) result() (point.Value, int64) {
	best := tallied{}
	for _, e := range y.seen {
		if e.n > best.n || e.n == best.n && before(e.v, best.v) < 0 {
			best = *e
		}
	}
	return best.v, noMoment
}

// unique gives each value once to an aggregate.
type unique struct {
	meter *meter
	outer state
	seen  map[valueKey]bool
}

func (u *unique) add(v point.Value, t int64, series int) {
	if v.Kind() == point.Nil {
		return
	}
	if u.seen == nil {
		u.seen = map[valueKey]bool{}
	}
	k := keyOf(v)
	if u.seen[k] || !u.meter.take(keyBytes) {
		return
	}
	u.seen[k] = true
	u.outer.add(v, t, series)
}

func (u *unique) result() (point.Value, int64) { return u.outer.result() }
