package formats

import (
	"iter"
	"regexp"
	"slices"
	"strings"
)

// A divider divides texts at the matches of a regular expression. Most are a
// plain text, which is found ten times as fast without the expression.
type divider struct {
	plain string // or ""
	expr  *regexp.Regexp
}

// cost is about how many steps it takes to divide s.
func (d divider) cost(s string) int {
	if d.plain == "" {
		return 4 * len(s)
	}
	return len(s) / 8
}

// split yields the parts of s.
func (d divider) split(s string) iter.Seq[string] {
	if d.plain == "" {
		return slices.Values(d.expr.Split(s, -1))
	}
	return strings.SplitSeq(s, d.plain)
}

// cut returns what is before and after the first match in s, and whether there
// is one.
func (d divider) cut(s string) (before, after string, ok bool) {
	if d.plain != "" {
		return strings.Cut(s, d.plain)
	}
	parts := d.expr.Split(s, 2)
	if len(parts) != 2 {
		return s, "", false
	}
	return parts[0], parts[1], true
}
