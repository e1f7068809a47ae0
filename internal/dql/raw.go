package dql

import (
	"cmp"
	"maps"
	"slices"

	"datakit.dev/internal/point"
	"datakit.dev/internal/point/block"
)

// A ref is a row of a block.
type ref struct {
	time   int64
	block  *block.Block
	row    int
	series int   // its number among the sets of tags
	came   int64 // among those of one time, what is later is less
	order  []point.Value
}

// gathered are the rows of one group that may be in the answer.
type gathered struct {
	refs []ref
	// worst is the last row that is in the answer so far, once there are enough:
	// what comes behind it is none.
	worst *ref
}

const refBytes = 72

// rowBits has room for the rows of one block.
const rowBits = 24

// row is a row of the answer under way.
type row struct {
	time   int64
	noTime bool        // it is of many points
	lead   point.Value // stands where others have their time
	values []point.Value
	order  []point.Value // by what it is sorted
}

// A gathering is the rows of the points under way.
type gathering struct {
	*runner
	c       *compiler
	targets []evalFunc
	orders  []evalFunc // by which rows are sorted, where that is not the time
	groups  *groups[gathered]
	ids     *seriesIDs
	keys    *keySet
	keep    int // so many rows of a group can be in the answer, 0 where that is not known

	// A row in which no target has a value is no answer.
	byBlock bool // which a block shows, as all targets are names
	byRow   bool

	kept    *block.Block // the block under way, once a row of it was taken
	scratch []point.Value
}

// raw answers a query whose rows are those of the points.
func (r *runner) raw(u unit) ([]Series, error) {
	g := r.gathering()
	r.backwards = g.keep > 0 && len(g.orders) == 0 && r.descending(true)
	if err := r.scan(u, g.c, g.begin, g.take); err != nil {
		return nil, err
	}
	columns, cells := r.columns(g.c, g.targets, g.keys)
	var out []Series
	for _, of := range g.groups.sorted() {
		rows, err := r.rowsFor(g.c, of, cells, g.orders)
		if err != nil {
			return nil, err
		}
		if rows = r.cut(rows, true); len(rows) > 0 {
			s := g.groups.series(u.label, of, columns)
			s.Values = values(rows)
			out = append(out, s)
		}
	}
	return r.sortSeries(out), nil
}

func (r *runner) gathering() *gathering {
	g := &gathering{runner: r, c: &compiler{query: r.q}, ids: newSeriesIDs(), keys: newKeySet(r.q)}
	for _, t := range r.q.targets {
		if _, all := t.expr.(star); !all {
			g.targets = append(g.targets, g.c.value(t.expr))
		}
	}
	g.groups = newGroups[gathered](g.c)
	g.orders = r.orderSlots(g.c)
	g.keep = r.keepable(g.c)
	if !r.wantsAll() && g.c.serials == 0 {
		g.byBlock = r.plainTargets()
		g.byRow = !g.byBlock
	}
	return g
}

// begin is called with each block.
func (g *gathering) begin(f *frame) bool {
	if g.byBlock && !anyBound(g.c, f, g.q) {
		return false
	}
	g.groups.begin(f, &g.meter)
	g.kept = nil
	if g.c.serials > 0 {
		g.ids.begin(f.block, &g.meter)
	}
	return true
}

// take is called with each row.
func (g *gathering) take(f *frame) error {
	if g.kept == nil {
		g.kept = g.runner.keep(f.block)
		g.keys.add(f.block)
	}
	of := g.groups.find(f, &g.meter)
	if of == nil {
		return ErrGroups
	}
	if g.byRow && !anyValue(g.targets, f) {
		return nil
	}
	e := ref{time: f.time, block: g.kept, row: f.row, series: g.ids.id}
	if g.backwards {
		e.came = int64(f.nth)<<rowBits | int64(f.block.Rows-1-f.row)
	}
	if g.keep > 0 {
		g.scratch = appendAll(g.scratch[:0], g.orders, f)
		if e.order = g.scratch; of.of.worst != nil && g.compareRefs(e, *of.of.worst) >= 0 {
			return nil
		}
		e.order = slices.Clone(g.scratch)
	}
	g.meter.take(refBytes + int64(32*len(e.order)))
	if of.of.refs = append(of.of.refs, e); g.keep > 0 && len(of.of.refs) > 4*g.keep+1024 {
		g.prune(&of.of, g.keep)
	}
	return nil
}

// wantsAll reports whether the answer has every field.
func (r *runner) wantsAll() bool {
	return len(r.q.targets) == 0 || slices.ContainsFunc(r.q.targets, func(t target) bool { _, all := t.expr.(star); return all })
}

func (r *runner) plainTargets() bool {
	return !slices.ContainsFunc(r.q.targets, func(t target) bool { _, plain := t.expr.(nameExpr); return !plain })
}

// anyBound reports whether a block has any of the targets: a row without one is
// no answer.
func anyBound(c *compiler, f *frame, q *Query) bool {
	for _, t := range q.targets {
		n := t.expr.(nameExpr).text //nolint:forcetypeassert // plainTargets has said so
		if n == timeName {
			return true
		}
		if s := f.slots[c.slot(n)]; s.column != nil || s.fixed.Kind() != point.Nil {
			return true
		}
	}
	return false
}

func anyValue(targets []evalFunc, f *frame) bool {
	return slices.ContainsFunc(targets, func(t evalFunc) bool { return t(f).Kind() != point.Nil })
}

// keepable returns how many rows of a group can be in the answer, 0 where that
// is not known before all are seen.
func (r *runner) keepable(c *compiler) int {
	if c.serials > 0 {
		return 0
	}
	return r.limit(true) + r.q.offset
}

// byTime reports whether rows are sorted by their time alone.
func (r *runner) byTime() bool {
	return len(r.q.order) == 0 || len(r.q.order) == 1 && r.q.order[0].name.text == timeName
}

// descending reports whether the newest rows come first.
func (r *runner) descending(raw bool) bool {
	if len(r.q.order) > 0 && r.byTime() {
		return r.q.order[0].desc
	}
	return raw
}

func (r *runner) limit(raw bool) int {
	switch {
	case r.q.limit >= 0:
		return r.q.limit
	case raw:
		return defaultLimit
	}
	return maxBuckets
}

// prune leaves the rows of a group that can be in the answer.
func (r *runner) prune(g *gathered, keep int) {
	slices.SortStableFunc(g.refs, r.compareRefs)
	r.meter.left += int64(len(g.refs)-keep) * refBytes
	clear(g.refs[keep:])
	g.refs = g.refs[:keep]
	g.worst = &g.refs[keep-1]
}

// compareRefs orders rows as the answer has them.
func (r *runner) compareRefs(a, b ref) int {
	for i := range a.order {
		if n := before(a.order[i], b.order[i]); n != 0 {
			if r.q.order[i].desc {
				return -n
			}
			return n
		}
	}
	if r.descending(true) {
		return cmp.Or(cmp.Compare(b.time, a.time), cmp.Compare(b.came, a.came))
	}
	return cmp.Compare(a.time, b.time)
}

// rowsFor computes the rows of a group, in the order of the answer.
func (r *runner) rowsFor(c *compiler, g *group[gathered], cells, orders []evalFunc) ([]row, error) {
	refs := g.of.refs
	if c.serials > 0 { // upwards, as a function over a series goes
		slices.SortStableFunc(refs, func(a, b ref) int { return cmp.Compare(a.time, b.time) })
	} else {
		slices.SortStableFunc(refs, r.compareRefs)
		refs = refs[:min(len(refs), r.keepable(c))]
	}
	rows := make([]row, 0, len(refs))
	memory := map[int][]cell{}
	f := &frame{group: g.tags}
	for i, e := range refs {
		if i%checkEvery == 0 {
			if err := r.check(checkEvery); err != nil {
				return nil, err
			}
		}
		if f.block != e.block {
			c.bind(f, e.block)
		}
		f.row, f.time = e.row, e.time
		if c.serials > 0 {
			if memory[e.series] == nil {
				memory[e.series] = make([]cell, c.serials)
			}
			f.serial = memory[e.series]
		}
		made := row{time: e.time, values: evalAll(cells, f), order: evalAll(orders, f)}
		if c.serials > 0 && !slices.ContainsFunc(made.values, some) {
			continue
		}
		r.meter.take(int64(32 * (len(cells) + len(orders) + 2)))
		rows = append(rows, made)
	}
	if c.serials > 0 {
		if r.descending(true) {
			slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b.time, a.time) })
		}
		r.order(rows)
	}
	r.fill(rows)
	return rows, nil
}

func some(v point.Value) bool { return v.Kind() != point.Nil }

func evalAll(list []evalFunc, f *frame) []point.Value {
	if len(list) == 0 {
		return nil
	}
	return appendAll(make([]point.Value, 0, len(list)), list, f)
}

func appendAll(dst []point.Value, list []evalFunc, f *frame) []point.Value {
	for _, e := range list {
		dst = append(dst, e(f))
	}
	return dst
}

// orderSlots compiles what rows are sorted by, where that is not the time.
func (r *runner) orderSlots(c *compiler) (out []evalFunc) {
	if r.byTime() {
		return nil
	}
	for _, o := range r.q.order {
		e := expr(nameExpr{o.name})
		for _, t := range r.q.targets {
			if _, all := t.expr.(star); !all && t.column() == o.name.text {
				e = t.expr
			}
		}
		out = append(out, c.value(e))
	}
	return out
}

// order sorts rows by the columns of ORDER BY.
func (r *runner) order(rows []row) {
	if r.byTime() {
		return
	}
	slices.SortStableFunc(rows, r.compareRows)
}

func (r *runner) compareRows(a, b row) int {
	for i, o := range r.q.order {
		n := before(a.order[i], b.order[i])
		if o.desc {
			n = -n
		}
		if n != 0 {
			return n
		}
	}
	return 0
}

// cut applies OFFSET and LIMIT to the rows of a group.
func (r *runner) cut(rows []row, raw bool) []row {
	rows = rows[min(r.q.offset, len(rows)):]
	return rows[:min(r.limit(raw), len(rows))]
}

// values returns rows as an answer has them.
func values(rows []row) [][]any {
	out := make([][]any, len(rows))
	for i, w := range rows {
		out[i] = make([]any, 1, len(w.values)+1)
		if out[i][0] = plain(w.lead); !w.noTime {
			out[i][0] = millis(w.time)
		}
		for _, v := range w.values {
			out[i] = append(out[i], plain(v))
		}
	}
	return out
}

// sortSeries puts the groups of a query that is sorted by a column in the order
// of their first rows.
func (r *runner) sortSeries(series []Series) []Series {
	if r.byTime() || len(series) < 2 {
		return series
	}
	o := r.q.order[0]
	i := slices.Index(series[0].Columns, o.name.text)
	if i < 0 {
		return series
	}
	slices.SortStableFunc(series, func(a, b Series) int {
		n := before(valueOf(a.Values[0][i]), valueOf(b.Values[0][i]))
		if o.desc {
			return -n
		}
		return n
	})
	return series
}

// valueOf is the inverse of plain.
func valueOf(v any) point.Value {
	switch v := v.(type) {
	case bool:
		return point.BoolOf(v)
	case int64:
		return point.IntOf(v)
	case uint64:
		return point.UintOf(v)
	case float64:
		return point.FloatOf(v)
	case string:
		return point.StringOf(v)
	}
	return point.Value{}
}

// columns returns the names of the columns and what computes them. A star stands
// for the fields and then the tags that there are.
func (r *runner) columns(c *compiler, targets []evalFunc, keys *keySet) (names []string, cells []evalFunc) {
	names = []string{timeName}
	addAll := func() {
		for _, n := range keys.sorted() {
			names = append(names, n)
			cells = append(cells, c.raw(nameExpr{name{n, 0}}))
		}
	}
	if len(r.q.targets) == 0 {
		addAll()
	}
	next := 0
	for _, t := range r.q.targets {
		if _, all := t.expr.(star); all {
			addAll()
			continue
		}
		names = append(names, t.column())
		cells = append(cells, targets[next])
		next++
	}
	return names, cells
}

// A keySet gathers the fields and tags of blocks.
type keySet struct {
	skip         map[string]bool // the BY clause
	fields, tags map[string]bool
}

func newKeySet(q *Query) *keySet {
	k := &keySet{skip: map[string]bool{}, fields: map[string]bool{}, tags: map[string]bool{}}
	for _, b := range q.by {
		k.skip[b.text] = true
	}
	return k
}

func (k *keySet) add(b *block.Block) {
	for i := range b.Columns {
		k.fields[b.Columns[i].Key] = true
	}
	for _, t := range b.Tags {
		k.tags[t.Key] = true
	}
}

// sorted returns the fields and then the tags.
func (k *keySet) sorted() []string {
	out := slices.Sorted(maps.Keys(k.fields))
	for _, t := range slices.Sorted(maps.Keys(k.tags)) {
		if !k.fields[t] {
			out = append(out, t)
		}
	}
	return slices.DeleteFunc(out, func(n string) bool { return k.skip[n] })
}

// seriesIDs numbers the sets of tags.
type seriesIDs struct {
	id  int
	ids map[string]int
	key []byte
}

func newSeriesIDs() *seriesIDs { return &seriesIDs{ids: map[string]int{}} }

func (s *seriesIDs) begin(b *block.Block, m *meter) {
	s.key = append(append(s.key[:0], b.Name...), 0)
	for _, t := range b.Tags {
		s.key = append(append(append(append(s.key, t.Key...), 0), t.Value...), 0)
	}
	id, ok := s.ids[string(s.key)]
	if !ok {
		id = len(s.ids)
		s.ids[string(s.key)] = id
		m.take(int64(len(s.key) + keyBytes))
	}
	s.id = id
}
