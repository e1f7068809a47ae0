package grok

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"sync"

	"datakit.dev/internal/pipeline/regex"
)

// A Pattern is a compiled grok expression. It never changes, and any number of
// goroutines may match with it at once.
type Pattern struct {
	captures []Capture
	groups   []int   // the group of the expression behind each capture
	search   *search // nil where only regexp can match
	// regexp compiles the expression for package regexp when first needed: it
	// takes longer than all the rest, and most patterns never need it.
	regexp func() *regexp.Regexp
	size   int // instructions of that
}

// maxShown bounds how much of an expression an error repeats.
const maxShown = 80

// Compile compiles a grok expression with the patterns of a set.
func Compile(pattern string, set *Set) (*Pattern, error) {
	def, err := expand(pattern, set.find)
	if err != nil {
		return nil, err
	}
	return set.work.once(def, newPattern)
}

func newPattern(def definition) (*Pattern, error) {
	tree, err := syntax.Parse(def.text, syntax.Perl)
	if err != nil {
		if bad, ok := errors.AsType[*syntax.Error](err); ok && len(bad.Expr) > maxShown {
			bad.Expr = bad.Expr[:maxShown] + "…"
		}
		return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	size := instructions(tree)
	if size > maxInstructions {
		return nil, fmt.Errorf("%w: more than %d instructions", ErrLimit, maxInstructions)
	}
	p := &Pattern{regexp: sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(def.text) // What parsed above does compile.
	}), size: size}
	p.name(tree.CapNames(), def.types)
	p.search = newSearch(tree, p.slots())
	return p, nil
}

// name lists the captures in the order in which their names appear. A name
// that appears more than once stands for its last group, as each writes its
// key over the one before.
func (p *Pattern) name(names []string, types map[string]Type) {
	for group, name := range names {
		if name == "" {
			continue
		}
		at := slices.IndexFunc(p.captures, func(c Capture) bool { return c.Name == name })
		if at >= 0 {
			p.groups[at] = group
			continue
		}
		p.captures = append(p.captures, Capture{Name: name, Type: types[name]})
		p.groups = append(p.groups, group)
	}
}

// slots maps each group that a match has to report to the place of its capture.
func (p *Pattern) slots() map[int]int {
	slots := make(map[int]int, len(p.groups))
	for slot, group := range p.groups {
		slots[group] = slot
	}
	return slots
}

// Captures returns what a match writes: every name once. The caller must not
// change it.
func (p *Pattern) Captures() []Capture { return p.captures }

// Match finds the leftmost match in text and appends the span of each capture
// to dst, in the order of Captures. Without a match it returns dst as it was
// and false. With room in dst it does not allocate, as long as package regexp
// need not help.
func (p *Pattern) Match(text string, dst []Span) ([]Span, bool) {
	if p.search != nil {
		spans, found := p.search.find(text, dst)
		if found != gaveUp {
			return spans, found == match
		}
	}
	return p.matchRegexp(text, dst)
}

// MatchWithin is Match that ends with the error of clock when the time is over.
func (p *Pattern) MatchWithin(text string, dst []Span, clock regex.Clock) ([]Span, bool, error) {
	if p.search != nil {
		spans, found := p.search.find(text, dst)
		if found != gaveUp {
			return spans, found == match, nil
		}
	}
	found, err := regex.Of(p.regexp(), p.size).FindSubmatch(text, clock)
	dst, ok := p.spans(found, dst)
	return dst, ok, err
}

// matchRegexp matches with package regexp, slower but linear whatever the text.
func (p *Pattern) matchRegexp(text string, dst []Span) ([]Span, bool) {
	return p.spans(p.regexp().FindStringSubmatchIndex(text), dst)
}

// spans appends the captures of what package regexp found.
func (p *Pattern) spans(found []int, dst []Span) ([]Span, bool) {
	if found == nil {
		return dst, false
	}
	for _, group := range p.groups {
		dst = append(dst, Span{Start: found[2*group], End: found[2*group+1]})
	}
	return dst, true
}
