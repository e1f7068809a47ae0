package dql

import (
	"fmt"
	"slices"

	"datakit.dev/internal/point"
)

// check refuses what the grammar allows and means nothing. It panics with a
// syntaxError as the parser does.
func (q *Query) check() {
	if q.filter != nil {
		checkFilter(q.filter)
	}
	if q.show != nil {
		q.checkShow()
		return
	}
	for i := range q.targets {
		q.targets[i] = hoistAlias(q.targets[i])
		t := q.targets[i]
		if _, all := t.expr.(star); all {
			continue
		}
		checkTarget(t.expr, nil)
	}
	q.checkSelecting()
	q.checkMode()
}

func refuse(e expr, format string, args ...any) {
	panic(syntaxError{e.offset(), fmt.Sprintf(format, args...)})
}

// hoistAlias gives a target the alias that stands within its fill().
func hoistAlias(t target) target {
	if c, ok := t.expr.(*call); ok && t.alias == "" {
		t.alias = c.alias
	}
	return t
}

// checkTarget checks an expression that stands within the functions outer, the
// nearest last.
func checkTarget(e expr, outer []class) {
	switch e := e.(type) {
	case nameExpr, literal:
	case unary:
		checkTarget(e.x, outer)
	case binary:
		if !slices.Contains([]string{"+", "-", "*", "/", "%", "^"}, e.op) {
			refuse(e, "a condition stands in {…}, not among the targets")
		}
		inner := append(slices.Clone(outer), scalar)
		checkTarget(e.l, inner)
		checkTarget(e.r, inner)
	case *call:
		checkCall(e, outer)
	case star:
		refuse(e, "* stands alone, or in count(*)")
	case pattern:
		refuse(e, "a regular expression stands in a filter")
	case list:
		refuse(e, "a list stands behind IN")
	case word:
		refuse(e, "%s stands in fill()", quote(e.text))
	}
}

func checkCall(c *call, outer []class) {
	f, ok := functionOf(c.fn)
	if !ok {
		var names []string
		for _, f := range Functions() {
			names = append(names, f.Name)
		}
		refuse(c, "there is no function %s%s", quote(c.fn), similar(c.fn, names))
	}
	if len(c.named) > 0 {
		refuse(c, "%s takes no argument with a name", c.fn)
	}
	if len(c.args) < f.least || len(c.args) > f.most {
		refuse(c, "expected %s(%s), got %d arguments", f.Name, f.Args, len(c.args))
	}
	checkPlace(c, f, outer)
	checkArguments(c, f)
	if s, ok := c.args[0].(star); ok {
		if c.fn != "count" {
			refuse(s, "* stands in count(*) alone")
		}
		return
	}
	checkTarget(c.args[0], append(slices.Clone(outer), f.class))
}

// checkPlace refuses a function in a place where it has no meaning.
func checkPlace(c *call, f Function, outer []class) {
	nearest := class(0)
	if len(outer) > 0 {
		nearest = outer[len(outer)-1]
	}
	within := func(k class) bool { return slices.Contains(outer, k) }
	switch f.class {
	case condition:
		refuse(c, "%s() stands in a filter, on the right of = or !=", f.Name)
	case filling:
		if len(outer) > 0 {
			refuse(c, "fill() must be the outermost function")
		}
	case selecting:
		if len(outer) > 0 && (f.Name != "distinct" || nearest != aggregate) {
			refuse(c, "%s() makes several rows, so nothing can stand around it", f.Name)
		}
	case aggregate:
		checkAggregate(c, within(aggregate), nearest == aggregate, within(selecting))
	case serial:
		checkSerial(c, within(serial) || within(selecting), within(aggregate) && nearest != aggregate)
	case scalar:
	}
}

func checkAggregate(c *call, nested, directly, selected bool) {
	perSeries := c.fn == "rate" || c.fn == "irate"
	if nested && (!directly || !perSeries) {
		refuse(c, "%s() within another aggregate has one value to work on", c.fn)
	}
	if selected {
		refuse(c, "%s() cannot stand within a function that makes several rows", c.fn)
	}
}

func checkSerial(c *call, nested, apart bool) {
	if nested {
		refuse(c, "%s() cannot stand within another function over a series", c.fn)
	}
	if apart {
		refuse(c, "%s() must stand directly within the aggregate", c.fn)
	}
}

// checkArguments checks the arguments behind the first, and makes a name of a
// string where a field is expected.
func checkArguments(c *call, f Function) {
	if len(c.args) == 0 {
		return
	}
	if l, ok := c.args[0].(literal); ok && l.value.Kind() == point.String {
		c.args[0] = nameExpr{name{l.value.Text(), l.at}}
	}
	checkNumbers(c, f)
}

// checkNumbers checks the arguments that are no field.
func checkNumbers(c *call, f Function) {
	switch f.Name {
	case "percentile":
		if p, ok := number(c.args[1]); !ok || p < 0 || p > 100 {
			refuse(c.args[1], "expected a percentage from 0 to 100")
		}
	case "top", "bottom":
		if n, ok := number(c.args[1]); !ok || n < 1 || n > maxLimit || n != float64(int(n)) {
			refuse(c.args[1], "expected a number of rows from 1 to %d", maxLimit)
		}
	case "histogram":
		checkHistogram(c)
	case "fill":
		switch a := c.args[1].(type) {
		case literal, word:
		default:
			refuse(a, "expected a value, LINEAR or PREVIOUS")
		}
	}
}

func checkHistogram(c *call) {
	var n [5]float64
	for i, a := range c.args[1:] {
		var ok bool
		if n[i], ok = number(a); !ok {
			refuse(a, "expected a number")
		}
	}
	if n[2] <= 0 || n[1] <= n[0] || (n[1]-n[0])/n[2] > maxGroups {
		refuse(c, "histogram(%s) needs from below to, and a width that makes at most %d intervals", "f, from, to, width", maxGroups)
	}
}

func number(e expr) (float64, bool) {
	l, ok := e.(literal)
	if !ok {
		return 0, false
	}
	return toFloat(l.value)
}

// checkSelecting refuses what cannot stand beside a function that makes rows.
func (q *Query) checkSelecting() {
	c := q.selecting()
	if c == nil {
		return
	}
	for _, t := range q.targets {
		if t.expr == expr(c) {
			continue
		}
		_, plain := t.expr.(nameExpr)
		if !plain || c.fn != "top" && c.fn != "bottom" {
			refuse(t.expr, "this cannot stand beside %s(); beside top() and bottom() there can be fields", c.fn)
		}
	}
	if q.span.bucket > 0 || q.span.auto {
		refuse(c, "%s() cannot be used with buckets", c.fn)
	}
}

// selecting returns the target that makes rows, or nil.
func (q *Query) selecting() *call {
	for _, t := range q.targets {
		if c, ok := t.expr.(*call); ok {
			if f, _ := functionOf(c.fn); f.class == selecting {
				return c
			}
		}
	}
	return nil
}

// aggregates reports whether the rows of the answer are not those of the points.
func (q *Query) aggregates() bool {
	if q.span.bucket > 0 || q.span.auto {
		return true
	}
	return slices.ContainsFunc(q.targets, func(t target) bool { return has(t.expr, aggregate) })
}

// checkMode refuses functions over the points of a series beside aggregates of
// all of them: there is no row for both.
func (q *Query) checkMode() {
	if !q.aggregates() || q.span.bucket > 0 || q.span.auto {
		return
	}
	for _, t := range q.targets {
		if has(t.expr, serial) && !has(t.expr, aggregate) {
			refuse(t.expr, "this has a value a point, and its neighbour has one for all: give the time a bucket, as in [1h::1m]")
		}
	}
}

// has reports whether a function of a class is called in e.
func has(e expr, want class) bool {
	switch e := e.(type) {
	case unary:
		return has(e.x, want)
	case binary:
		return has(e.l, want) || has(e.r, want)
	case *call:
		f, _ := functionOf(e.fn)
		return f.class == want || slices.ContainsFunc(e.args, func(a expr) bool { return has(a, want) })
	}
	return false
}

// checkFilter checks a condition.
func checkFilter(e expr) {
	b, ok := e.(binary)
	if l, isLiteral := e.(literal); isLiteral && l.value.Kind() == point.Bool {
		return
	}
	if !ok {
		refuse(e, noCondition)
	}
	switch b.op {
	case "&&", "||":
		checkFilter(b.l)
		checkFilter(b.r)
	case "in":
		checkOperand(b.l)
		for _, item := range b.r.(list).items { //nolint:forcetypeassert // the parser reads nothing else there
			if _, ok := item.(literal); !ok {
				refuse(item, "expected a number or a string in the list")
			}
		}
	case "=", "!=":
		checkOperand(b.l)
		checkRight(b.r)
	case "<", "<=", ">", ">=":
		checkOperand(b.l)
		checkOperand(b.r)
	default:
		refuse(e, noCondition)
	}
}

const noCondition = "expected a condition such as host = 'a', or usage > 5"

// checkRight checks what stands on the right of = or !=.
func checkRight(e expr) {
	switch e := e.(type) {
	case pattern:
		return
	case *call:
		f, ok := functionOf(e.fn)
		if ok && f.class == condition {
			if len(e.args) != f.least {
				refuse(e, "expected %s(%s)", f.Name, f.Args)
			}
			for _, a := range e.args {
				if l, ok := a.(literal); !ok || l.value.Kind() != point.String {
					refuse(a, "expected a string")
				}
			}
			return
		}
	}
	checkOperand(e)
}

// checkOperand checks a value within a condition.
func checkOperand(e expr) {
	switch e := e.(type) {
	case nameExpr, literal:
	case unary:
		checkOperand(e.x)
	case binary:
		if !slices.Contains([]string{"+", "-", "*", "/", "%", "^"}, e.op) {
			refuse(e, "a comparison has no value to compute with: write brackets around the conditions")
		}
		checkOperand(e.l)
		checkOperand(e.r)
	case *call:
		f, ok := functionOf(e.fn)
		if !ok || f.class != scalar {
			refuse(e, "%s() cannot stand in a filter here", e.fn)
		}
		if len(e.args) != 1 {
			refuse(e, "expected %s(%s)", f.Name, f.Args)
		}
		checkOperand(e.args[0])
	default:
		refuse(e, "expected a name or a value")
	}
}
