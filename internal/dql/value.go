package dql

import (
	"cmp"
	"math"
	"strconv"
	"strings"

	"datakit.dev/internal/point"
)

// toFloat returns v as a number; a text is none.
func toFloat(v point.Value) (float64, bool) {
	switch v.Kind() {
	case point.Float:
		return v.Float(), true
	case point.Int:
		return float64(v.Int()), true
	case point.Uint:
		return float64(v.Uint()), true
	default:
		return 0, false
	}
}

// compare orders a and b: numbers by value whatever their kind, texts by their
// bytes, a number and a text by the number that the text holds. False where the
// two cannot be compared.
func compare(a, b point.Value) (int, bool) {
	if k := a.Kind(); k == b.Kind() {
		switch k {
		case point.String:
			return strings.Compare(a.Text(), b.Text()), true
		case point.Int:
			return cmp.Compare(a.Int(), b.Int()), true
		case point.Uint:
			return cmp.Compare(a.Uint(), b.Uint()), true
		case point.Bool:
			return cmp.Compare(toInt(a.Bool()), toInt(b.Bool())), true
		default:
		}
	}
	x, okx := looseFloat(a)
	y, oky := looseFloat(b)
	if !okx || !oky || math.IsNaN(x) || math.IsNaN(y) {
		return 0, false
	}
	return cmp.Compare(x, y), true
}

func toInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// looseFloat is toFloat that also reads the number of a text: tags are texts.
func looseFloat(v point.Value) (float64, bool) {
	if v.Kind() == point.String {
		f, err := strconv.ParseFloat(strings.TrimSpace(v.Text()), 64)
		return f, err == nil
	}
	return toFloat(v)
}

// equal reports whether a and b are the same; nil is only nil.
func equal(a, b point.Value) bool {
	if a.Kind() == point.Nil || b.Kind() == point.Nil {
		return a.Kind() == b.Kind()
	}
	if a.Kind() == point.String && b.Kind() == point.Bool {
		a, b = b, a
	}
	if a.Kind() == point.Bool && b.Kind() == point.String { // a tag that says true
		return strconv.FormatBool(a.Bool()) == strings.ToLower(b.Text())
	}
	c, ok := compare(a, b)
	return ok && c == 0
}

// before orders values of any kinds, for sorting: nil, then bools, numbers, texts.
func before(a, b point.Value) int {
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	if c, ok := compare(a, b); ok {
		return c
	}
	x, _ := toFloat(a)
	y, _ := toFloat(b)
	return cmp.Compare(x, y) // NaN comes first
}

func rank(v point.Value) int {
	switch v.Kind() {
	case point.Nil:
		return 0
	case point.Bool:
		return 1
	case point.Int, point.Uint, point.Float:
		return 2
	default:
		return 3
	}
}

// arithmetic computes a op b. Whole numbers stay whole but for / and ^, and where
// they would overflow. What cannot be computed is nil.
func arithmetic(op string, a, b point.Value) point.Value {
	if x, ok := a.AsInt(); ok {
		if y, ok := b.AsInt(); ok {
			if v, ok := whole(op, x, y); ok {
				return v
			}
		}
	}
	x, okx := toFloat(a)
	y, oky := toFloat(b)
	if !okx || !oky {
		return point.Value{}
	}
	var f float64
	switch op {
	case "+":
		f = x + y
	case "-":
		f = x - y
	case "*":
		f = x * y
	case "/":
		f = x / y
	case "%":
		f = math.Mod(x, y)
	case "^":
		f = math.Pow(x, y)
	}
	return finite(f)
}

// finite returns f, or nil where it is no number: there is no JSON for that.
func finite(f float64) point.Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return point.Value{}
	}
	return point.FloatOf(f)
}

// whole computes with integers; false where the result is none, or too large.
func whole(op string, x, y int64) (point.Value, bool) {
	var n int64
	var ok bool
	switch op {
	case "+":
		n = x + y
		ok = (n > x) == (y > 0)
	case "-":
		n = x - y
		ok = (n < x) == (y > 0)
	case "*":
		n, ok = product(x, y)
	case "%":
		if ok = y != 0 && y != -1; ok {
			n = x % y
		}
	}
	return point.IntOf(n), ok
}

func product(x, y int64) (int64, bool) {
	if x == 0 || y == 0 {
		return 0, true
	}
	if x == math.MinInt64 || y == math.MinInt64 { // dividing it by -1 would wrap
		return 0, false
	}
	p := x * y
	return p, p/y == x
}

// scalarOf applies a scalar function.
func scalarOf(fn string, v point.Value) point.Value {
	if _, ok := v.AsInt(); ok || v.Kind() == point.Uint {
		return scalarWhole(fn, v)
	}
	var f float64
	var ok bool
	switch fn {
	case "int", "float":
		if v.Kind() == point.Bool {
			return scalarWhole(fn, point.IntOf(int64(toInt(v.Bool()))))
		}
		f, ok = looseFloat(v)
	default:
		f, ok = toFloat(v)
	}
	if !ok {
		return point.Value{}
	}
	switch fn {
	case "round":
		f = math.Round(f)
	case "floor":
		f = math.Floor(f)
	case "ceil":
		f = math.Ceil(f)
	case "abs":
		f = math.Abs(f)
	case "int":
		if math.Abs(f) < 1<<63 {
			return point.IntOf(int64(f))
		}
		return point.Value{}
	}
	return finite(f)
}

func scalarWhole(fn string, v point.Value) point.Value {
	switch fn {
	case "abs":
		if n, ok := v.AsInt(); ok && n < 0 && n != math.MinInt64 {
			return point.IntOf(-n)
		}
	case "float":
		f, _ := toFloat(v)
		return point.FloatOf(f)
	}
	return v
}
