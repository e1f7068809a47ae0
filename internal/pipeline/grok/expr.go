package grok

import (
	"regexp/syntax"
	"slices"
)

// An expr is a regular expression prepared for the matcher: with only those
// groups that a caller asks for, repeated characters as one run, and with what
// each part can begin with.
type expr interface {
	// outlooks is a field's read, not a walk: build asks for it on every level.
	outlooks() outlooks
	// build makes the nodes that match the expression and then continue with
	// next, which can begin with follow.
	build(b *builder, next node, follow ahead) node
	// nullable reports whether the expression may match nothing.
	nullable() bool
	// anchored reports whether it matches at the begin of the text only.
	anchored() bool
	// required adds the literals that are in every match, in their order.
	required(literals []string) []string
}

// unbounded is the most of a repetition without an upper bound.
const unbounded = -1

type (
	// never matches nowhere.
	never struct{}
	// literal matches its bytes, which are valid UTF-8.
	literal string
	// run matches min to max members of a charset.
	run struct {
		set      *charset
		min, max int
		lazy     bool
	}
	// assertion matches nothing, at places of one kind.
	assertion struct {
		op  syntax.Op
		out outlooks
	}
	// group captures what its body matches.
	group struct {
		slot int
		body expr
	}
	// sequence matches its parts one after the other; without parts, nothing.
	sequence struct {
		parts []expr
		out   outlooks
	}
	// alternation matches the first of its branches that leads to a match.
	alternation struct {
		branches []expr
		out      outlooks
	}
	// repetition matches its body min to max times.
	repetition struct {
		body     expr
		min, max int
		lazy     bool
		out      outlooks
	}
)

func newAssertion(op syntax.Op) assertion { return assertion{op, assertionOutlook(op)} }

// newSequence takes sequences within apart and joins literals that became
// neighbours, so that they are compared and searched for as one.
func newSequence(parts []expr) expr {
	joined := make([]expr, 0, len(parts))
	for _, part := range flatten(parts) {
		text, ok := part.(literal)
		if last := len(joined) - 1; ok && last >= 0 {
			if before, ok := joined[last].(literal); ok {
				joined[last] = before + text
				continue
			}
		}
		joined = append(joined, part)
	}
	if len(joined) == 1 {
		return joined[0]
	}
	out := emptyOutlook()
	for _, part := range slices.Backward(joined) {
		out = part.outlooks().then(out)
	}
	return sequence{joined, out}
}

func flatten(parts []expr) []expr {
	flat := make([]expr, 0, len(parts))
	for _, part := range parts {
		if s, ok := part.(sequence); ok {
			flat = append(flat, s.parts...)
		} else {
			flat = append(flat, part)
		}
	}
	return flat
}

func newAlternation(branches []expr) expr {
	var out outlooks
	for _, branch := range branches {
		out = out.or(branch.outlooks())
	}
	return alternation{branches, out}
}

// newRepetition repeats a single character as a run, anything else in general.
func newRepetition(body expr, least, most int, lazy bool) expr {
	if most == 0 {
		return newSequence(nil)
	}
	if least == 1 && most == 1 {
		return body
	}
	if one, ok := body.(run); ok && one.min == 1 && one.max == 1 {
		return run{one.set, least, most, lazy}
	}
	out := body.outlooks()
	if least == 0 {
		out = out.or(emptyOutlook())
	}
	return repetition{body, least, most, lazy, out}
}

func (never) outlooks() outlooks         { return outlooks{} }
func (l literal) outlooks() outlooks     { return consuming(symbolsOf(l[0])) }
func (a assertion) outlooks() outlooks   { return a.out }
func (g group) outlooks() outlooks       { return g.body.outlooks() }
func (s sequence) outlooks() outlooks    { return s.out }
func (a alternation) outlooks() outlooks { return a.out }
func (r repetition) outlooks() outlooks  { return r.out }
func (r run) outlooks() outlooks {
	out := consuming(r.set.first)
	if r.min == 0 {
		out = out.or(emptyOutlook())
	}
	return out
}

func (never) nullable() bool        { return false }
func (literal) nullable() bool      { return false }
func (r run) nullable() bool        { return r.min == 0 }
func (assertion) nullable() bool    { return true }
func (g group) nullable() bool      { return g.body.nullable() }
func (r repetition) nullable() bool { return r.min == 0 || r.body.nullable() }
func (s sequence) nullable() bool {
	for _, part := range s.parts {
		if !part.nullable() {
			return false
		}
	}
	return true
}

func (a alternation) nullable() bool {
	for _, branch := range a.branches {
		if branch.nullable() {
			return true
		}
	}
	return false
}

func (never) anchored() bool        { return false }
func (literal) anchored() bool      { return false }
func (run) anchored() bool          { return false }
func (a assertion) anchored() bool  { return a.op == syntax.OpBeginText }
func (g group) anchored() bool      { return g.body.anchored() }
func (r repetition) anchored() bool { return r.min > 0 && r.body.anchored() }
func (s sequence) anchored() bool {
	for _, part := range s.parts {
		if part.anchored() {
			return true
		}
		if _, ok := part.(assertion); !ok {
			return false
		}
	}
	return false
}

func (a alternation) anchored() bool {
	for _, branch := range a.branches {
		if !branch.anchored() {
			return false
		}
	}
	return len(a.branches) > 0
}

func (never) required(literals []string) []string       { return literals }
func (l literal) required(literals []string) []string   { return append(literals, string(l)) }
func (run) required(literals []string) []string         { return literals }
func (assertion) required(literals []string) []string   { return literals }
func (alternation) required(literals []string) []string { return literals }
func (g group) required(literals []string) []string     { return g.body.required(literals) }
func (s sequence) required(literals []string) []string {
	for _, part := range s.parts {
		literals = part.required(literals)
	}
	return literals
}

func (r repetition) required(literals []string) []string {
	if r.min == 0 {
		return literals
	}
	return r.body.required(literals)
}
