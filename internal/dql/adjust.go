package dql

import (
	"strings"
	"time"

	"datakit.dev/internal/diag"
)

// An Adjustment is what a request says beside the text of its query. A zero
// changes nothing.
type Adjustment struct {
	Conditions  string // more filters, as AND
	From, To    time.Time
	MaxDuration time.Duration
	MaxPoints   int // of one group with buckets
	Limit       *int
	Offset      *int
	SLimit      *int
	SOffset     *int
	OrderBy     []Order
}

// An Order is one column of ORDER BY.
type Order struct {
	Column string
	Desc   bool
}

// Adjust returns q with a applied over it, or what is wrong with a's conditions.
func (q *Query) Adjust(a Adjustment) (*Query, diag.List) {
	out := *q
	if strings.TrimSpace(a.Conditions) != "" {
		more, bad := parseConditions(a.Conditions)
		if bad != nil {
			return nil, bad
		}
		if out.filter = more; q.filter != nil && more != nil {
			out.filter = binary{op: "&&", l: q.filter, r: more}
		}
	}
	if !a.From.IsZero() {
		out.span.from = instant{set: true, at: a.From}
		out.span.to = instant{}
	}
	if !a.To.IsZero() {
		out.span.to = instant{set: true, at: a.To}
	}
	if a.MaxDuration > 0 && (!out.span.from.set || out.span.from.at.IsZero() && out.span.from.ago > a.MaxDuration) {
		out.span.from = instant{set: true, ago: a.MaxDuration}
	}
	for _, n := range []struct {
		set  *int
		to   *int
		most int
	}{{a.Limit, &out.limit, maxLimit}, {a.Offset, &out.offset, 1 << 30}, {a.SLimit, &out.slimit, maxGroups}, {a.SOffset, &out.soffset, 1 << 30}} {
		if n.set != nil {
			*n.to = min(max(*n.set, 0), n.most)
		}
	}
	if len(a.OrderBy) > 0 {
		out.order = nil
		for _, o := range a.OrderBy[:min(len(a.OrderBy), maxBy)] {
			out.order = append(out.order, order{name: name{text: o.Column}, desc: o.Desc})
		}
	}
	out.maxPoints = max(a.MaxPoints, 0)
	return &out, nil
}

// parseConditions parses what stands between { and }.
func parseConditions(text string) (e expr, bad diag.List) {
	if len(text) > maxQuery {
		bad.Add(diag.Position{}, "conditions have at most %d bytes", maxQuery)
		return nil, bad
	}
	text = strings.ToValidUTF8(text, "\ufffd")
	bad = catch(text, func() {
		p := &parser{scan: scanner{src: text}}
		p.advance()
		e = p.filter("")
		p.end()
		checkFilter(e)
	})
	return e, bad
}
