package dql

import (
	"cmp"
	"slices"

	"datakit.dev/internal/point"
	"datakit.dev/internal/point/block"
)

// chosen is a value with the row that it is from.
type chosen struct {
	value point.Value
	ref   ref
}

const chosenBytes = 64

// picks are what a function that makes rows has gathered of one group.
type picks struct {
	list []chosen
	full bool              // the first n of the list are sorted: what is behind the n-th is not chosen
	seen map[valueKey]bool // of distinct
	bins []int64           // of histogram
}

// selecting answers a query whose rows a function makes: distinct, top, bottom
// and histogram.
func (r *runner) selecting(u unit) ([]Series, error) {
	fn := r.q.selecting()
	c := &compiler{query: r.q}
	arg := c.value(fn.args[0])
	cells := make([]evalFunc, len(r.q.targets))
	columns := []string{timeName}
	for i, t := range r.q.targets {
		if t.expr == expr(fn) {
			cells[i] = arg
		} else {
			cells[i] = c.value(t.expr)
		}
		columns = append(columns, t.column())
	}
	groups := newGroups[picks](c)
	var kept *block.Block
	err := r.scan(u, c, func(f *frame) bool {
		groups.begin(f, &r.meter)
		kept = nil
		return true
	}, func(f *frame) error {
		v := arg(f)
		if !some(v) {
			return nil
		}
		g := groups.find(f, &r.meter)
		if g == nil {
			return ErrGroups
		}
		if kept == nil {
			kept = r.keep(f.block)
		}
		r.pick(&g.of, fn, chosen{v, ref{time: f.time, block: kept, row: f.row}})
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []Series
	for _, g := range groups.sorted() {
		rows := r.picked(&g.of, fn, c, cells, g.tags)
		if rows = r.cut(rows, false); len(rows) > 0 {
			s := groups.series(u.label, g, columns)
			s.Values = values(rows)
			out = append(out, s)
		}
	}
	return r.sortSeries(out), nil
}

// pick takes one value.
func (r *runner) pick(p *picks, fn *call, v chosen) {
	switch fn.fn {
	case "distinct":
		if p.seen == nil {
			p.seen = map[valueKey]bool{}
		}
		if k := keyOf(v.value); !p.seen[k] && r.meter.take(keyBytes+chosenBytes) {
			p.seen[k] = true
			p.list = append(p.list, chosen{value: v.value})
		}
	case "histogram":
		from, to, width := histogramOf(fn)
		if p.bins == nil {
			n := int((to-from)/width) + 1
			p.bins = make([]int64, n)
			r.meter.take(int64(8 * n))
		}
		if x, ok := toFloat(v.value); ok && x >= from && x < to {
			p.bins[int((x-from)/width)]++
		}
	default:
		r.pickLargest(p, fn, v)
	}
}

// pickLargest keeps v where it may be among the n largest, or smallest.
func (r *runner) pickLargest(p *picks, fn *call, v chosen) {
	f, _ := number(fn.args[1])
	n, largest := int(f), fn.fn == "top"
	if p.full && compareChosen(v, p.list[n-1], largest) >= 0 {
		return
	}
	p.list = append(p.list, v)
	r.meter.take(chosenBytes)
	if len(p.list) > 4*n+1024 {
		sortChosen(p.list, largest)
		r.meter.left += int64(len(p.list)-n) * chosenBytes
		clear(p.list[n:])
		p.list, p.full = p.list[:n], true
	}
}

func histogramOf(fn *call) (from, to, width float64) {
	from, _ = number(fn.args[1])
	to, _ = number(fn.args[2])
	width, _ = number(fn.args[3])
	return from, to, width
}

// sortChosen sorts by value, the newest first among equals.
func sortChosen(list []chosen, largest bool) {
	slices.SortStableFunc(list, func(a, b chosen) int { return compareChosen(a, b, largest) })
}

func compareChosen(a, b chosen, largest bool) int {
	n := before(a.value, b.value)
	switch {
	case n == 0:
		return cmp.Compare(b.ref.time, a.ref.time)
	case largest:
		return -n
	}
	return n
}

// picked returns the rows of a group.
func (r *runner) picked(p *picks, fn *call, c *compiler, cells []evalFunc, group []string) (rows []row) {
	switch fn.fn {
	case "distinct":
		slices.SortFunc(p.list, func(a, b chosen) int { return before(a.value, b.value) })
		for _, v := range p.list {
			rows = append(rows, row{noTime: true, values: []point.Value{v.value}})
		}
	case "histogram":
		return bins(p, fn)
	default:
		n, _ := number(fn.args[1])
		sortChosen(p.list, fn.fn == "top")
		f := &frame{group: group}
		for _, v := range p.list[:min(int(n), len(p.list))] {
			c.bind(f, v.ref.block)
			f.row, f.time = v.ref.row, v.ref.time
			rows = append(rows, row{time: f.time, values: evalAll(cells, f)})
		}
	}
	if len(r.q.order) > 0 {
		r.orderPicked(rows)
	}
	return rows
}

// orderPicked sorts the rows by ORDER BY.
func (r *runner) orderPicked(rows []row) {
	for i := range rows {
		for _, o := range r.q.order {
			v := point.IntOf(rows[i].time)
			if k := slices.IndexFunc(r.q.targets, func(t target) bool { return t.column() == o.name.text }); k >= 0 {
				v = rows[i].values[k]
			}
			rows[i].order = append(rows[i].order, v)
		}
	}
	slices.SortStableFunc(rows, r.compareRows)
}

// bins returns the intervals of a histogram. Their starts stand where other rows
// have their time.
func bins(p *picks, fn *call) (rows []row) {
	from, _, width := histogramOf(fn)
	least := 1.0
	if len(fn.args) > 4 {
		least, _ = number(fn.args[4])
	}
	for i, n := range p.bins {
		if float64(n) >= least {
			rows = append(rows, row{noTime: true, lead: point.FloatOf(from + float64(i)*width), values: []point.Value{point.IntOf(n)}})
		}
	}
	return rows
}
