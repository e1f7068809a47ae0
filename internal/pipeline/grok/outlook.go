package grok

import "regexp/syntax"

// What an expression can meet first depends, because of \b and ^, on what is
// before it: anything, or for certain a word character.
const (
	afterAny = iota
	afterWord
	contexts
)

// ahead is the set of symbols that a continuation can meet first and still
// match, by what is before it. It may name a symbol too many, never one too few.
type ahead [contexts]symbols

// anything is ahead where the expression ends.
func anything() ahead { return ahead{allSymbols(), allSymbols()} }

// An outlook is the share of one expression in that set: the symbols that it
// meets itself, and those that it lets its continuation meet since it can
// match nothing there.
type outlook struct{ own, pass symbols }

// outlooks is an outlook by what is before the expression.
type outlooks [contexts]outlook

// before returns what the expression followed by a continuation can meet.
func (o outlooks) before(follow ahead) ahead {
	for i := range follow {
		follow[i] = o[i].own.or(o[i].pass.and(follow[i]))
	}
	return follow
}

// then is the outlook of o followed by p.
func (o outlooks) then(p outlooks) outlooks {
	for i := range o {
		o[i].own = o[i].own.or(o[i].pass.and(p[i].own))
		o[i].pass = o[i].pass.and(p[i].pass)
	}
	return o
}

// or is the outlook of a choice between o and p.
func (o outlooks) or(p outlooks) outlooks {
	for i := range o {
		o[i].own = o[i].own.or(p[i].own)
		o[i].pass = o[i].pass.or(p[i].pass)
	}
	return o
}

// emptyOutlook is that of an expression that always matches nothing.
func emptyOutlook() outlooks {
	all := outlook{pass: allSymbols()}
	return outlooks{all, all}
}

// consuming is the outlook of an expression that begins with one of s.
func consuming(s symbols) outlooks { return outlooks{{own: s}, {own: s}} }

// assertionOutlook says where an assertion can hold: what it lets pass.
func assertionOutlook(op syntax.Op) outlooks {
	all, word := allSymbols(), wordSymbols()
	var passes ahead
	switch op {
	case syntax.OpBeginLine, syntax.OpBeginText:
		passes = ahead{all, {}}
	case syntax.OpEndText:
		end := symbolsWhere(func(symbol int) bool { return symbol == endOfText })
		passes = ahead{end, end}
	case syntax.OpEndLine:
		end := symbolsWhere(func(symbol int) bool { return symbol == endOfText || symbol == '\n' })
		passes = ahead{end, end}
	case syntax.OpWordBoundary:
		passes = ahead{all, symbolsWhere(func(symbol int) bool { return !word.has(symbol) })}
	default: // syntax.OpNoWordBoundary
		passes = ahead{all, word}
	}
	return outlooks{{pass: passes[afterAny]}, {pass: passes[afterWord]}}
}
