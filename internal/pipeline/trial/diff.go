package trial

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"datakit.dev/internal/point"
)

// Diff writes what became of the point as people read it: a line for each tag
// and field, with + where the script made it and - where it took it away.
func (o *Outcome) Diff(w io.Writer, category point.Category) {
	fmt.Fprintf(w, "--- before: %s %s\n+++ after:  %s %s\n", category, Quote(o.Before.Name), category, Quote(o.After.Name))
	compare(w, lines(&o.Before), lines(&o.After))
	if o.Dropped {
		fmt.Fprintln(w, "dropped: the point goes no further")
	}
	for _, c := range o.Created {
		fmt.Fprintf(w, "+++ created: %s %s\n", c.Category, Quote(c.Point.Name))
		compare(w, nil, lines(c.Point))
	}
}

// A line is one tag, field or time of a point.
type line struct{ kind, key, value string }

// lines returns the lines of p in order.
func lines(p *point.Point) []line {
	var out []line
	for _, t := range p.Tags {
		out = append(out, line{"tag", t.Key, Quote(t.Value)})
	}
	for _, f := range p.Fields {
		out = append(out, line{"field", f.Key, Show(f.Value)})
	}
	if p.Time != 0 {
		out = append(out, line{"time", "", time.Unix(0, p.Time).UTC().Format(time.RFC3339Nano)})
	}
	slices.SortFunc(out, order)
	return out
}

// order puts the tags first, the time last, and each of them by key.
func order(a, b line) int {
	rank := func(l line) int { return strings.Index("tag field time", l.kind) }
	if c := rank(a) - rank(b); c != 0 {
		return c
	}
	return strings.Compare(a.key, b.key)
}

func compare(w io.Writer, was, is []line) {
	width := 0
	for _, l := range slices.Concat(was, is) {
		width = max(width, len([]rune(name(l.key))))
	}
	write := func(sign string, l line) {
		fmt.Fprintf(w, "%s %-5s %-*s  %s\n", sign, l.kind, min(width, 40), name(l.key), l.value)
	}
	for len(was) > 0 || len(is) > 0 {
		switch {
		case len(is) == 0 || len(was) > 0 && order(was[0], is[0]) < 0:
			write("-", was[0])
			was = was[1:]
		case len(was) == 0 || order(was[0], is[0]) > 0:
			write("+", is[0])
			is = is[1:]
		case was[0] == is[0]:
			write(" ", is[0])
			was, is = was[1:], is[1:]
		default:
			write("-", was[0])
			write("+", is[0])
			was, is = was[1:], is[1:]
		}
	}
}

// name returns a key as a script would have to write it.
func name(key string) string {
	plain := strings.IndexFunc(key, func(r rune) bool {
		return r <= ' ' || r == 0x7f || r == '"' || r == '`' || r >= 0x80 && r < 0xa0 || r == 0xfffd
	}) < 0
	if plain {
		return key
	}
	return Quote(key)
}
