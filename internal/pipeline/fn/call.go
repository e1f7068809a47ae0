package fn

import (
	"fmt"

	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/grok"
	"datakit.dev/internal/pipeline/token"
	"datakit.dev/internal/point"
)

// A Call is one call of a function in a script, as its Bind sees it. Arguments
// are numbered by parameter; Args[i].Node is nil where an optional one was left
// out.
type Call struct {
	Name string
	Pos  token.Pos
	Args []Arg

	Patterns *grok.Set                       // of the block that the call stands in
	Use      func(name string) (Eval, error) // another script of the same set

	// Shared returns the value that all calls of one script share under key: a
	// cache, a window. create is called for the first; the value is made anew when
	// the script is compiled again, and is used from many goroutines at once.
	Shared func(key string, create func() any) any
}

// An Arg is one argument of a call.
type Arg struct {
	Node ast.Expr
	Eval Eval
	Key  Key // of a name, a path or a string
}

// A Key is a key that a script names in its text.
type Key struct {
	Name string // "message" for "_"
	get  func(*Run) (point.Value, bool)
}

// NewKey returns the key name whose variable-then-point lookup is get.
func NewKey(name string, get func(*Run) (point.Value, bool)) Key { return Key{name, get} }

// Get returns the value of the key: the variable of that name, else the point's
// tag or field.
func (k Key) Get(r *Run) (point.Value, bool) { return k.get(r) }

// An Error is what is wrong with a script, or what went wrong in a run, and
// where.
type Error struct {
	Pos token.Pos
	Msg string
	Err error // the cause, to be told with [errors.Is]; may be nil
}

// Error returns the message.
func (e *Error) Error() string { return e.Msg }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an error at a place in the script.
func Errorf(pos token.Pos, format string, args ...any) error {
	return &Error{Pos: pos, Msg: fmt.Sprintf(format, args...)}
}

// Failed returns err with a place in the script.
func Failed(pos token.Pos, err error) error { return &Error{Pos: pos, Msg: err.Error(), Err: err} }

// Errorf returns an error at argument i.
func (c *Call) Errorf(i int, format string, args ...any) error {
	return &Error{Pos: c.Args[i].Node.Pos(), Msg: c.Name + ": " + fmt.Sprintf(format, args...)}
}

// Has reports whether argument i was given.
func (c *Call) Has(i int) bool { return i < len(c.Args) && c.Args[i].Node != nil }

// Key returns argument i as a key: a name, a path or a string literal.
func (c *Call) Key(i int) (Key, error) {
	switch c.Args[i].Node.(type) {
	case *ast.Ident, *ast.Attr, *ast.StringLit:
		return c.Args[i].Key, nil
	}
	return Key{}, c.Errorf(i, "expected a key (a name, a path or a string), got %s", c.Kind(i))
}

// NameOnly returns argument i as a key that is a name or a path, not a string.
func (c *Call) NameOnly(i int) (Key, error) {
	switch c.Args[i].Node.(type) {
	case *ast.Ident, *ast.Attr:
		return c.Args[i].Key, nil
	}
	return Key{}, c.Errorf(i, "expected a name or a path, got %s", c.Kind(i))
}

// Literal returns argument i, which must be a string literal.
func (c *Call) Literal(i int) (string, error) {
	if lit, ok := c.Args[i].Node.(*ast.StringLit); ok {
		return lit.Value, nil
	}
	return "", c.Errorf(i, "expected a string in quotes, got %s", c.Kind(i))
}

// Kind returns what argument i is in the script's text, for messages.
func (c *Call) Kind(i int) string { return ast.Kind(c.Args[i].Node) }

// Default returns argument i, or v where it was left out.
func (c *Call) Default(i int, v point.Value) Eval {
	if c.Has(i) {
		return c.Args[i].Eval
	}
	return func(*Run) (point.Value, error) { return v, nil }
}

// Bool returns argument i, which must be true or false.
func (c *Call) Bool(i int) (bool, error) {
	if lit, ok := c.Args[i].Node.(*ast.BoolLit); ok {
		return lit.Value, nil
	}
	return false, c.Errorf(i, "expected true or false, got %s", c.Kind(i))
}

// Numbers returns argument i, which must be a list of n number literals.
func (c *Call) Numbers(i, n int) ([]float64, error) {
	list, ok := c.Args[i].Node.(*ast.ListLit)
	if !ok || len(list.Elems) != n {
		return nil, c.Errorf(i, "expected a list of %d numbers", n)
	}
	out := make([]float64, n)
	for j, elem := range list.Elems {
		if out[j], ok = numberOf(elem); !ok {
			return nil, c.Errorf(i, "expected a list of %d numbers, got %s", n, ast.Kind(elem))
		}
	}
	return out, nil
}

// numberOf returns the number that x is in the script's text, sign included.
func numberOf(x ast.Expr) (float64, bool) {
	switch x := x.(type) {
	case *ast.IntLit:
		return float64(x.Value), true
	case *ast.FloatLit:
		return x.Value, true
	}
	return 0, false
}

// Text returns the value of the key as text, and whether there is one: a list or
// a map as JSON, nil as "".
func (k Key) Text(r *Run) (string, bool) {
	v, ok := k.get(r)
	if !ok {
		return "", false
	}
	switch v.Kind() { //nolint:exhaustive // the others have a text
	case point.String:
		return v.Text(), true
	case point.List, point.Map:
		text, err := JSON(v)
		return text, err == nil
	}
	return TextOf(v), true
}
