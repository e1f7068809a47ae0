package dql

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"datakit.dev/internal/point"
	"datakit.dev/internal/point/block"
)

// autoBuckets is how many buckets AUTO makes, about.
const autoBuckets = 360

// buckets are the aggregates of one group by the start of their bucket.
type buckets struct {
	all  map[int64][]state
	last []state // of start, as most rows are of the bucket of the row before
	at   int64
}

// aggregated answers a query with aggregates, or with buckets.
func (r *runner) aggregated(u unit) ([]Series, error) {
	targets := r.q.targets
	if r.wantsAll() {
		targets = r.expand(u)
	}
	c := &compiler{query: r.q, grouped: true}
	cells := make([]evalFunc, len(targets))
	columns := []string{timeName}
	for i, t := range targets {
		cells[i] = c.value(t.expr)
		columns = append(columns, t.column())
	}
	orders := r.orderCells(targets, cells)
	groups, ids := newGroups[buckets](c), newSeriesIDs()
	width := r.width()
	inner := slices.ContainsFunc(c.aggs, func(s aggSpec) bool { return s.inner != "" })
	err := r.scan(u, c, func(f *frame) bool {
		groups.begin(f, &r.meter)
		if inner {
			ids.begin(f.block, &r.meter)
		}
		return true
	}, func(f *frame) error {
		g := groups.find(f, &r.meter)
		if g == nil {
			return ErrGroups
		}
		states, err := r.statesOf(&g.of, c, r.start(f.time, width))
		if err != nil {
			return err
		}
		for i := range c.aggs {
			states[i].add(c.aggs[i].arg(f), f.time, ids.id)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []Series
	for _, g := range groups.sorted() {
		rows, err := r.rowsOfGroup(c, g, targets, cells, orders, width)
		if err != nil {
			return nil, err
		}
		if rows = r.cut(rows, false); len(rows) > 0 {
			if r.rows += len(rows); r.rows > r.limits.Rows {
				return nil, ErrRows
			}
			s := groups.series(u.label, g, columns)
			s.Values = values(rows)
			out = append(out, s)
		}
	}
	return r.sortSeries(out), nil
}

// expand returns the targets of a query for all fields: the last value of each.
func (r *runner) expand(u unit) (out []target) {
	keys := newKeySet(r.q)
	for _, n := range u.names {
		for b := range r.src.Blocks(r.q.space.Category, n, r.from, r.to) {
			keys.add(&block.Block{Columns: b.Columns})
		}
	}
	all := keys.sorted()
	if len(r.q.targets) == 0 {
		return lastOf(all)
	}
	for _, t := range r.q.targets {
		if _, star := t.expr.(star); star {
			out = append(out, lastOf(all)...)
		} else {
			out = append(out, t)
		}
	}
	return out
}

func lastOf(names []string) (out []target) {
	for _, n := range names {
		out = append(out, target{expr: nameExpr{name{n, 0}}})
	}
	return out
}

// width returns the width of a bucket, 0 where there are none.
func (r *runner) width() int64 {
	w := int64(r.q.span.bucket)
	if n := int64(r.q.maxPoints); w > 0 && n > 0 {
		w = max(w, (min(r.to, r.now.UnixNano())-r.from)/n)
	}
	if r.q.span.auto {
		to := min(r.to, r.now.UnixNano())
		second := int64(time.Second)
		w = max(second, (to-r.from)/autoBuckets/second*second)
	}
	return w
}

// start returns the start of the bucket that a time is in. Buckets are counted
// from midnight of 1970 in the time zone of the query.
func (r *runner) start(t, width int64) int64 {
	if width == 0 {
		return 0
	}
	shift := int64(0)
	if r.q.zone != nil {
		_, seconds := time.Unix(0, t).In(r.q.zone).Zone()
		shift = int64(seconds) * int64(time.Second)
	}
	t += shift
	rest := t % width
	if rest < 0 {
		rest += width
	}
	return t - rest - shift
}

// statesOf returns the aggregates of a bucket, new ones where there are none.
func (r *runner) statesOf(b *buckets, c *compiler, start int64) ([]state, error) {
	if b.last != nil && b.at == start {
		return b.last, nil
	}
	if b.all == nil {
		b.all = map[int64][]state{}
	}
	states := b.all[start]
	if states == nil {
		if len(b.all) >= maxBuckets {
			return nil, ErrRows
		}
		r.meter.take(stateBytes)
		states = make([]state, len(c.aggs))
		for i := range c.aggs {
			states[i] = c.aggs[i].state(&r.meter)
		}
		b.all[start] = states
	}
	b.last, b.at = states, start
	return states, nil
}

// rowsOfGroup returns the rows of a group, in the order of the answer.
func (r *runner) rowsOfGroup(c *compiler, g *group[buckets], targets []target, cells []evalFunc, orders []int, width int64) ([]row, error) {
	starts := slices.Sorted(maps.Keys(g.of.all))
	if width > 0 && r.fills() {
		var err error
		if starts, err = r.gapless(starts, width); err != nil {
			return nil, err
		}
	}
	f := &frame{group: g.tags, serial: make([]cell, c.serials), aggs: make([]point.Value, len(c.aggs))}
	rows := make([]row, 0, len(starts))
	for i, at := range starts {
		if err := r.check(1 + i%2); err != nil {
			return nil, err
		}
		f.time = at
		moment := int64(noMoment)
		clear(f.aggs)
		for i, s := range g.of.all[at] {
			f.aggs[i], moment = s.result()
		}
		made := row{time: at, noTime: width == 0, values: evalAll(cells, f)}
		if width == 0 && len(targets) == 1 && len(c.aggs) == 1 && moment != noMoment {
			made.time, made.noTime = moment, false // of the one point that was chosen
		}
		r.meter.take(int64(32 * (len(cells) + 2)))
		rows = append(rows, made)
	}
	r.fill(rows)
	rows = slices.DeleteFunc(rows, func(w row) bool { return !slices.ContainsFunc(w.values, some) })
	if r.descending(false) {
		slices.Reverse(rows)
	}
	for i := range rows {
		for _, k := range orders {
			v := point.IntOf(rows[i].time)
			if k >= 0 {
				v = rows[i].values[k]
			}
			rows[i].order = append(rows[i].order, v)
		}
	}
	r.order(rows)
	return rows, nil
}

// orderCells returns the columns that rows are sorted by: -1 is the time.
func (r *runner) orderCells(targets []target, cells []evalFunc) (out []int) {
	if r.byTime() {
		return nil
	}
	for _, o := range r.q.order {
		i := slices.IndexFunc(targets, func(t target) bool { return t.column() == o.name.text })
		out = append(out, min(i, len(cells)-1))
	}
	return out
}

// fills reports whether a target fills empty buckets.
func (r *runner) fills() bool {
	return slices.ContainsFunc(r.q.targets, func(t target) bool { return has(t.expr, filling) })
}

// gapless returns the starts of all buckets of the query's time, or from the
// first to the last point where that has no bounds.
func (r *runner) gapless(starts []int64, width int64) ([]int64, error) {
	if len(starts) == 0 {
		return nil, nil
	}
	first, last := starts[0], starts[len(starts)-1]
	if r.q.span.from.set {
		first = min(first, r.start(r.from, width))
	}
	if r.to != math.MaxInt64 {
		last = max(last, r.start(r.to, width))
	}
	n := (last - first) / width
	if n < 0 || n > maxBuckets { // a point that claims to be of another age overflows
		return nil, ErrRows
	}
	have := make(map[int64]bool, len(starts))
	for _, s := range starts {
		have[s] = true
	}
	for i := range n + 1 {
		if at := first + i*width; !have[at] {
			starts = append(starts, at)
		}
	}
	slices.Sort(starts)
	return starts, nil
}

// fill gives the empty cells of the columns with fill() their values. Rows are
// in the order of time, upwards or downwards.
func (r *runner) fill(rows []row) {
	if !r.fills() {
		return
	}
	up := len(rows) < 2 || cmp.Compare(rows[0].time, rows[len(rows)-1].time) <= 0
	for col, t := range r.q.targets {
		c, ok := t.expr.(*call)
		if !ok || c.fn != "fill" {
			continue
		}
		switch how := c.args[1].(type) {
		case literal:
			fillValue(rows, col, how.value)
		case word:
			if !up {
				slices.Reverse(rows)
			}
			if how.text == "previous" {
				fillPrevious(rows, col)
			} else {
				fillLinear(rows, col)
			}
			if !up {
				slices.Reverse(rows)
			}
		}
	}
}

func fillValue(rows []row, col int, v point.Value) {
	for i := range rows {
		if !some(rows[i].values[col]) {
			rows[i].values[col] = v
		}
	}
}

func fillPrevious(rows []row, col int) {
	last := point.Value{}
	for i := range rows {
		if some(rows[i].values[col]) {
			last = rows[i].values[col]
		} else {
			rows[i].values[col] = last
		}
	}
}

// fillLinear draws a line between the values around a gap; before the first and
// behind the last there is none.
func fillLinear(rows []row, col int) {
	from := -1
	for to := range rows {
		y, ok := toFloat(rows[to].values[col])
		if !ok {
			continue
		}
		if from >= 0 {
			x, _ := toFloat(rows[from].values[col])
			for i := from + 1; i < to; i++ {
				part := float64(rows[i].time-rows[from].time) / float64(rows[to].time-rows[from].time)
				rows[i].values[col] = finite(x + (y-x)*part)
			}
		}
		from = to
	}
}
