package dql

import (
	"regexp"
	"time"

	"datakit.dev/internal/point"
)

// A Query is a query that was parsed and checked.
type Query struct {
	space   Namespace
	sources []source
	targets []target // none means all
	filter  expr     // nil takes every point
	span    span
	by      []name
	order   []order
	limit   int // -1 where there is none
	offset  int
	slimit  int
	soffset int
	zone    *time.Location // nil means UTC
	show    *show          // instead of all but filter, span, limit and offset

	maxPoints int // of a group with buckets, which are widened to keep it; 0 is no bound
}

// A source is one data source: a name, a pattern, or all.
type source struct {
	name string
	re   *regexp.Regexp
	all  bool
}

// A target is one column of the answer.
type target struct {
	expr  expr
	alias string
}

// A name is a field or a tag.
type name struct {
	text string
	at   int
}

type order struct {
	name name
	desc bool
}

// A span is the time of a query, and the width of its buckets.
type span struct {
	from, to instant
	bucket   time.Duration
	auto     bool // the width follows from the time
}

// An instant is a point in time, or so long ago.
type instant struct {
	set bool
	ago time.Duration
	at  time.Time // where not zero
}

func (i instant) resolve(now time.Time) time.Time {
	if !i.at.IsZero() {
		return i.at
	}
	return now.Add(-i.ago)
}

// A show is a query about what there is.
type show struct {
	call *call
	fn   showFunction
}

// An expr is one of the types below.
type expr interface{ offset() int }

type (
	// nameExpr is a field or a tag.
	nameExpr struct{ name }
	// literal is a number, a string, a bool or nil.
	literal struct {
		value point.Value
		at    int
	}
	// pattern is a regular expression.
	pattern struct {
		re *regexp.Regexp
		at int
	}
	// list is […].
	list struct {
		items []expr
		at    int
	}
	// star is *.
	star struct{ at int }
	// word is a keyword that stands as an argument: LINEAR.
	word struct {
		text string
		at   int
	}
	unary struct {
		x  expr
		at int
	}
	binary struct {
		op   string
		l, r expr
		at   int
	}
	call struct {
		fn    string // in small letters
		args  []expr
		named []named
		alias string // of the first argument, within fill()
		at    int
	}
	named struct {
		key   string
		value expr
	}
)

func (n nameExpr) offset() int { return n.at }
func (l literal) offset() int  { return l.at }
func (p pattern) offset() int  { return p.at }
func (l list) offset() int     { return l.at }
func (s star) offset() int     { return s.at }
func (w word) offset() int     { return w.at }
func (u unary) offset() int    { return u.at }
func (b binary) offset() int   { return b.at }
func (c *call) offset() int    { return c.at }
