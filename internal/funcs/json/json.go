// Package json holds the script functions that read JSON texts, and those for
// the lists and maps that come of them.
package json

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// Functions lists the functions of this package.
func Functions() []fn.Func {
	return []fn.Func{
		jsonKey(), gjsonKey(), jsonAll(), loadJSON(), validJSON("valid_json"), validJSON("vaild_json"),
		appendTo(), deleteFrom(),
	}
}

func jsonKey() fn.Func {
	return fn.Func{
		Name: "json",
		Params: []fn.Param{
			{Name: "input"},
			{Name: "json_path"},
			{Name: "newkey", Optional: true},
			{Name: "trim_space", Optional: true},
			{Name: "delete_after_extract", Optional: true},
		},
		Match: fn.ByName,
		Doc: fn.Text{
			En: "Takes the value at a path, a.b[0].c, out of a key's JSON text and writes it to the key of that name, or to newkey. " +
				"Numbers become floats; lists and maps are written as JSON.",
			Zh: "从键的 JSON 文本中按路径 a.b[0].c 取值，写入同名键或 newkey。数字为浮点数；列表和字典写为 JSON 文本。",
		},
		Examples: []fn.Example{
			{
				Script: "json(_, user.name, who)\njson(_, ids[-1], last)\njson(_, user)",
				In:     map[string]any{"message": `{"user": {"name": " tom "}, "ids": [1, 2]}`},
				Out:    map[string]any{"who": "tom", "last": 2.0, "user": `{"name":" tom "}`},
			},
			{
				Script: `json(_, a, delete_after_extract=true)`,
				In:     map[string]any{"message": `{"b": 2, "a": 1}`},
				Out:    map[string]any{"a": 1.0, "message": `{"b":2}`},
			},
		},
		Bind: bindJSON,
	}
}

// An extraction is one call of json: what to take, and where it goes.
type extraction struct {
	source fn.Key
	target string
	path   []step
	trim   bool
	remove bool
}

func bindJSON(c *fn.Call) (fn.Eval, error) {
	source, err := c.Key(0)
	if err != nil {
		return nil, err
	}
	x := extraction{source: source, trim: true}
	switch c.Args[1].Node.(type) {
	case *ast.Attr, *ast.Ident, *ast.Index:
	default:
		return nil, c.Errorf(1, "expected a path, got %s", c.Kind(1))
	}
	path, leads := pathOf(c.Args[1].Node)
	x.path = path
	x.target = c.Args[1].Key.Name // none where the path is only an index: the key "" then
	if err := x.options(c); err != nil {
		return nil, err
	}
	if !leads {
		return func(*fn.Run) (point.Value, error) { return point.NilOf(), nil }, nil
	}
	return func(r *fn.Run) (point.Value, error) { return point.NilOf(), x.run(r) }, nil
}

func (x *extraction) options(c *fn.Call) error {
	var err error
	if c.Has(2) {
		var key fn.Key
		if key, err = c.Key(2); err != nil {
			return err
		}
		x.target = key.Name
	}
	if c.Has(3) {
		if x.trim, err = c.Bool(3); err != nil {
			return err
		}
	}
	if !c.Has(4) {
		return nil
	}
	if x.remove, err = c.Bool(4); err != nil {
		return err
	}
	if x.remove == endsInList(c.Args[1].Node) {
		return c.Errorf(4, "only a key of a map can be deleted after it was extracted")
	}
	return nil
}

func (x *extraction) run(r *fn.Run) error {
	text, ok := x.source.Text(r)
	if !ok {
		return nil
	}
	d, err := open(r, text)
	if d == nil {
		return err
	}
	at, ok := d.find(x.path)
	if !ok {
		return nil
	}
	v, err := d.value(r, at)
	if err != nil || v.Kind() == point.Nil {
		return err
	}
	if v.Kind() == point.String && x.trim {
		v = point.StringOf(strings.TrimSpace(v.Text()))
	}
	r.Store(x.target, v)
	if !x.remove {
		return nil
	}
	whole, err := d.value(r, 0)
	if err != nil {
		return err
	}
	remove(whole, x.path)
	r.Store(x.source.Name, whole)
	return nil
}

func gjsonKey() fn.Func {
	return fn.Func{
		Name:   "gjson",
		Params: []fn.Param{{Name: "input"}, {Name: "json_path"}, {Name: "key_name", Optional: true}},
		Match:  fn.ByName,
		Doc: fn.Text{
			En: "Takes what a GJSON path, a string, finds in a key's JSON text and writes it to the key of that name, or to key_name.",
			Zh: "从键的 JSON 文本中按 GJSON 路径（字符串）取值，写入同名键或 key_name。",
		},
		Examples: []fn.Example{{
			Script: `gjson(_, "friends.#.age", "ages")`,
			In:     map[string]any{"message": `{"friends": [{"age": 1}, {"age": 2}]}`},
			Out:    map[string]any{"ages": "[1,2]"},
		}},
		Bind: bindGJSON,
	}
}

func bindGJSON(c *fn.Call) (fn.Eval, error) {
	source, err := c.Key(0)
	if err != nil {
		return nil, err
	}
	for i := 1; i < 3; i++ {
		switch c.Args[i].Node.(type) {
		case nil, *ast.Ident, *ast.StringLit:
		default:
			return nil, c.Errorf(i, "expected a name or a string, got %s", c.Kind(i))
		}
	}
	path := c.Args[1].Eval
	target := c.Default(2, point.NilOf())
	return func(r *fn.Run) (point.Value, error) {
		p, err := path(r)
		if err != nil {
			return p, err
		}
		key, err := target(r)
		if err != nil {
			return key, err
		}
		if !c.Has(2) {
			key = p
		}
		if p.Kind() != point.String || key.Kind() != point.String {
			return p, fmt.Errorf("gjson: path and key must be strings, got %s and %s", p.Kind(), key.Kind())
		}
		text, ok := source.Text(r)
		if !ok {
			return point.NilOf(), nil
		}
		if err := r.Step(len(text)/8 + len(p.Text())); err != nil {
			return p, err
		}
		if err := r.Alloc(len(text)); err != nil {
			return p, err
		}
		if nestsDeeper(text, maxGJSONDepth) {
			return point.NilOf(), nil
		}
		if v, ok := resultOf(gjson.Get(text, p.Text())); ok {
			r.Store(key.Text(), v)
		}
		return point.NilOf(), nil
	}, nil
}

// maxGJSONDepth is how deep a text may nest that gjson looks at. Some of what its
// paths can ask for (@pretty, @valid) goes down by recursion: a text of 10 MiB of
// brackets would overflow the stack, which ends the agent.
const maxGJSONDepth = 10_000

// nestsDeeper reports whether brackets, but for those in strings, nest deeper
// than limit.
func nestsDeeper(text string, limit int) bool {
	if strings.Count(text, "[")+strings.Count(text, "{") <= limit { // the usual text costs no more
		return false
	}
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '[', '{':
			if depth++; depth > limit {
				return true
			}
		case ']', '}':
			depth = max(depth-1, 0)
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		}
	}
	return false
}

func resultOf(res gjson.Result) (point.Value, bool) {
	switch res.Type {
	case gjson.Number:
		return point.FloatOf(res.Float()), true
	case gjson.True, gjson.False:
		return point.BoolOf(res.Bool()), true
	case gjson.String, gjson.JSON:
		return point.StringOf(res.String()), true
	case gjson.Null:
	}
	return point.NilOf(), false
}

func jsonAll() fn.Func {
	return fn.Func{
		Name:   "json_all",
		Params: []fn.Param{{Name: "ignored", Rest: true}},
		Doc: fn.Text{
			En: "Does nothing; kept for scripts of early versions. Use json or load_json.",
			Zh: "不执行任何操作，仅为兼容早期脚本保留。请使用 json 或 load_json。",
		},
		Examples: []fn.Example{{Script: `json_all(_)`, In: map[string]any{"message": `{"a": 1}`}, Out: map[string]any{"a": nil}}},
		Bind: func(*fn.Call) (fn.Eval, error) {
			return func(*fn.Run) (point.Value, error) { return point.NilOf(), nil }, nil
		},
	}
}

func loadJSON() fn.Func {
	return fn.Func{
		Name:   "load_json",
		Params: []fn.Param{{Name: "text"}},
		Result: "any",
		Doc: fn.Text{
			En: "Returns the value of a JSON text; nil where it is none. Numbers become floats.",
			Zh: "将 JSON 文本解析为值；不是合法 JSON 时返回 nil。数字为浮点数。",
		},
		Examples: []fn.Example{{
			Script: "v = load_json(_)\nadd_key(first, v[\"a\"][0])",
			In:     map[string]any{"message": `{"a": ["x", "y"]}`},
			Out:    map[string]any{"first": "x"},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			value := c.Args[0].Eval
			return func(r *fn.Run) (point.Value, error) {
				v, err := value(r)
				if err != nil {
					return v, err
				}
				if v.Kind() != point.String {
					return v, fmt.Errorf("load_json: expected a string, got %s", v.Kind())
				}
				d, err := open(r, v.Text())
				if d == nil {
					return point.NilOf(), err
				}
				return d.value(r, 0)
			}, nil
		},
	}
}

func validJSON(name string) fn.Func {
	return fn.Func{
		Name:   name,
		Params: []fn.Param{{Name: "text"}},
		Result: "bool",
		Doc: fn.Text{
			En: "Reports whether a string is a JSON text. (vaild_json is the same, as first spelled.)",
			Zh: "判断字符串是否为合法的 JSON 文本。（vaild_json 为早期的拼写。）",
		},
		Examples: []fn.Example{{Script: `add_key(ok, ` + name + `("[1"))`, Out: map[string]any{"ok": false}}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			value := c.Args[0].Eval
			return func(r *fn.Run) (point.Value, error) {
				v, err := value(r)
				if err != nil || v.Kind() != point.String {
					return point.BoolOf(false), err
				}
				d, err := open(r, v.Text())
				return point.BoolOf(d != nil), err
			}, nil
		},
	}
}

func appendTo() fn.Func {
	return fn.Func{
		Name:   "append",
		Params: []fn.Param{{Name: "list"}, {Name: "elem"}},
		Result: "list",
		Doc: fn.Text{
			En: "Returns the list that a variable holds with one more element; nil where it holds none.",
			Zh: "返回在变量所存列表末尾追加一个元素后的列表；变量不是列表时返回 nil。",
		},
		Examples: []fn.Example{{Script: "l = [1]\nl = append(l, \"a\")\nadd_key(l)", Out: map[string]any{"l": `[1,"a"]`}}},
		Bind:     bindAppend,
	}
}

func bindAppend(c *fn.Call) (fn.Eval, error) {
	if _, ok := c.Args[0].Node.(*ast.Ident); !ok {
		return nil, c.Errorf(0, "expected the name of a list, got %s", c.Kind(0))
	}
	key, elem := c.Args[0].Key, c.Args[1].Eval
	return func(r *fn.Run) (point.Value, error) {
		v, _ := key.Get(r)
		if v.Kind() != point.List {
			return point.NilOf(), nil
		}
		e, err := elem(r)
		if err != nil {
			return e, err
		}
		list := *v.List()
		size := fn.ValueSize
		if len(list) == cap(list) {
			size += 2 * len(list) * fn.ValueSize
		}
		if err := r.Alloc(size); err != nil {
			return e, err
		}
		longer := append(list, e) //nolint:gocritic // two lists share room, as users know it
		return point.ListOf(&longer), nil
	}, nil
}

func deleteFrom() fn.Func {
	return fn.Func{
		Name:   "delete",
		Params: []fn.Param{{Name: "src"}, {Name: "key"}},
		Match:  fn.ByName,
		Doc: fn.Text{
			En: "Removes a key from the map that a variable, or an element of it, holds.",
			Zh: "从变量或其元素所存的字典中删除一个键。",
		},
		Examples: []fn.Example{{
			Script: "m = {\"a\": 1, \"b\": {\"c\": 2}}\ndelete(m, \"a\")\ndelete(m[\"b\"], \"c\")\nadd_key(m)",
			Out:    map[string]any{"m": `{"b":{}}`},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			switch c.Args[0].Node.(type) {
			case *ast.Ident, *ast.Index:
			default:
				return nil, c.Errorf(0, "expected a name or an element, got %s", c.Kind(0))
			}
			key, err := c.Literal(1)
			source := c.Args[0].Eval
			return func(r *fn.Run) (point.Value, error) {
				v, err := source(r)
				if fn.IsLimit(err) {
					return v, err
				}
				if err == nil && v.Kind() == point.Map {
					delete(v.Map(), key)
				}
				return point.NilOf(), nil
			}, err
		},
	}
}
