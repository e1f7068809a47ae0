package dql

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"datakit.dev/internal/point/block"
)

// Limits bound one run. A zero is the default.
type Limits struct {
	Memory int64 // bytes beside the answer's own; 64 MiB
	Rows   int   // of the answer, all series together; 200,000
}

const (
	defaultMemory = 64 << 20
	defaultRows   = 200_000
)

// The errors of a run that went past a bound.
var (
	ErrMemory = errors.New("the query needs too much memory: narrow the time, the filters or BY")
	ErrRows   = errors.New("the answer has too many rows: set LIMIT or SLIMIT, or a wider bucket")
	ErrGroups = fmt.Errorf("BY makes more than %d groups: group by fewer tags", maxGroups)
)

// checkEvery is how many rows are looked at between two looks at the context. A
// row may take long where it is matched with a regular expression: then it is one.
const checkEvery = 8192

// stride returns how many rows are looked at between two looks at the context.
func (q *Query) stride() int {
	if q.filter != nil && hasPattern(q.filter) {
		return 1
	}
	return checkEvery
}

// Run answers q from src. The time of the query is relative to now. It stops when
// ctx ends.
func Run(ctx context.Context, q *Query, src Source, now time.Time, l Limits) (Result, error) {
	if l.Memory <= 0 {
		l.Memory = defaultMemory
	}
	if l.Rows <= 0 {
		l.Rows = defaultRows
	}
	r := &runner{ctx: ctx, q: q, src: src, now: now, limits: l, meter: meter{left: l.Memory}, stride: q.stride()}
	r.from, r.to = q.span.resolve(now, src.Oldest())
	res := Result{Series: []Series{}, RawQuery: q.String()}
	series, err := r.run()
	if err != nil {
		return res, err
	}
	if series = r.page(series); series != nil {
		res.Series = series
	}
	if res.Rows() > l.Rows {
		return Result{}, ErrRows
	}
	return res, nil
}

// resolve returns the first and the last nanosecond of s.
func (s span) resolve(now time.Time, oldest int64) (from, to int64) {
	from, to = oldest, math.MaxInt64
	if s.from.set {
		from, to = max(from, s.from.resolve(now).UnixNano()), now.UnixNano()
	}
	if s.to.set {
		to = s.to.resolve(now).UnixNano()
	}
	return from, to
}

// A runner is one run of a query.
type runner struct {
	ctx    context.Context //nolint:containedctx // of this run alone, which the value does not outlive
	q      *Query
	src    Source
	now    time.Time
	limits Limits
	meter  meter
	from   int64
	to     int64
	seen   int // rows since the last look at ctx
	rows   int // of the answer so far
	stride int // rows between two looks at ctx

	backwards bool // the points are looked at from the last to the first
}

func (r *runner) run() ([]Series, error) {
	if r.q.show != nil {
		return r.showing()
	}
	var out []Series
	units, err := r.units()
	if err != nil {
		return nil, err
	}
	for _, u := range units {
		var series []Series
		switch {
		case r.q.selecting() != nil:
			series, err = r.selecting(u)
		case r.q.aggregates():
			series, err = r.aggregated(u)
		default:
			series, err = r.raw(u)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, series...)
	}
	return out, nil
}

// A unit is what one answer is made of: one measurement, or all sources of
// another namespace that the query names.
type unit struct {
	label string // "" for several
	names []string
}

func (r *runner) units() (out []unit, err error) {
	var names []string
	for _, n := range r.src.Names(r.q.space.Category) {
		if err := r.check(checkEvery); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(r.q.sources, func(s source) bool { return s.all || s.re != nil && s.re.MatchString(n) || s.re == nil && s.name == n }) {
			names = append(names, n)
		}
	}
	if r.q.space.Key == "" {
		for _, n := range names {
			out = append(out, unit{n, []string{n}})
		}
		return out, nil
	}
	label := ""
	if len(names) == 1 {
		label = names[0]
	}
	return []unit{{label, names}}, nil
}

// page applies SOFFSET and SLIMIT.
func (r *runner) page(series []Series) []Series {
	if r.q.show != nil {
		return series
	}
	series = series[min(r.q.soffset, len(series)):]
	if r.q.slimit >= 0 {
		series = series[:min(r.q.slimit, len(series))]
	}
	return series
}

// scan calls visit for every row of u that the filter takes. begin is called with
// each block before its rows; where it returns false they are passed over.
func (r *runner) scan(u unit, c *compiler, begin func(*frame) bool, visit func(*frame) error) error {
	test, names := c.filter()
	f := &frame{}
	for b, err := range r.blocks(u) {
		if err != nil {
			return err
		}
		c.bind(f, b)
		f.nth++
		if !begin(f) {
			continue
		}
		test := test
		if test != nil && f.fixed(names) { // by tags alone: all rows of a block or none
			f.row = 0
			if !test(f) {
				continue
			}
			test = nil
		}
		if err := r.rowsOf(f, test, visit); err != nil {
			return err
		}
	}
	return r.check(0)
}

// blocks yields the blocks of u, where the newest rows come first in the reverse of
// their order: then nearly all that follow are seen to be too old at once.
func (r *runner) blocks(u unit) iter.Seq2[*block.Block, error] {
	return func(yield func(*block.Block, error) bool) {
		var all []block.Block
		for _, n := range u.names {
			for b := range r.src.Blocks(r.q.space.Category, n, r.from, r.to) {
				seen := 0
				if r.backwards {
					r.meter.take(blockBytes)
					all, seen = append(all, b), b.Rows
				}
				if err := r.check(seen); err != nil {
					yield(nil, err)
					return
				}
				if !r.backwards && !yield(&b, nil) {
					return
				}
			}
		}
		for i := range slices.Backward(all) {
			if err := r.check(0); err != nil {
				yield(nil, err)
				return
			}
			if !yield(&all[i], nil) {
				return
			}
		}
	}
}

func (r *runner) rowsOf(f *frame, test testFunc, visit func(*frame) error) error {
	b := f.block
	for done := 0; done < b.Rows; done += r.stride {
		n := min(r.stride, b.Rows-done)
		if err := r.check(n * checkEvery / r.stride); err != nil {
			return err
		}
		row, step := done, 1
		if r.backwards {
			row, step = b.Rows-1-done, -1
		}
		for range n {
			f.row, row = row, row+step
			if f.time = b.Times[f.row]; f.time < r.from || f.time > r.to {
				continue
			}
			if test != nil && !test(f) {
				continue
			}
			if err := visit(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// check returns why the run must stop. n rows are about to be looked at.
func (r *runner) check(n int) error {
	if r.meter.over {
		return ErrMemory
	}
	if r.seen += n + 1; r.seen > checkEvery {
		r.seen = 0
		if r.ctx.Err() != nil {
			return fmt.Errorf("the query took too long: narrow the time, the filters or BY: %w", context.Cause(r.ctx))
		}
	}
	return nil
}

// groups are the groups of a BY clause.
type groups[T any] struct {
	by    []int // slots
	names []string
	all   map[string]*group[T]
	fixed *group[T] // of all rows of the block, nil where a field decides
	key   []byte
}

type group[T any] struct {
	tags []string
	of   T
}

func newGroups[T any](c *compiler) *groups[T] {
	g := &groups[T]{all: map[string]*group[T]{}}
	for _, n := range c.query.by {
		g.by, g.names = append(g.by, c.slot(n.text)), append(g.names, n.text)
	}
	return g
}

// begin is called with each block.
func (g *groups[T]) begin(f *frame, m *meter) {
	g.fixed = nil
	for _, i := range g.by {
		if f.slots[i].column != nil {
			return
		}
	}
	f.row = 0
	g.fixed = g.find(f, m)
}

// find returns the group of a row, nil where there are too many.
func (g *groups[T]) find(f *frame, m *meter) *group[T] {
	if g.fixed != nil {
		return g.fixed
	}
	g.key = g.key[:0]
	for _, i := range g.by {
		text := textOf(f.slots[i].at(f.row))
		g.key = strconv.AppendInt(g.key, int64(len(text)), 10)
		g.key = append(append(g.key, ':'), text...)
	}
	if found := g.all[string(g.key)]; found != nil {
		return found
	}
	if len(g.all) >= maxGroups {
		return nil
	}
	made := &group[T]{}
	for _, i := range g.by {
		made.tags = append(made.tags, strings.Clone(textOf(f.slots[i].at(f.row))))
	}
	m.take(int64(2*len(g.key) + stateBytes))
	g.all[string(g.key)] = made
	return made
}

// sorted returns the groups by their tags.
func (g *groups[T]) sorted() []*group[T] {
	out := make([]*group[T], 0, len(g.all))
	for _, e := range g.all {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b *group[T]) int { return slices.Compare(a.tags, b.tags) })
	return out
}

// series returns a series of the group without rows.
func (g *groups[T]) series(label string, of *group[T], columns []string) Series {
	s := Series{Name: label, Columns: columns, Values: [][]any{}}
	if len(g.names) > 0 {
		s.Tags = make(map[string]string, len(g.names))
		for i, n := range g.names {
			s.Tags[n] = of.tags[i]
		}
	}
	return s
}

// blockBytes is what a block costs that a run keeps.
const blockBytes = 160

// keep returns a copy of b that the run may hold on to.
func (r *runner) keep(b *block.Block) *block.Block {
	r.meter.take(blockBytes)
	kept := *b
	return &kept
}
