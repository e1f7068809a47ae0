package compile

import (
	"errors"
	"fmt"
	"strings"

	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/token"
	"datakit.dev/internal/point"
)

// A binary applies an operator to two values.
type binary func(r *fn.Run, x, y point.Value) (point.Value, error)

// operator returns the operator of x. What has no value equals nil on the left of
// == alone, as users of the language know it: nothing == nil, and nil != nothing.
func (c *compiler) operator(x *ast.Binary) binary {
	if (x.Op == token.Equal || x.Op == token.NotEqual) && c.isVoid(x.Y) && !c.isVoid(x.X) {
		return func(*fn.Run, point.Value, point.Value) (point.Value, error) {
			return point.BoolOf(x.Op == token.NotEqual), nil
		}
	}
	return operator(x.Op)
}

func operator(op token.Kind) binary {
	switch op { //nolint:exhaustive // the others are arithmetic
	case token.Equal:
		return func(r *fn.Run, x, y point.Value) (point.Value, error) {
			return point.BoolOf(equal(x, y)), r.Step(len(x.Text()) / bytesPerStep)
		}
	case token.NotEqual:
		return func(r *fn.Run, x, y point.Value) (point.Value, error) {
			return point.BoolOf(!equal(x, y)), r.Step(len(x.Text()) / bytesPerStep)
		}
	case token.Less, token.LessEqual, token.Greater, token.GreaterEqual:
		return comparison(op)
	case token.In:
		return contains
	}
	return arithmetic(op)
}

// bytesPerStep is how much text is compared or looked through at the price of one
// step.
const bytesPerStep = 64

// truth is what a value is worth as a condition: zero and what is empty is
// false.
func truth(v point.Value) bool {
	switch v.Kind() {
	case point.Bool:
		return v.Bool()
	case point.Int:
		return v.Int() != 0
	case point.Float:
		return v.Float() != 0
	case point.String:
		return v.Text() != ""
	case point.List:
		return len(*v.List()) > 0
	case point.Map:
		return len(v.Map()) > 0
	case point.Nil, point.Uint, point.Bytes:
	}
	return false
}

func not(v point.Value) (point.Value, error) { return point.BoolOf(!truth(v)), nil }

func plus(v point.Value) (point.Value, error) {
	switch v.Kind() { //nolint:exhaustive // the numbers
	case point.Int, point.Float:
		return v, nil
	case point.Bool:
		return point.IntOf(integer(v)), nil
	}
	return v, fmt.Errorf("+ needs a number, got %s", v.Kind())
}

func negate(v point.Value) (point.Value, error) {
	switch v.Kind() { //nolint:exhaustive // the numbers
	case point.Int, point.Bool:
		return point.IntOf(-integer(v)), nil
	case point.Float:
		return point.FloatOf(-v.Float()), nil
	}
	return v, fmt.Errorf("- needs a number, got %s", v.Kind())
}

// integer is an int or a bool as an int.
func integer(v point.Value) int64 {
	if n, ok := v.AsInt(); ok {
		return n
	}
	if v.Bool() {
		return 1
	}
	return 0
}

// number is an int, a bool or a float as a float.
func number(v point.Value) float64 {
	if v.Kind() == point.Float {
		return v.Float()
	}
	return float64(integer(v))
}

func isNumber(k point.Kind) bool { return k == point.Int || k == point.Float || k == point.Bool }

var (
	errZero   = errors.New("division by zero")
	errModulo = errors.New("% needs two integers, got a float")
)

// arithmetic returns + - * / or %: of two strings + joins, of numbers one float
// makes a float, and a bool counts as 0 or 1. Integers wrap around.
func arithmetic(op token.Kind) binary {
	return func(r *fn.Run, x, y point.Value) (point.Value, error) {
		kx, ky := x.Kind(), y.Kind()
		switch {
		case kx == point.String && ky == point.String && op == token.Add:
			return join(r, x.Text(), y.Text())
		case !isNumber(kx) || !isNumber(ky):
			return point.NilOf(), fmt.Errorf("%s cannot take %s and %s", op, kx, ky)
		case kx == point.Float || ky == point.Float:
			return floats(op, number(x), number(y))
		}
		return integers(op, integer(x), integer(y))
	}
}

func join(r *fn.Run, x, y string) (point.Value, error) {
	if err := r.Alloc(len(x) + len(y)); err != nil {
		return point.NilOf(), err
	}
	return point.StringOf(x + y), nil
}

func integers(op token.Kind, x, y int64) (point.Value, error) {
	n, ok := calculate(op, x, y)
	if !ok {
		return point.NilOf(), errZero
	}
	return point.IntOf(n), nil
}

func floats(op token.Kind, x, y float64) (point.Value, error) {
	switch op { //nolint:exhaustive // the five operators
	case token.Add:
		return point.FloatOf(x + y), nil
	case token.Sub:
		return point.FloatOf(x - y), nil
	case token.Mul:
		return point.FloatOf(x * y), nil
	case token.Div:
		if y == 0 {
			return point.NilOf(), errZero
		}
		return point.FloatOf(x / y), nil
	}
	return point.NilOf(), errModulo
}

// equal compares any two values. Numbers and bools are compared as floats;
// values of different kinds are unequal.
func equal(x, y point.Value) bool {
	kx, ky := x.Kind(), y.Kind()
	if isNumber(kx) || isNumber(ky) {
		return isNumber(kx) && isNumber(ky) && number(x) == number(y)
	}
	return fn.Same(x, y)
}

// comparison returns < <= > or >=, which take numbers and bools only.
func comparison(op token.Kind) binary {
	return func(_ *fn.Run, x, y point.Value) (point.Value, error) {
		kx, ky := x.Kind(), y.Kind()
		if !isNumber(kx) || !isNumber(ky) {
			return point.NilOf(), fmt.Errorf("%s compares numbers, got %s and %s", op, kx, ky)
		}
		if kx == point.Float || ky == point.Float {
			return point.BoolOf(ordered(op, number(x), number(y))), nil
		}
		return point.BoolOf(ordered(op, integer(x), integer(y))), nil
	}
}

func ordered[T int64 | float64](op token.Kind, x, y T) bool {
	switch op { //nolint:exhaustive // the four operators
	case token.Less:
		return x < y
	case token.LessEqual:
		return x <= y
	case token.Greater:
		return x > y
	}
	return x >= y
}

// contains is x in y: a part of a string, a key of a map, an element of a list.
func contains(r *fn.Run, x, y point.Value) (point.Value, error) {
	kx, ky := x.Kind(), y.Kind()
	switch ky { //nolint:exhaustive // what holds others
	case point.String, point.Map:
		if kx != point.String {
			return point.NilOf(), fmt.Errorf("in: a %s holds strings, got %s", ky, kx)
		}
		if ky == point.Map {
			_, ok := y.Map()[x.Text()]
			return point.BoolOf(ok), r.Step(len(x.Text()) / bytesPerStep)
		}
		return point.BoolOf(strings.Contains(y.Text(), x.Text())), r.Step(len(y.Text()) / bytesPerStep)
	case point.List:
		list := *y.List()
		for i := range list {
			if fn.Same(x, list[i]) {
				return point.BoolOf(true), nil
			}
		}
		return point.BoolOf(false), r.Step(len(list))
	}
	return point.NilOf(), fmt.Errorf("in: expected a string, a list or a map, got %s", ky)
}
