package dql

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// units are those of a duration.
func units() []string { return []string{"ns", "us", "ms", "s", "m", "h", "d", "w", "y"} }

// unitOf returns the length of a unit; a year has 365 days.
func unitOf(s string) time.Duration {
	const day = 24 * time.Hour
	switch s {
	case "ns":
		return 1
	case "us":
		return time.Microsecond
	case "ms":
		return time.Millisecond
	case "s":
		return time.Second
	case "m":
		return time.Minute
	case "h":
		return time.Hour
	case "d":
		return day
	case "w":
		return 7 * day
	}
	return 365 * day
}

func (p *parser) durationOf(t token) time.Duration {
	digits := strings.TrimRight(t.text, "nusmhdwy")
	n, err := strconv.ParseFloat(digits, 64)
	ns := n * float64(unitOf(t.text[len(digits):]))
	if err != nil || ns >= math.MaxInt64 {
		p.fail(t.pos, "%s is too long a time", quote(t.text))
	}
	return time.Duration(ns)
}

// LatestMilli is the latest time that a query can name, in milliseconds.
const LatestMilli = math.MaxInt64 / int64(time.Millisecond)

// ParseDuration returns the duration that text writes as a query does: 5m, 1d.
func ParseDuration(text string) (d time.Duration, err error) {
	bad := catch(text, func() {
		p := &parser{scan: scanner{src: text}}
		p.advance()
		if p.tok.kind != tokDuration {
			p.fail(p.tok.pos, "expected a duration such as 5m, got %s", p.tok.describe())
		}
		d = p.durationOf(p.tok)
		p.advance()
		p.end()
	})
	if bad != nil {
		return 0, errors.New(bad[0].Message)
	}
	return d, nil
}

// span parses [from:to:bucket], each part of which may be missing. The current
// token is the opening bracket; the closing one is left current.
func (p *parser) span() (s span) {
	open := p.tok.pos
	for part := range 3 {
		p.tok = p.scan.instant()
		if p.is(":") || p.is("]") || p.is("::") {
			// This part is missing.
		} else {
			p.spanPart(&s, part)
		}
		if p.is("::") && part < 2 { // the part between is missing
			if part == 0 {
				p.tok = p.scan.instant()
				p.bucketThenEnd(&s)
				return s
			}
			p.fail(p.tok.pos, "a time has three parts at most: [from:to:bucket]")
		}
		if p.is("]") {
			p.checkSpan(s, open)
			return s
		}
		if !p.is(":") {
			p.fail(p.tok.pos, "expected \":\" or \"]\" in the time, got %s", p.tok.describe())
		}
	}
	p.fail(p.tok.pos, "a time has three parts at most: [from:to:bucket]")
	return s
}

func (p *parser) bucketThenEnd(s *span) {
	if !p.is("]") {
		p.spanPart(s, 2)
	}
	if !p.is("]") {
		p.fail(p.tok.pos, "expected \"]\" after the time, got %s", p.tok.describe())
	}
}

// spanPart takes one part of a time, and leaves the token behind it current.
func (p *parser) spanPart(s *span, part int) {
	if part < 2 {
		i := p.instantOf(p.tok)
		if part == 0 {
			s.from = i
		} else {
			s.to = i
		}
		p.advance()
		return
	}
	switch {
	case p.isWord("auto"):
		s.auto = true
	case p.tok.kind == tokDuration:
		if s.bucket = p.durationOf(p.tok); s.bucket <= 0 {
			p.fail(p.tok.pos, "a bucket of no width holds nothing")
		}
	default:
		p.fail(p.tok.pos, "expected the width of a bucket such as 1m, or AUTO, got %s", p.tok.describe())
	}
	p.advance()
}

func (p *parser) checkSpan(s span, at int) {
	a, b := s.from, s.to
	if a.set && b.set && (a.at.IsZero() && b.at.IsZero() && a.ago < b.ago || !a.at.IsZero() && !b.at.IsZero() && b.at.Before(a.at)) {
		p.fail(at, "this time ends before it begins: the older end stands first, as in [10m:5m]")
	}
}

// instantOf returns the time that a token says: so long ago, a date in UTC, or
// milliseconds since 1970.
func (p *parser) instantOf(t token) instant {
	switch t.kind {
	case tokDuration:
		return instant{set: true, ago: p.durationOf(t)}
	case tokDate:
		layout := time.DateTime
		if len(t.text) == len(time.DateOnly) {
			layout = time.DateOnly
		}
		at, err := time.Parse(layout, t.text)
		if err != nil || at.Year() < 1678 || at.Year() > 2261 { // what nanoseconds can say
			p.fail(t.pos, "%s is no date", quote(t.text))
		}
		return instant{set: true, at: at}
	case tokInt:
		n, err := strconv.ParseInt(t.text, 10, 64)
		if err != nil || n > LatestMilli {
			p.fail(t.pos, "%s is too late a time", quote(t.text))
		}
		return instant{set: true, at: time.UnixMilli(n)}
	case tokEOF, tokName, tokString, tokRegex, tokFloat, tokOp:
	}
	p.fail(t.pos, "expected a time such as 5m or 2006-01-02 15:04:05, got %s", t.describe())
	return instant{}
}

// zone parses the argument of tz(): an offset in hours, or a place.
func (p *parser) zone() *time.Location {
	p.expect("(", "after tz")
	t := p.tok
	sign := 1
	if p.eat("-") {
		sign = -1
	} else {
		p.eat("+")
	}
	at := p.tok
	p.advance()
	p.expect(")", "after the time zone")
	switch n, err := strconv.Atoi(at.text); {
	case at.kind == tokInt && err == nil && n <= 14:
		return time.FixedZone(offsetName(sign*n), sign*n*3600)
	case at.kind == tokString && at.pos == t.pos:
		return p.place(at)
	}
	p.fail(t.pos, "expected a time zone such as +8 or 'Asia/Shanghai'")
	return nil
}

func (p *parser) place(t token) *time.Location {
	if n, err := strconv.Atoi(t.text); err == nil && n >= -12 && n <= 14 {
		return time.FixedZone(offsetName(n), n*3600)
	}
	loc, err := time.LoadLocation(t.text)
	if err != nil || t.text == "" || strings.EqualFold(t.text, "local") {
		p.fail(t.pos, "this host knows no time zone %s; an offset such as tz(+8) works everywhere", quote(t.text))
	}
	return loc
}

func offsetName(hours int) string {
	s := strconv.Itoa(hours)
	if hours >= 0 {
		s = "+" + s
	}
	return s
}
