// Package text holds the script functions that look at text and change it.
package text

import (
	"strings"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// Functions lists the functions of this package.
func Functions() []fn.Func {
	return []fn.Func{
		grokKey(), addPattern(), match(), replace(),
		uppercase(), lowercase(), trim(), cover(),
		length(), strlen(), sliceString(), strfmt(),
	}
}

// rewrite binds a function that replaces a key's text by f of it.
func rewrite(c *fn.Call, f func(string) string) (fn.Eval, error) {
	key, err := c.Key(0)
	if err != nil {
		return nil, err
	}
	return func(r *fn.Run) (point.Value, error) {
		s, ok := key.Text(r)
		if !ok {
			return point.NilOf(), nil
		}
		if err := r.Alloc(len(s)); err != nil {
			return point.NilOf(), err
		}
		r.Store(key.Name, point.StringOf(f(s)))
		return point.NilOf(), nil
	}, nil
}

func uppercase() fn.Func {
	return fn.Func{
		Name:   "uppercase",
		Params: []fn.Param{{Name: "key"}},
		Doc: fn.Text{
			En: "Writes the text of a key in upper case.",
			Zh: "将键的文本转换为大写。",
		},
		Examples: []fn.Example{{Script: `uppercase(m)`, In: map[string]any{"m": "get é"}, Out: map[string]any{"m": "GET É"}}},
		Bind:     func(c *fn.Call) (fn.Eval, error) { return rewrite(c, strings.ToUpper) },
	}
}

func lowercase() fn.Func {
	return fn.Func{
		Name:   "lowercase",
		Params: []fn.Param{{Name: "key"}},
		Doc: fn.Text{
			En: "Writes the text of a key in lower case.",
			Zh: "将键的文本转换为小写。",
		},
		Examples: []fn.Example{{Script: `lowercase(m)`, In: map[string]any{"m": "GET É"}, Out: map[string]any{"m": "get é"}}},
		Bind:     func(c *fn.Call) (fn.Eval, error) { return rewrite(c, strings.ToLower) },
	}
}

func trim() fn.Func {
	return fn.Func{
		Name:   "trim",
		Params: []fn.Param{{Name: "key"}, {Name: "cutset", Optional: true}},
		Doc: fn.Text{
			En: "Removes white space, or the characters of cutset, from both ends of a key's text.",
			Zh: "去除键的文本两端的空白字符，或 cutset 中的字符。",
		},
		Examples: []fn.Example{
			{Script: `trim(m)`, In: map[string]any{"m": " a b\n"}, Out: map[string]any{"m": "a b"}},
			{Script: `trim(m, "\"[]")`, In: map[string]any{"m": `["a"]`}, Out: map[string]any{"m": "a"}},
		},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			if !c.Has(1) {
				return rewrite(c, strings.TrimSpace)
			}
			cutset, err := c.Literal(1)
			if err != nil {
				return nil, err
			}
			if cutset == "" {
				return rewrite(c, strings.TrimSpace)
			}
			return rewrite(c, func(s string) string { return strings.Trim(s, cutset) })
		},
	}
}

func length() fn.Func {
	return fn.Func{
		Name:   "len",
		Params: []fn.Param{{Name: "value"}},
		Result: "int",
		Doc: fn.Text{
			En: "Returns the bytes of a string, the elements of a list or the keys of a map; 0 for anything else.",
			Zh: "返回字符串的字节数、列表的元素数或字典的键数；其他类型返回 0。",
		},
		Examples: []fn.Example{{Script: `add_key(n, len([1, 2]))`, Out: map[string]any{"n": int64(2)}}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			value := c.Args[0].Eval
			return func(r *fn.Run) (point.Value, error) {
				v, err := value(r)
				if err != nil {
					return v, err
				}
				n := 0
				switch v.Kind() { //nolint:exhaustive // the others have no length
				case point.String:
					n = len(v.Text())
				case point.List:
					n = len(*v.List())
				case point.Map:
					n = len(v.Map())
				}
				return point.IntOf(int64(n)), nil
			}, nil
		},
	}
}
