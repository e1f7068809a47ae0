package dql

import (
	"regexp"
	"slices"
	"strings"

	"datakit.dev/internal/point"
	"datakit.dev/internal/point/block"
)

// A frame is what an expression is computed on: one row of a block, or one row
// of a group's aggregates.
type frame struct {
	block  *block.Block
	nth    int // of the blocks of the run, in the order in which they are looked at
	row    int
	time   int64
	slots  []slot        // the names that the query uses, as this block has them
	aggs   []point.Value // results of the aggregates
	group  []string      // values of the BY clause
	serial []cell        // memory of the functions over a series
}

// A slot is a name bound to a block: a field, or what all of its rows have.
type slot struct {
	column *block.Column
	fixed  point.Value
}

func (s *slot) at(row int) point.Value {
	if s.column != nil {
		return s.column.Value(row)
	}
	return s.fixed
}

type (
	evalFunc func(*frame) point.Value
	testFunc func(*frame) bool
)

// A compiler makes functions of expressions.
type compiler struct {
	query   *Query
	slots   []string
	aggs    []aggSpec
	serials int
	grouped bool  // names are those of an aggregated row
	used    []int // slots of the names that were compiled
	timed   bool  // the time was compiled
}

// filter compiles the filter of the query, and returns the slots of the names that
// it looks at; nil where it looks at the time. The test is nil where there is none.
func (c *compiler) filter() (test testFunc, names []int) {
	if c.query.filter == nil {
		return nil, nil
	}
	c.used, c.timed = []int{}, false
	test = c.test(c.query.filter)
	if c.timed {
		return test, nil
	}
	return test, c.used
}

// fixed reports whether no name is a field of the block.
func (f *frame) fixed(names []int) bool {
	return names != nil && !slices.ContainsFunc(names, func(i int) bool { return f.slots[i].column != nil })
}

// slot returns the index of a name.
func (c *compiler) slot(name string) int {
	if i := slices.Index(c.slots, name); i >= 0 {
		return i
	}
	c.slots = append(c.slots, name)
	return len(c.slots) - 1
}

// bind looks up the names in a block.
func (c *compiler) bind(f *frame, b *block.Block) {
	f.block = b
	f.slots = slices.Grow(f.slots[:0], len(c.slots))[:len(c.slots)]
	for i, n := range c.slots {
		f.slots[i] = c.lookup(b, n)
	}
}

// lookup finds a name: a field goes before a tag, and where there is neither the
// source of the point answers to the key of its namespace.
func (c *compiler) lookup(b *block.Block, name string) slot {
	if col := b.Column(name); col != nil {
		return slot{column: col}
	}
	if v, ok := b.Tag(name); ok {
		return slot{fixed: point.StringOf(v)}
	}
	if name != "" && name == c.query.space.Key {
		return slot{fixed: point.StringOf(b.Name)}
	}
	return slot{}
}

// timeName is the name that stands for the time of a point.
const timeName = "time"

func (c *compiler) value(e expr) evalFunc {
	switch e := e.(type) {
	case literal:
		return func(*frame) point.Value { return e.value }
	case nameExpr:
		return c.name(e.text)
	case unary:
		x, zero := c.value(e.x), point.IntOf(0)
		return func(f *frame) point.Value { return arithmetic("-", zero, x(f)) }
	case binary:
		l, r, op := c.value(e.l), c.value(e.r), e.op
		return func(f *frame) point.Value { return arithmetic(op, l(f), r(f)) }
	case *call:
		return c.call(e)
	}
	return func(*frame) point.Value { return point.Value{} }
}

func (c *compiler) name(n string) evalFunc {
	if n == timeName {
		c.timed = true
		return func(f *frame) point.Value { return point.IntOf(millis(f.time)) }
	}
	if !c.grouped {
		i := c.slot(n)
		c.used = append(c.used, i)
		return func(f *frame) point.Value { return f.slots[i].at(f.row) }
	}
	if i := slices.IndexFunc(c.query.by, func(b name) bool { return b.text == n }); i >= 0 {
		return func(f *frame) point.Value { return point.StringOf(f.group[i]) }
	}
	return c.aggregate(aggSpec{fn: "last", arg: c.raw(nameExpr{name{n, 0}})})
}

// raw compiles an expression over the points, also within an aggregate.
func (c *compiler) raw(e expr) evalFunc {
	was := c.grouped
	c.grouped = false
	defer func() { c.grouped = was }()
	return c.value(e)
}

func (c *compiler) aggregate(s aggSpec) evalFunc {
	i := len(c.aggs)
	c.aggs = append(c.aggs, s)
	return func(f *frame) point.Value { return f.aggs[i] }
}

func (c *compiler) call(e *call) evalFunc {
	fn, _ := functionOf(e.fn)
	switch fn.class {
	case aggregate:
		return c.aggregate(c.spec(e))
	case scalar:
		x := c.value(e.args[0])
		return func(f *frame) point.Value { return scalarOf(e.fn, x(f)) }
	case serial:
		x, i, step := c.value(e.args[0]), c.serials, stepOf(e.fn)
		c.serials++
		return func(f *frame) point.Value { return step(&f.serial[i], x(f), f.time) }
	case filling, selecting:
		return c.value(e.args[0])
	case condition:
	}
	return func(*frame) point.Value { return point.Value{} }
}

// spec describes an aggregate, with the function over a series that may stand
// within it.
func (c *compiler) spec(e *call) aggSpec {
	s := aggSpec{fn: e.fn}
	arg := e.args[0]
	if _, all := arg.(star); all {
		s.arg = func(*frame) point.Value { return point.BoolOf(true) }
		return s
	}
	if len(e.args) > 1 {
		s.p, _ = number(e.args[1])
	}
	if e.fn == "rate" || e.fn == "irate" {
		s.fn, s.inner = "sum", e.fn
	} else if inner, ok := arg.(*call); ok {
		if f, _ := functionOf(inner.fn); f.class == serial || f.class == aggregate || f.class == selecting {
			s.inner, arg = inner.fn, inner.args[0]
		}
	}
	s.arg = c.raw(arg)
	return s
}

// test compiles a condition.
func (c *compiler) test(e expr) testFunc {
	if l, ok := e.(literal); ok {
		v := l.value.Bool()
		return func(*frame) bool { return v }
	}
	b := e.(binary) //nolint:forcetypeassert // check has refused the others
	switch b.op {
	case "&&":
		l, r := c.test(b.l), c.test(b.r)
		return func(f *frame) bool { return l(f) && r(f) }
	case "||":
		l, r := c.test(b.l), c.test(b.r)
		return func(f *frame) bool { return l(f) || r(f) }
	case "in":
		return c.in(b)
	case "=":
		return c.equals(b)
	case "!=":
		same := c.equals(b)
		return func(f *frame) bool { return !same(f) }
	}
	l, r, holds := c.raw(b.l), c.raw(b.r), relation(b.op)
	return func(f *frame) bool {
		n, ok := compare(l(f), r(f))
		return ok && holds(n)
	}
}

// relation returns what an operator says of a comparison.
func relation(op string) func(n int) bool {
	switch op {
	case "<":
		return func(n int) bool { return n < 0 }
	case "<=":
		return func(n int) bool { return n <= 0 }
	case ">":
		return func(n int) bool { return n > 0 }
	}
	return func(n int) bool { return n >= 0 }
}

func (c *compiler) in(b binary) testFunc {
	x, set := c.raw(b.l), newValueSet()
	for _, item := range b.r.(list).items { //nolint:forcetypeassert // the parser reads nothing else there
		set.add(item.(literal).value) //nolint:forcetypeassert // check has refused the others
	}
	return func(f *frame) bool { return set.has(x(f)) }
}

// A valueSet is the values of a list, found as equal finds them.
type valueSet struct {
	exact   map[valueKey]bool
	read    map[valueKey]bool // the numbers and bools that the texts in it hold
	strict  bool              // it has texts alone: a text is only itself
	scratch [2]valueKey
}

func newValueSet() *valueSet {
	return &valueSet{exact: map[valueKey]bool{}, read: map[valueKey]bool{}, strict: true}
}

func (s *valueSet) add(v point.Value) {
	s.exact[keyOf(v)] = true
	if v.Kind() != point.String {
		s.strict = false
		return
	}
	for _, k := range readings(v, s.scratch[:0]) {
		s.read[k] = true
	}
}

func (s *valueSet) has(v point.Value) bool {
	if k := keyOf(v); s.exact[k] || v.Kind() != point.String && s.read[k] {
		return true
	}
	if s.strict || v.Kind() != point.String {
		return false
	}
	for _, k := range readings(v, s.scratch[:0]) {
		if s.exact[k] {
			return true
		}
	}
	return false
}

// readings appends the number and the bool that a text holds.
func readings(v point.Value, to []valueKey) []valueKey {
	if n, ok := looseFloat(v); ok && n == n {
		to = append(to, keyOf(point.FloatOf(n)))
	}
	switch strings.ToLower(v.Text()) {
	case "true":
		to = append(to, keyOf(point.BoolOf(true)))
	case "false":
		to = append(to, keyOf(point.BoolOf(false)))
	}
	return to
}

func (c *compiler) equals(b binary) testFunc {
	x := c.raw(b.l)
	switch r := b.r.(type) {
	case pattern:
		return matches(x, r.re.MatchString)
	case *call:
		if f, _ := functionOf(r.fn); f.class == condition {
			return c.condition(x, r)
		}
	}
	y := c.raw(b.r)
	return func(f *frame) bool { return equal(x(f), y(f)) }
}

func (c *compiler) condition(x evalFunc, e *call) testFunc {
	if e.fn == "exists" {
		return func(f *frame) bool { return x(f).Kind() != point.Nil }
	}
	want := e.args[0].(literal).value.Text() //nolint:forcetypeassert // check has refused the others
	if e.fn == "wildcard" {
		expr := regexp.QuoteMeta(want)
		expr = strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(expr)
		return matches(x, regexp.MustCompile(`(?s)\A`+expr+`\z`).MatchString)
	}
	want = strings.ToLower(want)
	return matches(x, func(s string) bool { return strings.Contains(strings.ToLower(s), want) })
}

// matches tests the text of a value; what is no text is written as one.
func matches(x evalFunc, ok func(string) bool) testFunc {
	return func(f *frame) bool {
		v := x(f)
		return v.Kind() != point.Nil && ok(textOf(v))
	}
}

// textOf writes a value as a tag would.
func textOf(v point.Value) string {
	switch v.Kind() {
	case point.String:
		return v.Text()
	case point.Nil:
		return ""
	default:
		return v.String()
	}
}
