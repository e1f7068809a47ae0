package spec

import (
	"maps"
	"slices"
	"strings"
)

// The marks of a sample: a line that explains, and a line that is an option
// switched off. Taking off only the second kind writes the defaults out.
const (
	docMark    = "## "
	optionMark = "# "
)

// Sample returns a configuration file with every field of s: what it means and,
// commented out, its default. Only required fields stand without a comment.
func (s Schema) Sample() string {
	w := sampleWriter{comment: docMark, off: optionMark, example: docMark}
	w.explain(s.Doc)
	if s.Name != "" {
		w.line(s.header())
		w.indent = "  "
	}
	w.fields(s.Name, s.Fields)
	return w.b.String()
}

// header returns the line that opens the table.
func (s Schema) header() string {
	if s.Name == "" {
		return ""
	}
	if s.Repeated {
		return "[[" + s.Name + "]]"
	}
	return "[" + s.Name + "]"
}

// Uncomment switches every option of a sample on.
func Uncomment(sample string) string {
	var b strings.Builder
	for line := range strings.Lines(sample) {
		if rest, ok := strings.CutPrefix(strings.TrimLeft(line, " "), optionMark); ok {
			line = rest
		}
		b.WriteString(line)
	}
	return b.String()
}

type sampleWriter struct {
	b       strings.Builder
	indent  string
	comment string // before a line that explains
	off     string // before an option
	example string // before what only shows how an option may look
}

func (w *sampleWriter) line(parts ...string) {
	w.b.WriteString(strings.TrimRight(w.indent+strings.Join(parts, ""), " ") + "\n")
}

// explain writes text as comments of a readable width.
func (w *sampleWriter) explain(text string) {
	const width = 96
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			w.line(w.comment, line)
			line = ""
		}
		line = strings.TrimLeft(line+" "+word, " ")
	}
	if line != "" {
		w.line(w.comment, line)
	}
}

func (w *sampleWriter) mark(f Field) string {
	if f.Required {
		return ""
	}
	return w.off
}

// fields writes plain fields first: in TOML a key behind a sub-table's header
// belongs to the sub-table.
func (w *sampleWriter) fields(table string, fields []Field) {
	for _, f := range fields {
		if f.Type == StringMap || f.Type == Table || f.Type == Tables {
			continue
		}
		w.line()
		w.describe(f)
		value := f.Zero()
		switch {
		case f.Example == nil:
		case f.Required:
			value = f.Example
		default:
			w.line(w.comment, "Example: ", TOMLKey(f.Name), " = ", TOMLValue(f.Example))
		}
		w.line(w.mark(f), TOMLKey(f.Name), " = ", TOMLValue(value))
	}
	for _, f := range fields {
		name := below(table, TOMLKey(f.Name))
		switch f.Type { //nolint:exhaustive // the others were written above
		case StringMap:
			w.stringMap(name, f)
		case Table:
			w.table(name, f)
		case Tables:
			w.tables(name, f)
		}
	}
}

func (w *sampleWriter) stringMap(name string, f Field) {
	w.line()
	w.describe(f)
	w.line(w.mark(f), "[", name, "]")
	w.pairs(w.mark(f), f.Default)
	if f.Default == nil {
		w.pairs(w.example, f.Example)
	}
}

func (w *sampleWriter) pairs(mark string, v any) {
	m, _ := v.(map[string]string)
	for _, k := range slices.Sorted(maps.Keys(m)) {
		w.line(mark, "  ", TOMLKey(k), " = ", TOMLValue(m[k]))
	}
}

func (w *sampleWriter) table(name string, f Field) {
	w.line()
	w.describe(f)
	w.line(w.mark(f), "[", name, "]")
	outer := w.indent
	w.indent += "  "
	w.fields(name, f.Fields)
	w.indent = outer
}

// tables writes a list of tables as explanation only: the list starts empty, and
// a header that is switched on would add an element.
func (w *sampleWriter) tables(name string, f Field) {
	w.line()
	w.describe(f)
	inner := sampleWriter{comment: "# ", indent: "  "}
	inner.fields(name, f.Fields)
	w.line(docMark, "[[", name, "]]")
	for line := range strings.Lines(inner.b.String()) {
		if line = strings.TrimRight(line, "\n"); line != "" {
			w.line(docMark, line)
		}
	}
}

// describe writes what a reader needs to know of f: its meaning, and what it
// takes. The default follows as the option's own line.
func (w *sampleWriter) describe(f Field) {
	w.explain(f.Doc)
	takes := "Type: " + f.Type.String()
	if f.Unit != "" {
		takes += " of " + f.Unit
	}
	if bounds := f.bounds(wordsOf("en")); bounds != "" {
		takes += ", " + bounds
	}
	if f.Required {
		takes += ". Required"
	}
	w.explain(takes + ".")
}
