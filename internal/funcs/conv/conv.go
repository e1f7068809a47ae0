// Package conv holds the script functions that ask for a value's type or change
// it.
package conv

import (
	"fmt"
	"strconv"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// Functions lists the functions of this package.
func Functions() []fn.Func {
	return []fn.Func{castKey(), valueType(), parseInt(), formatInt()}
}

func castKey() fn.Func {
	return fn.Func{
		Name:   "cast",
		Params: []fn.Param{{Name: "key"}, {Name: "type"}},
		Doc: fn.Text{
			En: `Converts a key to "int", "float", "bool" or "str" and writes it to the point. What cannot be converted becomes zero.`,
			Zh: `将键的值转换为 "int"、"float"、"bool" 或 "str" 并写入数据点。无法转换时为零值。`,
		},
		Examples: []fn.Example{
			{Script: `cast(n, "int")`, In: map[string]any{"n": "12"}, Out: map[string]any{"n": int64(12)}},
			{Script: `cast(n, "float")`, In: map[string]any{"n": "1.5"}, Out: map[string]any{"n": 1.5}},
			{Script: `cast(n, "bool")`, In: map[string]any{"n": "true"}, Out: map[string]any{"n": true}},
			{Script: `cast(n, "str")`, In: map[string]any{"n": 1.5}, Out: map[string]any{"n": "1.5"}},
		},
		Bind: bindCast,
	}
}

func bindCast(c *fn.Call) (fn.Eval, error) {
	key, err := c.Key(0)
	if err != nil {
		return nil, err
	}
	name, err := c.Literal(1)
	if err != nil {
		return nil, err
	}
	to, ok := converter(name)
	if !ok {
		return nil, c.Errorf(1, `expected "int", "float", "bool" or "str", got %q`, name)
	}
	return func(r *fn.Run) (point.Value, error) {
		if v, ok := key.Get(r); ok {
			r.Store(key.Name, to(v))
		}
		return point.NilOf(), nil
	}, nil
}

// converter returns the conversion to a type. "string", which the reference
// takes at compile time and then does not know, writes nil: scripts in the field
// are read as they were there.
func converter(name string) (func(point.Value) point.Value, bool) {
	switch name {
	case "int":
		return toInt, true
	case "float":
		return func(v point.Value) point.Value { return point.FloatOf(fn.Number(v)) }, true
	case "bool":
		return toBool, true
	case "str":
		return toText, true
	case "string":
		return func(point.Value) point.Value { return point.NilOf() }, true
	}
	return nil, false
}

func toInt(v point.Value) point.Value {
	if n, ok := shortInt(v.Text()); ok {
		return point.IntOf(n)
	}
	return point.IntOf(int64(fn.Number(v)))
}

// shortInt reads a number of few digits, which a float holds exactly.
func shortInt(s string) (int64, bool) {
	if s == "" || len(s) > 15 {
		return 0, false
	}
	n := int64(0)
	for i := range len(s) {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = 10*n + int64(c)
	}
	return n, true
}

func toBool(v point.Value) point.Value {
	switch v.Kind() { //nolint:exhaustive // the others are false
	case point.Bool:
		return v
	case point.Int:
		return point.BoolOf(v.Int() != 0)
	case point.Float:
		return point.BoolOf(v.Float() != 0)
	case point.String:
		b, _ := strconv.ParseBool(v.Text())
		return point.BoolOf(b)
	}
	return point.BoolOf(false)
}

func toText(v point.Value) point.Value {
	switch v.Kind() { //nolint:exhaustive // the others have a text
	case point.List, point.Map:
		return point.StringOf("")
	}
	return point.StringOf(fn.TextOf(v))
}

func valueType() fn.Func {
	return fn.Func{
		Name:   "value_type",
		Params: []fn.Param{{Name: "value"}},
		Result: "str",
		Doc: fn.Text{
			En: `Returns the type of a value: "bool", "int", "float", "str", "list", "map", or "" for nil.`,
			Zh: `返回值的类型："bool"、"int"、"float"、"str"、"list"、"map"，nil 返回 ""。`,
		},
		Examples: []fn.Example{{Script: `add_key(t, value_type([1]))`, Out: map[string]any{"t": "list"}}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			value := c.Args[0].Eval
			return func(r *fn.Run) (point.Value, error) {
				v, err := value(r)
				if fn.IsLimit(err) {
					return v, err
				}
				if err != nil || v.Kind() == point.Nil {
					return point.StringOf(""), nil //nolint:nilerr // what has no value has no type
				}
				return point.StringOf(v.Kind().String()), nil
			}, nil
		},
	}
}

func parseInt() fn.Func {
	return fn.Func{
		Name:   "parse_int",
		Params: []fn.Param{{Name: "val"}, {Name: "base"}},
		Match:  fn.ByName,
		Result: "int",
		Doc: fn.Text{
			En: "Returns the integer that a string writes in a base from 2 to 36; base 0 goes by its prefix. What is no integer is 0.",
			Zh: "按 2 到 36 的进制将字符串解析为整数；base 为 0 时按前缀判断。无法解析时返回 0。",
		},
		Examples: []fn.Example{{Script: `add_key(n, parse_int("ff", 16))`, Out: map[string]any{"n": int64(255)}}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			return withBase(c, point.String, point.IntOf(0), func(r *fn.Run, v point.Value, base int) (point.Value, error) {
				if err := r.Step(len(v.Text()) / 8); err != nil {
					return v, err
				}
				n, _ := strconv.ParseInt(v.Text(), base, 64) // what it holds after an error is what users know
				return point.IntOf(n), nil
			})
		},
	}
}

func formatInt() fn.Func {
	return fn.Func{
		Name:   "format_int",
		Params: []fn.Param{{Name: "val"}, {Name: "base"}},
		Match:  fn.ByName,
		Result: "str",
		Doc: fn.Text{
			En: "Returns an integer as text in a base from 2 to 36.",
			Zh: "按 2 到 36 的进制将整数格式化为字符串。",
		},
		Examples: []fn.Example{{Script: `add_key(s, format_int(255, 16))`, Out: map[string]any{"s": "ff"}}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			return withBase(c, point.Int, point.StringOf(""), func(_ *fn.Run, v point.Value, base int) (point.Value, error) {
				if base < 2 || base > 36 {
					return v, fmt.Errorf("format_int: the base must be from 2 to 36, got %d", base)
				}
				return point.StringOf(strconv.FormatInt(v.Int(), base)), nil
			})
		},
	}
}

// withBase binds a function of a value of one kind and a base; arguments of any
// other kind give otherwise.
func withBase(c *fn.Call, kind point.Kind, otherwise point.Value, f func(*fn.Run, point.Value, int) (point.Value, error)) (fn.Eval, error) {
	value, base := c.Args[0].Eval, c.Args[1].Eval
	return func(r *fn.Run) (point.Value, error) {
		v, err := value(r)
		if err != nil || v.Kind() != kind {
			return otherwise, err
		}
		b, err := base(r)
		if err != nil || b.Kind() != point.Int {
			return otherwise, err
		}
		return f(r, v, int(b.Int()))
	}, nil
}
