package grok

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxNesting bounds a chain of patterns that each refer to the next.
const maxNesting = 100

// resolve expands patterns that refer to each other in any order, and to those
// of base, which win over patterns of the same name. The error names every
// pattern that was left out.
func resolve(patterns map[string]string, base map[string]definition) (map[string]definition, error) {
	r := resolver{patterns: patterns, base: base, done: map[string]definition{}, failed: map[string]error{}}
	var refused []error
	for _, name := range slices.Sorted(maps.Keys(patterns)) {
		if _, builtin := base[name]; builtin {
			continue
		}
		if _, err := r.find(name); err != nil {
			refused = append(refused, fmt.Errorf("pattern %s: %w", name, err))
		}
	}
	return r.done, errors.Join(refused...)
}

// A resolver expands each pattern once, after those that it refers to.
type resolver struct {
	patterns map[string]string
	base     map[string]definition
	done     map[string]definition
	failed   map[string]error
	path     []string // being expanded, each by the one before
}

func (r *resolver) find(name string) (definition, error) {
	if def, ok := r.base[name]; ok {
		return def, nil
	}
	if def, ok := r.done[name]; ok {
		return def, nil
	}
	if err, ok := r.failed[name]; ok {
		return definition{}, err
	}
	pattern, ok := r.patterns[name]
	if !ok {
		return definition{}, fmt.Errorf("%w %%{%s}", ErrUnknown, name)
	}
	if err := r.enter(name); err != nil {
		return definition{}, err
	}
	def, err := expand(pattern, r.find)
	r.path = r.path[:len(r.path)-1]
	if err != nil {
		r.failed[name] = err
		return definition{}, err
	}
	r.done[name] = def
	return def, nil
}

func (r *resolver) enter(name string) error {
	if at := slices.Index(r.path, name); at >= 0 {
		return fmt.Errorf("%w: %s -> %s", ErrCycle, strings.Join(r.path[at:], " -> "), name)
	}
	if len(r.path) >= maxNesting {
		return fmt.Errorf("%w: more than %d patterns within each other", ErrLimit, maxNesting)
	}
	r.path = append(r.path, name)
	return nil
}
