// Package fn is what the script engine and the builtin functions know of each
// other: how a function describes itself, what it sees of the call that it is
// bound to, and what it may do while the script runs.
package fn

import "datakit.dev/internal/point"

// An Eval computes a value while a script runs. What it needs to know of the
// script was put into it when the script was compiled.
type Eval func(*Run) (point.Value, error)

// A Func is one builtin function.
//
// Bind is called once for each call of the function in a script, when the
// script is compiled. It MUST check there whatever can be checked, so that a bad
// pattern or a wrong argument refuses the script and not each point. The Eval
// that it returns MUST be safe for any number of goroutines. An Eval returns an
// error to abort the script; where the field's users expect a value that cannot
// be parsed to be passed over, it returns nil and no error.
type Func struct {
	Name     string
	Params   []Param
	Match    Match
	Result   string // what it returns, for the documentation; "" for nothing
	Doc      Text
	Examples []Example
	Bind     func(*Call) (Eval, error)
}

// A Param is one parameter of a function.
type Param struct {
	Name     string
	Types    Types // what it takes; only ByType functions are held to it
	Optional bool
	Named    bool // only as name=value
	Rest     bool // the last one: any number of arguments, none included
}

// Match says how the arguments of a call find their parameters.
type Match uint8

// The ways of matching. The language grew them one after the other, and each
// refuses other calls.
const (
	ByPosition Match = iota // in order; name=value is an assignment like any other
	ByName                  // in order, then name=value
	ByType                  // as ByName, but name=value also assigns; the values are held to Types
)

// Types is a set of kinds of value.
type Types uint16

// OneOf returns the set of the kinds.
func OneOf(kinds ...point.Kind) Types {
	var t Types
	for _, k := range kinds {
		t |= 1 << k
	}
	return t
}

// Has reports whether k is in the set; the empty set has every kind.
func (t Types) Has(k point.Kind) bool { return t == 0 || t&(1<<k) != 0 }

// Text is one text in the languages of the documentation.
type Text struct{ En, Zh string }

// An Example is a script with the point before and after it, both in line
// protocol's spirit: field=value pairs. Each runs as a test.
type Example struct {
	Script string
	In     map[string]any    // fields before; "message" mostly
	Tags   map[string]string // tags before
	Out    map[string]any    // fields after that the example shows; nil means removed
	OutTag map[string]string // tags after that the example shows
}
