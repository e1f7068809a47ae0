package scripts

import (
	"slices"
	"strings"
	"unicode/utf8"

	"datakit.dev/internal/point"
)

// A Relation maps names to scripts for all collectors. A name may hold * for
// any characters and ? for one.
type Relation struct {
	exact map[point.Category]map[string]string
	wild  map[point.Category][]rule // the first that matches wins
}

type rule struct{ pattern, script string }

// NewRelation returns the relation of categories to names to scripts.
func NewRelation(names map[point.Category]map[string]string) *Relation {
	r := &Relation{exact: map[point.Category]map[string]string{}, wild: map[point.Category][]rule{}}
	for category, scripts := range names {
		r.exact[category] = map[string]string{}
		for name, script := range scripts {
			if strings.ContainsAny(name, "*?") {
				r.wild[category] = append(r.wild[category], rule{name, script})
				continue
			}
			r.exact[category][name] = script
		}
		slices.SortFunc(r.wild[category], func(a, b rule) int { return compare(a.pattern, b.pattern) })
	}
	return r
}

// compare puts the pattern that says more first: more literal characters, then
// fewer stars, then the longer, then by the alphabet.
func compare(a, b string) int {
	if d := literals(b) - literals(a); d != 0 {
		return d
	}
	if d := strings.Count(a, "*") - strings.Count(b, "*"); d != 0 {
		return d
	}
	if d := utf8.RuneCountInString(b) - utf8.RuneCountInString(a); d != 0 {
		return d
	}
	return strings.Compare(a, b)
}

func literals(pattern string) int {
	return utf8.RuneCountInString(pattern) - strings.Count(pattern, "*") - strings.Count(pattern, "?")
}

// find returns the script for name.
func (r *Relation) find(category point.Category, name string) (string, bool) {
	if r == nil {
		return "", false
	}
	if script, ok := r.exact[category][name]; ok {
		return script, true
	}
	for _, rule := range r.wild[category] {
		if matches(rule.pattern, name) {
			return rule.script, true
		}
	}
	return "", false
}

// matches reports whether the whole of s matches pattern. It goes back to the
// last star only, so that no pattern takes more than len(pattern)·len(s) steps.
func matches(pattern, s string) bool {
	star, retry := -1, 0
	i, j := 0, 0
	for j < len(s) {
		_, size := utf8.DecodeRuneInString(s[j:])
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, retry = i, j
			i++
		case i < len(pattern) && pattern[i] == '?':
			i++
			j += size
		case i < len(pattern) && strings.HasPrefix(pattern[i:], s[j:j+size]):
			i += size
			j += size
		case star >= 0:
			_, size := utf8.DecodeRuneInString(s[retry:])
			retry += size
			i, j = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}
