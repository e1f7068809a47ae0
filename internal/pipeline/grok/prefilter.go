package grok

import (
	"slices"
	"strings"
)

// maxRequired is how many literals a prefilter looks for: the first turns away
// nearly every line that another format wrote, and a line that does match pays
// for each.
const maxRequired = 2

// A prefilter turns away texts that lack what every match has: literals, in
// their order.
type prefilter []string

func newPrefilter(e expr) prefilter {
	literals := e.required(nil)
	byWorth := slices.Clone(literals)
	slices.SortStableFunc(byWorth, func(a, b string) int { return worth(b) - worth(a) })
	chosen := byWorth[:min(maxRequired, len(byWorth))]
	var filter prefilter
	for _, l := range literals {
		if i := slices.Index(chosen, l); i >= 0 && worth(l) > 1 {
			chosen = slices.Delete(chosen, i, i+1)
			filter = append(filter, l)
		}
	}
	return filter
}

// worth estimates how rare a literal is in log lines.
func worth(literal string) int {
	sum := 0
	for _, b := range []byte(literal) {
		switch {
		case b == ' ':
			sum++
		case isWord(b):
			sum += 2
		default:
			sum += 3
		}
	}
	return sum
}

func (f prefilter) admits(text string) bool {
	for _, literal := range f {
		i := strings.Index(text, literal)
		if i < 0 {
			return false
		}
		text = text[i+len(literal):]
	}
	return true
}
