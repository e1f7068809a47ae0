package dql

import (
	"maps"
	"slices"
	"strings"

	"datakit.dev/internal/point"
	"datakit.dev/internal/point/block"
)

// show parses a function that says what there is.
func (p *parser) show(t token) *show {
	i := slices.IndexFunc(showFunctions(), func(f showFunction) bool { return f.name == strings.ToLower(t.text) })
	if i < 0 {
		p.fail(t.pos, "there is no function %s%s", quote(t.text), similar(strings.ToLower(t.text), ShowFunctions()))
	}
	c, ok := p.call(t).(*call)
	if !ok {
		p.fail(t.pos, "expected %s()", t.text)
	}
	return &show{call: c, fn: showFunctions()[i]}
}

// checkShow checks the arguments and sets the namespace.
func (q *Query) checkShow() {
	f, c := q.show.fn, q.show.call
	for _, n := range Namespaces() {
		if n.Category == f.space {
			q.space = n
		}
	}
	if len(q.by)+len(q.order) > 0 || q.slimit >= 0 || q.soffset > 0 || q.span.bucket > 0 || q.span.auto {
		refuse(c, "%s() takes filters, a time, LIMIT and OFFSET", f.name)
	}
	for _, a := range c.args {
		if l, ok := a.(literal); !ok || l.value.Kind() != point.String || f.what != showFields || len(c.args) > 1 {
			refuse(a, "unexpected argument; %s", f.usage())
		}
	}
	for _, n := range c.named {
		if !slices.Contains(f.arguments(), n.key) {
			refuse(n.value, "unexpected argument %s; %s", n.key, f.usage())
		}
		checkPatterns(n.value)
	}
}

// arguments are the names of the function's arguments.
func (f showFunction) arguments() []string {
	switch f.what {
	case showNames:
		return nil
	case showTagValues:
		return []string{"from", "keyin", "field"}
	case showTagKeys, showFields:
	}
	return []string{"from"}
}

func (f showFunction) usage() string {
	var args []string
	for _, a := range f.arguments() {
		args = append(args, a+"=['…']")
	}
	return "write " + f.name + "(" + strings.Join(args, ", ") + ")"
}

// checkPatterns checks a list of names, a name, or a regular expression.
func checkPatterns(e expr) {
	items := []expr{e}
	if l, ok := e.(list); ok {
		items = l.items
	}
	for _, item := range items {
		switch item := item.(type) {
		case pattern, nameExpr:
			continue
		case literal:
			if item.value.Kind() == point.String {
				continue
			}
		}
		refuse(item, "expected a name or a regular expression")
	}
}

// admits reports whether the argument key of a show function names s; one that
// is not there names all.
func (s *show) admits(key, name string) bool {
	for _, n := range s.call.named {
		if n.key != key {
			continue
		}
		items := []expr{n.value}
		if l, ok := n.value.(list); ok {
			items = l.items
		}
		return slices.ContainsFunc(items, func(e expr) bool {
			switch e := e.(type) {
			case pattern:
				return e.re.MatchString(name)
			case nameExpr:
				return e.text == name
			case literal:
				return e.value.Text() == name
			}
			return false
		})
	}
	if key == "from" && len(s.call.args) == 1 {
		return s.call.args[0].(literal).value.Text() == name //nolint:forcetypeassert // check has refused the others
	}
	return true
}

// found is what there is of one name.
type found struct {
	tags   map[string]map[string]bool // values by key
	fields map[string]point.Kind
}

// showing answers a query about what there is.
func (r *runner) showing() ([]Series, error) {
	var names []string
	var out []Series
	for _, n := range r.src.Names(r.q.space.Category) {
		if err := r.check(checkEvery); err != nil {
			return nil, err
		}
		if !r.q.show.admits("from", n) {
			continue
		}
		f, some, err := r.find(n)
		if err != nil {
			return nil, err
		}
		if !some {
			continue
		}
		names = append(names, n)
		if s := r.describe(n, f); len(s.Values) > 0 {
			out = append(out, s)
		}
	}
	if r.q.show.fn.what == showNames {
		s := Series{Name: "measurements", Columns: []string{"name"}, Values: r.paged(texts(names))}
		if len(s.Values) == 0 {
			return nil, nil
		}
		return []Series{s}, nil
	}
	return out, nil
}

// find looks at the points of one name that the filter takes.
func (r *runner) find(n string) (f found, some bool, err error) {
	f = found{tags: map[string]map[string]bool{}, fields: map[string]point.Kind{}}
	c := &compiler{query: r.q}
	var last *block.Block
	err = r.scan(unit{names: []string{n}}, c, func(fr *frame) bool {
		return !slices.ContainsFunc(r.q.show.call.named, func(a named) bool { return a.key == "field" }) ||
			slices.ContainsFunc(fr.block.Columns, func(c block.Column) bool { return r.q.show.admits("field", c.Key) })
	}, func(fr *frame) error {
		some = true
		if fr.block != last {
			last = fr.block
			r.note(&f, last)
		}
		return nil
	})
	return f, some, err
}

func (r *runner) note(f *found, b *block.Block) {
	for _, t := range b.Tags {
		if f.tags[t.Key] == nil {
			f.tags[t.Key] = map[string]bool{}
		}
		if !f.tags[t.Key][t.Value] && r.meter.take(keyBytes) {
			f.tags[t.Key][t.Value] = true
		}
	}
	for _, c := range b.Columns {
		f.fields[c.Key] = c.Kind
	}
}

// describe returns what there is of one name.
func (r *runner) describe(n string, f found) Series {
	s := Series{Name: n, Values: [][]any{}}
	switch r.q.show.fn.what {
	case showTagKeys:
		s.Columns = []string{"tagKey"}
		s.Values = texts(slices.Sorted(maps.Keys(f.tags)))
	case showTagValues:
		s.Columns = []string{"key", "value"}
		for _, k := range slices.Sorted(maps.Keys(f.tags)) {
			if !r.q.show.admits("keyin", k) {
				continue
			}
			for _, v := range slices.Sorted(maps.Keys(f.tags[k])) {
				s.Values = append(s.Values, []any{k, v})
			}
		}
	case showFields:
		s.Columns = []string{"fieldKey", "fieldType"}
		for _, k := range slices.Sorted(maps.Keys(f.fields)) {
			s.Values = append(s.Values, []any{k, typeName(f.fields[k])})
		}
	case showNames:
	}
	s.Values = r.paged(s.Values)
	return s
}

func texts(names []string) [][]any {
	out := [][]any{}
	for _, n := range names {
		out = append(out, []any{n})
	}
	return out
}

// paged applies OFFSET and LIMIT.
func (r *runner) paged(rows [][]any) [][]any {
	rows = rows[min(r.q.offset, len(rows)):]
	if r.q.limit >= 0 {
		rows = rows[:min(r.q.limit, len(rows))]
	}
	return rows
}

func typeName(k point.Kind) string {
	switch k {
	case point.Float:
		return "float"
	case point.Int:
		return "integer"
	case point.Uint:
		return "unsigned"
	case point.Bool:
		return "boolean"
	default:
		return "string"
	}
}
