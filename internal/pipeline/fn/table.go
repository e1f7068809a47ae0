package fn

import (
	"fmt"
	"maps"
	"slices"

	"datakit.dev/internal/diag"
)

// A Table is the functions that a script may call, by name. It never changes.
type Table struct{ funcs map[string]*Func }

// NewTable returns the table of lists of functions. Two functions of one name
// are a mistake of the program, found by the first test that builds the table.
func NewTable(lists ...[]Func) (Table, error) {
	t := Table{funcs: map[string]*Func{}}
	for _, list := range lists {
		for i := range list {
			f := &list[i]
			if _, taken := t.funcs[f.Name]; taken {
				return Table{}, fmt.Errorf("two functions are named %s", f.Name)
			}
			t.funcs[f.Name] = f
		}
	}
	return t, nil
}

// Lookup returns the function called name.
func (t Table) Lookup(name string) (*Func, bool) {
	f, ok := t.funcs[name]
	return f, ok
}

// Names returns the names of all functions, sorted.
func (t Table) Names() []string { return slices.Sorted(maps.Keys(t.funcs)) }

// Suggest returns "; did you mean …" for the name nearest to a misspelled one,
// or "".
func (t Table) Suggest(name string) string {
	best := diag.Nearest(name, t.Names())
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
