package dql

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// The bounds of regular expressions: of the text of one, and of the states that
// all of a query have together. Their time grows with the states times the text:
// ((a{9}){9}){9} has a thousand, and a query has room for a million.
const (
	maxPattern = 4 << 10
	maxStates  = 5000
)

// regex compiles a regular expression within the bounds.
func (p *parser) regex(s string, at int) *regexp.Regexp {
	if len(s) > maxPattern {
		p.fail(at, "a regular expression has at most %d bytes", maxPattern)
	}
	tree, err := syntax.Parse(s, syntax.Perl)
	if err != nil {
		p.fail(at, "this regular expression does not compile: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	p.spend(states(tree), at)
	re, err := regexp.Compile(s)
	if err != nil {
		p.fail(at, "this regular expression does not compile: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re
}

// states returns about how many states an expression has once its repetitions are
// written out, or some number above the bound.
func states(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	if re.Op == syntax.OpCharClass {
		n = 1 + len(re.Rune)/32 // a state takes all of them, and looks for one
	}
	for _, sub := range re.Sub {
		n = min(n+states(sub), maxStates+1)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, maxStates+1)
}

// spend counts the states of an expression.
func (p *parser) spend(n, at int) {
	if p.states += n; p.states > maxStates {
		p.fail(at, "the patterns of the query have more than %d states: make them shorter, or repeat less", maxStates)
	}
}

// wildcard counts the states of wildcard('…'), which becomes a regular expression.
func (p *parser) wildcard(c *call) {
	for _, a := range c.args {
		if l, ok := a.(literal); ok {
			p.spend(len(l.value.Text()), l.at)
		}
	}
}

// hasPattern reports whether a condition may take long for one row: it looks at
// the whole of a text, in more than one way.
func hasPattern(e expr) bool {
	switch e := e.(type) {
	case pattern:
		return true
	case *call:
		f, _ := functionOf(e.fn)
		return f.class == condition && e.fn != "exists"
	case unary:
		return hasPattern(e.x)
	case binary:
		return hasPattern(e.l) || hasPattern(e.r)
	}
	return false
}
