package spec

import (
	"fmt"
	"math"
	"slices"
	"strconv"
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
	d.snippets(n.text)
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
	d.snippets(n.text)
	return d.list
}

type decoder struct {
	list        diag.List
	open        bool
	onlyUnknown bool
}

// snippets adds the line of each error, without secrets. Who adds lines later
// does not know which field is one.
func (d *decoder) snippets(text *string) {
	for i := range d.list {
		if one := &d.list[i]; one.Snippet == "" && one.Pos.Line > 0 && text != nil {
			one.Snippet = RedactLine(diag.Line(*text, one.Pos.Line))
		}
	}
}

// refused adds an error about the value of f.
func (d *decoder) refused(f Field, pos diag.Position, format string, args ...any) {
	d.list.Add(pos, format, args...)
	if f.Secret {
		d.list[len(d.list)-1].Snippet = tomlKey(f.Name) + " = " + Hidden
	}
}

func (d *decoder) table(name string, fields []Field, n *Node) Values {
	v := Defaults(fields)
	for _, k := range n.Keys {
		f, ok := find(fields, k.Name)
		if !ok {
			if !d.open {
				d.list.Add(k.Pos, "unknown field %q in [%s]%s", shorten(k.Name), name, suggest(k.Name, fields))
			}
			continue
		}
		if got, ok := d.field(name, f, k); ok {
			v[f.Name] = got
		}
	}
	for _, f := range fields {
		if _, ok := n.Get(f.Name); f.Required && !ok && !d.onlyUnknown {
			d.list.Add(n.Pos, "[%s] needs %s (%s)", name, f.Name, f.Type)
		}
	}
	return v
}

func (d *decoder) field(table string, f Field, k Key) (any, bool) {
	switch {
	case f.Type == Table && k.Node.IsTable():
		return d.table(table+"."+f.Name, f.Fields, k.Node), true
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
			out = append(out, d.table(table+"."+f.Name, f.Fields, &items[i]))
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

// leaf converts a scalar, a list of strings or a table of strings.
func leaf(f Field, n *Node) (any, bool) {
	switch f.Type {
	case Strings:
		return stringList(n)
	case StringMap:
		return stringMap(n)
	case Float:
		if i, ok := n.Scalar.(int64); ok {
			return float64(i), true
		}
		v, ok := n.Scalar.(float64)
		return v, ok && !math.IsNaN(v) && !math.IsInf(v, 0)
	case Duration:
		s, ok := n.Scalar.(string)
		if !ok {
			return nil, false
		}
		v, err := ParseDuration(s)
		return v, err == nil
	case Bool:
		v, ok := n.Scalar.(bool)
		return v, ok
	case Int:
		v, ok := n.Scalar.(int64)
		return v, ok
	case String:
		v, ok := n.Scalar.(string)
		return v, ok
	case Table, Tables:
	}
	return nil, false
}

// ParseDuration is [time.ParseDuration] with days: "7d", "1d12h".
func ParseDuration(s string) (time.Duration, error) {
	days, rest, ok := strings.Cut(s, "d")
	if n, err := strconv.Atoi(days); ok && err == nil && n >= 0 && n < 100_000 {
		if rest == "" {
			rest = "0s"
		}
		v, err := time.ParseDuration(rest)
		if err != nil {
			return 0, fmt.Errorf("%q is no duration: %w", s, err)
		}
		if v < 0 || strings.HasPrefix(rest, "+") {
			return 0, fmt.Errorf("%q is no duration: a sign behind the days", s)
		}
		return time.Duration(n)*24*time.Hour + v, nil
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is no duration such as \"10s\": %w", s, err)
	}
	return v, nil
}

func stringList(n *Node) (any, bool) {
	if s, ok := n.Scalar.(string); ok {
		return []string{s}, true
	}
	if n.kind != arrayNode {
		return nil, false
	}
	out := make([]string, len(n.Items))
	for i := range n.Items {
		s, ok := n.Items[i].Scalar.(string)
		if !ok {
			return nil, false
		}
		out[i] = s
	}
	return out, true
}

func stringMap(n *Node) (any, bool) {
	if !n.IsTable() {
		return nil, false
	}
	out := make(map[string]string, len(n.Keys))
	for _, k := range n.Keys {
		switch v := k.Node.Scalar.(type) {
		case string:
			out[k.Name] = v
		case int64, float64, bool:
			out[k.Name] = fmt.Sprint(v)
		default:
			return nil, false
		}
	}
	return out, true
}

// refuse says why v is not allowed, or "".
func (f Field) refuse(v any) string {
	switch v := v.(type) {
	case string:
		if len(f.OneOf) > 0 && !slices.Contains(f.OneOf, v) {
			if f.Secret {
				return "not one of the allowed values"
			}
			return fmt.Sprintf("expected one of %s, got %q", strings.Join(f.OneOf, ", "), shorten(v))
		}
	case int64:
		return f.hide(outside(v, f.Min, f.Max))
	case float64:
		return f.hide(outside(v, f.Min, f.Max))
	case time.Duration:
		return f.hide(outside(v, f.Min, f.Max))
	}
	return ""
}

// hide keeps the value of a secret out of a message.
func (f Field) hide(message string) string {
	if f.Secret && message != "" {
		return "out of the allowed range"
	}
	return message
}

func outside[T int64 | float64 | time.Duration](v T, low, high any) string {
	if l, ok := low.(T); ok && v < l {
		return fmt.Sprintf("expected at least %v, got %v", l, v)
	}
	if h, ok := high.(T); ok && v > h {
		return fmt.Sprintf("expected at most %v, got %v", h, v)
	}
	return ""
}

// shorten keeps a hostile name from filling a log line.
func shorten(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}

// suggest returns ", did you mean …?" where a field's name is close.
func suggest(name string, fields []Field) string {
	if len(name) > 64 {
		return ""
	}
	best, at := "", 3
	for _, f := range fields {
		if d := distance(name, f.Name); d < at {
			best, at = f.Name, d
		}
	}
	if best != "" {
		return fmt.Sprintf(", did you mean %q?", best)
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	if len(names) > 0 && len(names) <= 20 {
		return "; it has " + strings.Join(names, ", ")
	}
	return ""
}

// distance is the Levenshtein distance of two short names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j]+1, row[j+1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
