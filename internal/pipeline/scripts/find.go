package scripts

import (
	"slices"
	"strings"

	"datakit.dev/internal/point"
)

// Any is the name that stands for every name in what a collector says of its
// points.
const Any = "*"

// Lookup returns the script called name: that of the first namespace that has
// one.
func (s *Set) Lookup(category point.Category, name string) (*Script, bool) {
	script, ok := s.view.Load().active[category][name]
	return script, ok
}

// Default returns the script of a category for points that no other takes.
func (s *Set) Default(category point.Category) (*Script, bool) {
	v := s.view.Load()
	script, ok := v.active[category][v.defaults[category]]
	return script, ok
}

// Find returns the script that p runs through, if there is one. own is what the
// collector of p says of its points: a name to a script, or to "-" for none.
func (s *Set) Find(category point.Category, p *point.Point, own map[string]string) (*Script, bool) {
	v := s.view.Load()
	if v.relation == nil && len(own) == 0 {
		return v.plain(category, p)
	}
	name, ok := v.name(category, p, own)
	if !ok {
		return nil, false
	}
	if script, ok := v.active[category][name]; ok {
		return script, true
	}
	script, ok := v.active[category][v.defaults[category]]
	return script, ok
}

// plain finds the script of a point that goes by its own name alone. Most points
// do, and most have no script: they must cost next to nothing.
func (v *view) plain(category point.Category, p *point.Point) (*Script, bool) {
	name := subject(category, p)
	if name == "" {
		return nil, false
	}
	if script, ok := v.stems[category][name]; ok {
		return script, true
	}
	script, ok := v.active[category][v.defaults[category]]
	return script, ok
}

// Name returns the name of the script that p asks for, whether there is such a
// script or not; false where it asks for none.
func (s *Set) Name(category point.Category, p *point.Point, own map[string]string) (string, bool) {
	return s.view.Load().name(category, p, own)
}

func (v *view) name(category point.Category, p *point.Point, own map[string]string) (string, bool) {
	subject := subject(category, p)
	if subject == "" {
		return "", false
	}
	if script, ok := v.relation.find(category, subject); ok {
		return script, true
	}
	script := own[subject]
	if script == "" {
		script = own[Any]
	}
	switch script {
	case "":
		return subject + ".p", true
	case "-":
		return "", false
	default:
		return script, true
	}
}

// The categories that have no write route of ours, but scripts all the same.
const llm point.Category = "llm"

// subject returns what the points of a category are told apart by.
func subject(category point.Category, p *point.Point) string {
	switch category { //nolint:exhaustive // the others go by their name
	case point.RUM, llm:
		app, ok := text(p, "app_id")
		if !ok {
			return ""
		}
		return app + "_" + p.Name
	case point.Security:
		return textOf(p, "category")
	case point.Tracing, point.Profiling:
		return textOf(p, "service")
	case point.KeyEvent:
		return textOf(p, "df_source")
	}
	return p.Name
}

func textOf(p *point.Point, key string) string {
	s, _ := text(p, key)
	return s
}

// text returns a tag, or a field that is a string.
func text(p *point.Point, key string) (string, bool) {
	if v, ok := p.Field(key); ok {
		return v.Text(), v.Kind() == point.String
	}
	return p.Tag(key)
}

// All returns every script that compiles, sorted by category, name and rank of
// its namespace: the first of each name is the one that runs.
func (s *Set) All() []*Script {
	v := s.view.Load()
	var all []*Script
	for _, ns := range Namespaces() {
		if v.spaces[ns] == nil {
			continue
		}
		for _, scripts := range v.spaces[ns].scripts {
			for _, script := range scripts {
				all = append(all, script)
			}
		}
	}
	slices.SortFunc(all, func(a, b *Script) int {
		if c := strings.Compare(string(a.Category), string(b.Category)); c != 0 {
			return c
		}
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return slices.Index(Namespaces(), a.Namespace) - slices.Index(Namespaces(), b.Namespace)
	})
	return all
}

// Refused returns the scripts that do not compile.
func (s *Set) Refused() []Refused {
	v := s.view.Load()
	var all []Refused
	for _, ns := range Namespaces() {
		if v.spaces[ns] != nil {
			all = append(all, v.spaces[ns].refused...)
		}
	}
	return all
}
