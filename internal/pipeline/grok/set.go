package grok

import (
	_ "embed" // The built-in patterns are a pattern file.
	"errors"
	"fmt"
	"maps"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
)

// maxPatterns bounds what one set or one of its scopes holds.
const maxPatterns = 10_000

//go:embed builtin.patterns
var builtinPatterns string

// A Set holds patterns by name, expanded; the zero Set holds none. A compiled
// [Pattern] does not read it any more, and any number of goroutines may compile
// with it at once, but Add must not run beside any other call.
type Set struct {
	outer    *Set
	patterns map[string]definition
	work     *work // of all scopes within one set; nil for the outermost
}

// maxWork bounds the expressions that are compiled with one scope and those
// within it, as bytes of text with every reference replaced. The
// nginx pattern has 5 KiB, and takes a millisecond.
const maxWork = 512 << 10

// work is what has been compiled with a scope: a script of a megabyte that says
// one pattern twenty thousand times would take a minute otherwise.
type work struct {
	mu       sync.Mutex
	compiled map[string]*Pattern
	bytes    int
}

// once returns what build makes of a definition, or what it has made of it.
func (w *work) once(def definition, build func(definition) (*Pattern, error)) (*Pattern, error) {
	if w == nil {
		return build(def)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	key := def.key()
	if p := w.compiled[key]; p != nil {
		return p, nil
	}
	if w.bytes += len(def.text); w.bytes > maxWork {
		return nil, fmt.Errorf("%w: the patterns of the script have more than %d bytes together, with every reference replaced", ErrLimit, maxWork)
	}
	p, err := build(def)
	if err == nil {
		w.compiled[key] = p
	}
	return p, err
}

// NewSet returns the built-in patterns together with extra ones, given as name
// to pattern, which may refer to each other in any order. A built-in name keeps
// its built-in meaning.
//
// An error names every pattern that was refused; the set holds the others and
// is good to use, since one broken line must not take down every script.
func NewSet(extra map[string]string) (*Set, error) {
	builtin, err := parsePatterns(strings.NewReader(builtinPatterns))
	if err != nil {
		return nil, fmt.Errorf("built-in patterns: %w", err)
	}
	base, err := resolve(builtin, nil)
	if err != nil {
		return nil, fmt.Errorf("built-in patterns: %w", err)
	}
	if len(extra) > maxPatterns {
		return &Set{patterns: base}, fmt.Errorf("%w: %d patterns, at most %d", ErrLimit, len(extra), maxPatterns)
	}
	added, err := resolve(extra, base)
	err = errors.Join(err, dropMalformed(added))
	maps.Copy(added, base)
	return &Set{patterns: added}, err
}

// dropMalformed removes the patterns that are no regular expression: found
// here they are one error with the name in it, and not one in every script.
func dropMalformed(patterns map[string]definition) error {
	var refused []error
	for _, name := range slices.Sorted(maps.Keys(patterns)) {
		if _, err := syntax.Parse(patterns[name].text, syntax.Perl); err != nil {
			delete(patterns, name)
			refused = append(refused, fmt.Errorf("pattern %s: %w: %w", name, ErrSyntax, err))
		}
	}
	return errors.Join(refused...)
}

// Scope returns an empty set within s: it sees what s holds, and what is added
// to it hides the same name in s, without a change to s.
func (s *Set) Scope() *Set {
	inner := &Set{outer: s, work: s.work}
	if inner.work == nil {
		inner.work = &work{compiled: map[string]*Pattern{}}
	}
	return inner
}

// Add defines a pattern, which may refer to those that the set holds by now. A
// later change of these does not change it. A name that the set holds already
// gets the new meaning.
func (s *Set) Add(name, pattern string) error {
	if len(s.patterns) >= maxPatterns {
		return fmt.Errorf("add pattern %s: %w: at most %d patterns", name, ErrLimit, maxPatterns)
	}
	def, err := expand(pattern, s.find)
	if err != nil {
		return fmt.Errorf("add pattern %s: %w", name, err)
	}
	if s.patterns == nil {
		s.patterns = map[string]definition{}
	}
	s.patterns[name] = def
	return nil
}

// Names returns the names that the set holds, sorted, without those of the
// sets around it.
func (s *Set) Names() []string { return slices.Sorted(maps.Keys(s.patterns)) }

func (s *Set) find(name string) (definition, error) {
	for set := s; set != nil; set = set.outer {
		if def, ok := set.patterns[name]; ok {
			return def, nil
		}
	}
	return definition{}, fmt.Errorf("%w %%{%s}", ErrUnknown, name)
}
