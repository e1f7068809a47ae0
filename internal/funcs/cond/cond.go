// Package cond holds the script functions that act where a value meets a
// condition.
package cond

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/token"
	"datakit.dev/internal/point"
)

// Functions lists the functions of this package.
func Functions() []fn.Func {
	return []fn.Func{nullif(), groupBetween(), groupIn(), sample()}
}

func nullif() fn.Func {
	return fn.Func{
		Name:   "nullif",
		Params: []fn.Param{{Name: "key"}, {Name: "value"}},
		Doc: fn.Text{
			En: "Removes a key whose value is the one given.",
			Zh: "当键的值等于给定值时删除该键。",
		},
		Examples: []fn.Example{
			{Script: `nullif(user, "-")`, In: map[string]any{"user": "-"}, Out: map[string]any{"user": nil}},
			{Script: `nullif(user, "-")`, In: map[string]any{"user": "tom"}, Out: map[string]any{"user": "tom"}},
		},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			key, err := c.Key(0)
			if err != nil {
				return nil, err
			}
			value := c.Args[1].Eval
			return func(r *fn.Run) (point.Value, error) {
				have, ok := key.Get(r)
				if !ok {
					return point.NilOf(), nil
				}
				want, err := value(r)
				if err == nil && fn.Same(have, want) {
					r.Delete(key.Name)
				}
				return point.NilOf(), err
			}, nil
		},
	}
}

func groupParams() []fn.Param {
	return []fn.Param{{Name: "key"}, {Name: "set"}, {Name: "value"}, {Name: "new_key", Optional: true}}
}

func groupBetween() fn.Func {
	return fn.Func{
		Name:   "group_between",
		Params: groupParams(),
		Doc: fn.Text{
			En: "Where the key's number lies in [low, high], writes the value (a literal) to the key, or to new_key.",
			Zh: "当键的数值位于 [low, high] 区间时，将给定值（字面量）写入该键或 new_key。",
		},
		Examples: []fn.Example{{
			Script: `group_between(code, [200, 299], "ok", status_text)`,
			In:     map[string]any{"code": int64(204)},
			Out:    map[string]any{"status_text": "ok"},
		}},
		Bind: bindGroupBetween,
	}
}

func bindGroupBetween(c *fn.Call) (fn.Eval, error) {
	key, target, err := groupKeys(c)
	if err != nil {
		return nil, err
	}
	set, err := c.Numbers(1, 2)
	if err != nil {
		return nil, err
	}
	low, high := set[0], set[1]
	if low > high {
		return nil, c.Errorf(1, "the range begins at %v, after its end %v", low, high)
	}
	value, ok := literal(c.Args[2].Node)
	return func(r *fn.Run) (point.Value, error) {
		v, found := key.Get(r)
		if !found {
			return point.NilOf(), nil
		}
		if n := fn.Number(v); n >= low && n <= high {
			if !ok {
				return point.NilOf(), errors.New("group_between: the value must be a number, a string or a bool in the script's text")
			}
			r.Store(target, value)
		}
		return point.NilOf(), nil
	}, nil
}

func groupIn() fn.Func {
	return fn.Func{
		Name:   "group_in",
		Params: groupParams(),
		Doc: fn.Text{
			En: "Where the key's value is an element of the list, writes the value (a literal) to the key, or to new_key.",
			Zh: "当键的值在列表中时，将给定值（字面量）写入该键或 new_key。",
		},
		Examples: []fn.Example{{
			Script: `group_in(level, ["e", "err"], "error")`,
			In:     map[string]any{"level": "err"},
			Out:    map[string]any{"level": "error"},
		}},
		Bind: bindGroupIn,
	}
}

func bindGroupIn(c *fn.Call) (fn.Eval, error) {
	key, target, err := groupKeys(c)
	if err != nil {
		return nil, err
	}
	set := func(*fn.Run) (point.Value, error) { return point.NilOf(), nil }
	switch c.Args[1].Node.(type) {
	case *ast.Ident, *ast.ListLit:
		set = c.Args[1].Eval
	}
	value, ok := literal(c.Args[2].Node)
	return func(r *fn.Run) (point.Value, error) {
		v, found := key.Get(r)
		if !found {
			return point.NilOf(), nil
		}
		list, err := set(r)
		if err == nil && list.Kind() == point.List {
			err = r.Step(len(*list.List()))
		}
		if err != nil && fn.IsLimit(err) {
			return list, err
		}
		if err == nil && ok && holds(list, v) {
			r.Store(target, value)
		}
		return point.NilOf(), nil
	}, nil
}

func holds(list, v point.Value) bool {
	if list.Kind() != point.List {
		return false
	}
	for _, e := range *list.List() {
		if fn.Same(v, e) {
			return true
		}
	}
	return false
}

// groupKeys returns the key that is looked at and the name of the one that is
// written.
func groupKeys(c *fn.Call) (fn.Key, string, error) {
	key, err := c.Key(0)
	if err != nil || !c.Has(3) {
		return key, key.Name, err
	}
	target, err := c.Key(3)
	return key, target.Name, err
}

// literal returns the value that x is in the script's text.
func literal(x ast.Expr) (point.Value, bool) {
	switch x := x.(type) {
	case *ast.IntLit:
		return point.IntOf(x.Value), true
	case *ast.FloatLit:
		return point.FloatOf(x.Value), true
	case *ast.StringLit:
		return point.StringOf(x.Value), true
	case *ast.BoolLit:
		return point.BoolOf(x.Value), true
	}
	return point.NilOf(), false
}

func sample() fn.Func {
	return fn.Func{
		Name:   "sample",
		Params: []fn.Param{{Name: "probability"}},
		Result: "bool",
		Doc: fn.Text{
			En: "Returns true with the probability given, from 0 to 1.",
			Zh: "以给定概率（0 到 1）返回 true。",
		},
		Examples: []fn.Example{{Script: `if sample(1) { add_key(kept, true) }`, Out: map[string]any{"kept": true}}},
		Bind:     bindSample,
	}
}

func bindSample(c *fn.Call) (fn.Eval, error) {
	if !reckoned(c.Args[0].Node) {
		return nil, c.Errorf(0, "expected a number or a calculation, got %s", c.Kind(0))
	}
	probability := c.Args[0].Eval
	return func(r *fn.Run) (point.Value, error) {
		v, err := probability(r)
		if err != nil {
			return v, err
		}
		if k := v.Kind(); k != point.Int && k != point.Float {
			return v, fmt.Errorf("sample: expected a number, got %s", k)
		}
		p := fn.Number(v)
		if !(p >= 0 && p <= 1) {
			return v, fmt.Errorf("sample: the probability must be from 0 to 1, got %v", p)
		}
		return point.BoolOf(rand.Float64() < p), nil
	}, nil
}

// reckoned reports whether x is a number in the script's text or is calculated.
func reckoned(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.IntLit, *ast.FloatLit:
		return true
	case *ast.Binary:
		switch x.Op { //nolint:exhaustive // the others calculate no number
		case token.Add, token.Sub, token.Mul, token.Div, token.Mod:
			return true
		}
	}
	return false
}
