package spec

import (
	"slices"
	"strings"
	"time"

	"datakit.dev/internal/diag"
)

// Decode checks table n against s strictly and returns its values with the
// defaults filled in. Unknown keys, wrong types and values out of range are all
// reported, not only the first.
func (s Schema) Decode(n *Node) (Values, diag.List) {
	d := decoder{open: s.Open}
	v := d.table(s.Name, s.Fields, n)
	d.snippets(n.text, s.Secrets())
	slices.SortStableFunc(d.list, func(a, b diag.Diagnostic) int {
		if a.Pos.Line != b.Pos.Line {
			return a.Pos.Line - b.Pos.Line
		}
		return a.Pos.Column - b.Pos.Column
	})
	return v, d.list
}

// Unknown returns the keys of n that no field describes, as diagnostics.
func (s Schema) Unknown(n *Node) diag.List {
	d := decoder{onlyUnknown: true}
	d.table(s.Name, s.Fields, n)
	d.snippets(n.text, s.Secrets())
	return d.list
}

type decoder struct {
	list        diag.List
	open        bool
	onlyUnknown bool
}

// snippets adds the line of each error, without secrets. Who adds lines later
// does not know which field is one.
func (d *decoder) snippets(text *string, secrets []string) {
	for i := range d.list {
		if one := &d.list[i]; one.Snippet == "" && one.Pos.Line > 0 && text != nil {
			one.Snippet = RedactLine(diag.Line(*text, one.Pos.Line), secrets...)
		}
	}
}

// maxErrors is how many errors one table is told of: a text of ten thousand
// wrong keys must not become ten thousand lines of a status.
const maxErrors = 100

func (d *decoder) add(pos diag.Position, format string, args ...any) {
	switch {
	case len(d.list) < maxErrors:
		d.list.Add(pos, format, args...)
	case len(d.list) == maxErrors:
		d.list.Add(pos, "more than %d errors: this one and what follows is not shown", maxErrors)
	}
}

// refused adds an error about the value of f.
func (d *decoder) refused(f Field, pos diag.Position, format string, args ...any) {
	d.add(pos, format, args...)
	if f.Secret && len(d.list) <= maxErrors {
		d.list[len(d.list)-1].Snippet = TOMLKey(f.Name) + " = " + Hidden
	}
}

func (d *decoder) table(name string, fields []Field, n *Node) Values {
	v := Defaults(fields)
	for _, k := range n.Keys {
		f, ok := find(fields, k.Name)
		if !ok {
			if !d.open {
				d.add(k.Pos, "unknown field %q%s%s", shorten(k.Name), inTable(name), suggest(k.Name, fields))
			}
			continue
		}
		if got, ok := d.field(name, f, k); ok {
			v[f.Name] = got
		}
	}
	for _, f := range fields {
		if _, ok := n.Get(f.Name); f.Required && !ok && !d.onlyUnknown {
			d.add(n.Pos, "%s (%s) is required%s", f.Name, f.Type, inTable(name))
		}
	}
	return v
}

// below returns the name of the table name inside the table outer.
func below(outer, name string) string { return strings.TrimPrefix(outer+"."+name, ".") }

// inTable says which table is meant; the top of a file has no name.
func inTable(table string) string {
	if table == "" {
		return ""
	}
	return " in [" + table + "]"
}

func (d *decoder) field(table string, f Field, k Key) (any, bool) {
	switch {
	case f.Type == Table && k.Node.IsTable():
		return d.table(below(table, f.Name), f.Fields, k.Node), true
	case f.Type == Tables && (k.Node.IsArray() || k.Node.IsTable()):
		items := k.Node.Items
		if k.Node.IsTable() {
			items = []Node{*k.Node}
		}
		out := make([]Values, 0, len(items))
		for i := range items {
			if !items[i].IsTable() {
				d.mismatch(f, items[i].Pos, &items[i])
				return nil, false
			}
			out = append(out, d.table(below(table, f.Name), f.Fields, &items[i]))
		}
		return out, true
	case d.onlyUnknown:
		return nil, false
	}
	v, ok := leaf(f, k.Node)
	if !ok {
		if bad := f.badElement(k.Node); bad != nil {
			d.refused(f, bad.Pos, "%s: expected a string, got %s", f.Name, bad.Describe())
			return nil, false
		}
		d.mismatch(f, k.Node.Pos, k.Node)
		return nil, false
	}
	if msg := f.refuse(v); msg != "" {
		d.refused(f, k.Node.Pos, "%s: %s", f.Name, msg)
		return nil, false
	}
	return v, true
}

// badElement returns the first element of a list or table of strings that is
// none, nil where n is neither.
func (f Field) badElement(n *Node) *Node {
	switch {
	case f.Type == Strings && n.kind == arrayNode:
		for i := range n.Items {
			if _, ok := n.Items[i].Scalar.(string); !ok {
				return &n.Items[i]
			}
		}
	case f.Type == StringMap && n.IsTable():
		for _, k := range n.Keys {
			if _, date := k.Node.Scalar.(time.Time); date || k.Node.Scalar == nil {
				return k.Node
			}
		}
	}
	return nil
}

func (d *decoder) mismatch(f Field, pos diag.Position, n *Node) {
	expected := "a " + f.Type.String()
	switch f.Type { //nolint:exhaustive // only these need more words
	case Duration:
		expected = `a duration such as "10s"`
	case Int:
		expected = "an integer"
	case Float:
		expected = "a finite number"
	}
	d.refused(f, pos, "%s: expected %s, got %s", f.Name, expected, n.Describe())
}
