package diag

import (
	"fmt"
	"slices"
	"strings"
)

// maxErrors is how many diagnostics [List.Error] spells out.
const maxErrors = 3

// A List is everything wrong with one text, in the order of the text.
type List []Diagnostic

// Add appends a diagnostic at pos.
func (l *List) Add(pos Position, format string, args ...any) {
	*l = append(*l, Diagnostic{Pos: pos, Message: fmt.Sprintf(format, args...)})
}

// In returns the list with origin set on each diagnostic, and with the snippets
// that src gives to those that have none.
func (l List) In(origin, src string) List {
	out := make(List, len(l))
	for i, d := range l {
		d.Origin = origin
		if d.Snippet == "" && d.Pos.Line > 0 {
			d.Snippet = Line(src, d.Pos.Line)
		}
		out[i] = d
	}
	return out
}

// Within returns the list with origin set on the diagnostics that have none.
func (l List) Within(origin string) List {
	out := slices.Clone(l)
	for i := range out {
		if out[i].Origin == "" {
			out[i].Origin = origin
		}
	}
	return out
}

// Err returns l as an error, or nil where l is empty.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// Error returns the first diagnostics on one line.
func (l List) Error() string {
	var parts []string
	for i, d := range l {
		if i == maxErrors {
			parts = append(parts, fmt.Sprintf("and %d more", len(l)-i))
			break
		}
		parts = append(parts, d.Error())
	}
	return strings.Join(parts, "; ")
}

// Text returns every diagnostic with its snippet, for a terminal.
func (l List) Text() string {
	parts := make([]string, len(l))
	for i, d := range l {
		parts[i] = d.Text()
	}
	return strings.Join(parts, "\n")
}
