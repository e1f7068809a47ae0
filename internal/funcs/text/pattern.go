package text

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/grok"
	"datakit.dev/internal/pipeline/regex"
	"datakit.dev/internal/point"
)

func addPattern() fn.Func {
	return fn.Func{
		Name:   "add_pattern",
		Params: []fn.Param{{Name: "name"}, {Name: "pattern"}},
		Doc: fn.Text{
			En: "Defines a grok pattern for the rest of the block, when the script is compiled.",
			Zh: "在编译脚本时定义一个 grok 模式，对所在代码块的其余部分有效。",
		},
		Examples: []fn.Example{{
			Script: "add_pattern(\"ver\", \"v[0-9.]+\")\ngrok(_, \"%{ver:version}\")",
			In:     map[string]any{"message": "app v1.2 up"},
			Out:    map[string]any{"version": "v1.2"},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			name, err := c.Literal(0)
			if err != nil {
				return nil, err
			}
			pattern, err := c.Literal(1)
			if err != nil {
				return nil, err
			}
			if err := c.Patterns.Add(name, pattern); err != nil {
				return nil, c.Errorf(1, "%v", err)
			}
			return func(*fn.Run) (point.Value, error) { return point.NilOf(), nil }, nil
		},
	}
}

func grokKey() fn.Func {
	return fn.Func{
		Name:   "grok",
		Params: []fn.Param{{Name: "key"}, {Name: "pattern"}, {Name: "trim_space", Optional: true}},
		Result: "bool",
		Doc: fn.Text{
			En: "Matches a key's text against a pattern and writes what it names, %{PATTERN:name:type}. " +
				"Without a match it writes nothing and returns false.",
			Zh: "用模式匹配键的文本并写入其中命名的部分 %{PATTERN:name:type}。不匹配时不写入并返回 false。",
		},
		Examples: []fn.Example{{
			Script: `grok(_, "%{IP:client} %{INT:code:int}")`,
			In:     map[string]any{"message": "1.2.3.4 200"},
			Out:    map[string]any{"client": "1.2.3.4", "code": int64(200)},
		}},
		Bind: bindGrok,
	}
}

func bindGrok(c *fn.Call) (fn.Eval, error) {
	key, err := c.Key(0)
	if err != nil {
		return nil, err
	}
	text, err := c.Literal(1)
	if err != nil {
		return nil, err
	}
	trimmed := true
	if c.Has(2) {
		if trimmed, err = c.Bool(2); err != nil {
			return nil, err
		}
	}
	pattern, err := grok.Compile(text, c.Patterns)
	if err != nil {
		return nil, c.Errorf(1, "%v", err)
	}
	captures := pattern.Captures()
	return func(r *fn.Run) (point.Value, error) {
		s, ok := key.Text(r)
		if !ok {
			return point.BoolOf(false), nil
		}
		if err := r.Step(len(s)); err != nil {
			return point.NilOf(), err
		}
		var room [16]grok.Span
		spans, ok, err := pattern.MatchWithin(s, room[:0], r)
		if !ok || err != nil {
			return point.BoolOf(false), err
		}
		before := len(r.Point.Fields)
		for i, span := range spans {
			part := span.Of(s)
			if trimmed && mayTrim(part) {
				part = strings.TrimSpace(part)
			}
			r.StoreAmong(before, captures[i].Name, typed(part, captures[i].Type))
		}
		return point.BoolOf(true), nil
	}, nil
}

// mayTrim reports whether there may be white space around s: mostly there is
// none, and two looks tell.
func mayTrim(s string) bool {
	if s == "" {
		return false
	}
	first, last := s[0], s[len(s)-1]
	return first <= ' ' || last <= ' ' || first >= utf8.RuneSelf || last >= utf8.RuneSelf
}

// typed converts what a pattern captured; what has no such value is zero.
func typed(s string, to grok.Type) point.Value {
	switch to {
	case grok.Int:
		n, _ := strconv.ParseInt(s, 10, 64)
		return point.IntOf(n)
	case grok.Float:
		f, _ := strconv.ParseFloat(s, 64)
		return point.FloatOf(f)
	case grok.Bool:
		b, _ := strconv.ParseBool(s)
		return point.BoolOf(b)
	case grok.String:
	}
	return point.StringOf(s)
}

func match() fn.Func {
	return fn.Func{
		Name:   "match",
		Params: []fn.Param{{Name: "pattern"}, {Name: "text"}},
		Result: "bool",
		Doc: fn.Text{
			En: "Reports whether a text holds a match of a regular expression (RE2).",
			Zh: "判断文本是否匹配正则表达式（RE2）。",
		},
		Examples: []fn.Example{{
			Script: `add_key(ok, match("^[0-9]+$", _))`,
			In:     map[string]any{"message": "123"},
			Out:    map[string]any{"ok": true},
		}},
		Bind: bindMatch,
	}
}

func bindMatch(c *fn.Call) (fn.Eval, error) {
	expr, err := expression(c, 0)
	if err != nil {
		return nil, err
	}
	switch c.Args[1].Node.(type) {
	case *ast.Ident, *ast.Attr, *ast.Call, *ast.StringLit:
	default:
		return nil, c.Errorf(1, "expected a name, a call or a string, got %s", c.Kind(1))
	}
	value := c.Args[1].Eval
	return func(r *fn.Run) (point.Value, error) {
		v, err := value(r)
		if err != nil || v.Kind() != point.String {
			return point.BoolOf(false), err
		}
		found, err := expr.Match(v.Text(), r)
		return point.BoolOf(found), err
	}, nil
}

// expression compiles argument i, a string with a regular expression.
func expression(c *fn.Call, i int) (*regex.Expr, error) {
	text, err := c.Literal(i)
	if err != nil {
		return nil, err
	}
	expr, err := regex.Compile(text)
	if err != nil {
		return nil, c.Errorf(i, "%v", err)
	}
	return expr, nil
}

func replace() fn.Func {
	return fn.Func{
		Name:   "replace",
		Params: []fn.Param{{Name: "key"}, {Name: "pattern"}, {Name: "replacement"}},
		Doc: fn.Text{
			En: "Replaces each match of a regular expression in a key's text; $1 is the first group.",
			Zh: "替换键的文本中正则表达式的所有匹配；$1 表示第一个分组。",
		},
		Examples: []fn.Example{{
			Script: `replace(phone, "(1[0-9]{2})[0-9]{4}([0-9]{4})", "$1****$2")`,
			In:     map[string]any{"phone": "13789123014"},
			Out:    map[string]any{"phone": "137****3014"},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			key, err := c.Key(0)
			if err != nil {
				return nil, err
			}
			expr, err := expression(c, 1)
			if err != nil {
				return nil, err
			}
			with, err := c.Literal(2)
			return func(r *fn.Run) (point.Value, error) {
				s, ok := key.Text(r)
				if !ok {
					return point.NilOf(), nil
				}
				return point.NilOf(), replaceAll(r, key, expr, s, with)
			}, err
		},
	}
}

func replaceAll(r *fn.Run, key fn.Key, expr *regex.Expr, s, with string) error {
	// At worst each byte is a match, and each group in the replacement is the
	// whole text.
	groups := strings.Count(with, "$")
	if err := r.Alloc(len(s) + (len(s)+1)*len(with)); err != nil {
		return err
	}
	if groups > 0 {
		if err := r.Alloc(len(s) * groups); err != nil {
			return err
		}
	}
	text, err := expr.Replace(s, with, r)
	if err == nil {
		r.Store(key.Name, point.StringOf(text))
	}
	return err
}
