package formats

import (
	"strings"

	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/regex"
	"datakit.dev/internal/point"
)

func kvSplit() fn.Func {
	return fn.Func{
		Name: "kv_split",
		Params: []fn.Param{
			{Name: "key"},
			{Name: "field_split_pattern", Optional: true},
			{Name: "value_split_pattern", Optional: true},
			{Name: "trim_key", Optional: true},
			{Name: "trim_value", Optional: true},
			{Name: "include_keys", Optional: true},
			{Name: "prefix", Optional: true},
		},
		Match:  fn.ByName,
		Result: "bool",
		Doc: fn.Text{
			En: "Splits a key's text into fields (at spaces, or at a regular expression) and each field into name and value (at =), " +
				"and writes those whose name is in include_keys; without that list it writes none. trim_key and trim_value are " +
				"characters to remove from both ends; prefix is put before the names. Returns whether anything was written.",
			Zh: "将键的文本按空格（或正则表达式）分割为字段，再按 =（或正则表达式）分割为名称与值，并写入名称在 include_keys 中的字段；" +
				"未给出该列表时不写入。trim_key 与 trim_value 为两端要去除的字符，prefix 为名称前缀。返回是否写入。",
		},
		Examples: []fn.Example{{
			Script: `kv_split(_, field_split_pattern=", ?", include_keys=["a", "c"], prefix="x_")`,
			In:     map[string]any{"message": "a=1, b=2,c=3"},
			Out:    map[string]any{"x_a": "1", "x_c": "3", "x_b": nil},
		}},
		Bind: bindKV,
	}
}

// A splitter is how kv_split reads a text.
type splitter struct {
	field, value       divider
	trimKey, trimValue string
	prefix             string
}

func bindKV(c *fn.Call) (fn.Eval, error) {
	key, err := c.Key(0)
	if err != nil {
		return nil, err
	}
	var sp splitter
	if sp.field, err = dividerOf(c, 1, " "); err != nil {
		return nil, err
	}
	if sp.value, err = dividerOf(c, 2, "="); err != nil {
		return nil, err
	}
	for i, to := range map[int]*string{3: &sp.trimKey, 4: &sp.trimValue, 6: &sp.prefix} {
		if !c.Has(i) {
			continue
		}
		if *to, err = c.Literal(i); err != nil {
			return nil, err
		}
	}
	wanted, err := includeKeys(c, 5)
	return func(r *fn.Run) (point.Value, error) {
		s, ok := key.Text(r)
		if !ok {
			return point.BoolOf(false), nil
		}
		keys, err := wanted(r)
		if err != nil || len(keys) == 0 || s == "" {
			return point.BoolOf(false), err
		}
		found, err := sp.store(r, s, keys)
		return point.BoolOf(found), err
	}, err
}

// store writes the pairs of s whose name is wanted, the last of a name at last.
func (sp *splitter) store(r *fn.Run, s string, wanted keySet) (bool, error) {
	found := false
	fields, err := sp.field.split(r, s)
	if err != nil {
		return false, err
	}
	for field := range fields {
		name, value, ok, err := sp.value.cut(r, field)
		if err != nil {
			return found, err
		}
		if !ok {
			continue
		}
		name = strings.Trim(name, sp.trimKey)
		if _, ok := wanted[name]; !ok || name == "" {
			continue
		}
		if sp.trimValue != "" {
			value = strings.Trim(value, sp.trimValue)
		}
		if sp.prefix != "" {
			if err := r.Alloc(len(sp.prefix) + len(name)); err != nil {
				return found, err
			}
			name = sp.prefix + name
		}
		r.Store(name, point.StringOf(value))
		found = true
	}
	return found, nil
}

// A keySet is names to write.
type keySet = map[string]struct{}

// includeKeys returns argument i, a list of strings; what else is in it does not
// count, and what is no list is an empty one.
func includeKeys(c *fn.Call, i int) (func(*fn.Run) (keySet, error), error) {
	if !c.Has(i) {
		return func(*fn.Run) (keySet, error) { return nil, nil }, nil
	}
	switch x := c.Args[i].Node.(type) {
	case *ast.ListLit:
		if keys, ok := literalKeys(x); ok {
			return func(*fn.Run) (keySet, error) { return keys, nil }, nil
		}
	case *ast.Ident:
	default:
		return nil, c.Errorf(i, "expected a list or a name, got %s", c.Kind(i))
	}
	list := c.Args[i].Eval
	return func(r *fn.Run) (keySet, error) {
		v, err := list(r)
		if err != nil || v.Kind() != point.List {
			return nil, err
		}
		if err := r.Alloc(len(*v.List()) * fn.EntrySize); err != nil {
			return nil, err
		}
		keys := make(keySet, len(*v.List()))
		for _, e := range *v.List() {
			if e.Kind() == point.String {
				keys[e.Text()] = struct{}{}
			}
		}
		return keys, nil
	}, nil
}

// literalKeys returns the strings of a list that holds nothing else, which every
// point then shares.
func literalKeys(list *ast.ListLit) (keySet, bool) {
	keys := make(keySet, len(list.Elems))
	for _, e := range list.Elems {
		lit, ok := e.(*ast.StringLit)
		if !ok {
			return nil, false
		}
		keys[lit.Value] = struct{}{}
	}
	return keys, true
}

// dividerOf returns argument i, a regular expression, or otherwise.
func dividerOf(c *fn.Call, i int, otherwise string) (divider, error) {
	text := otherwise
	if c.Has(i) {
		var err error
		if text, err = c.Literal(i); err != nil {
			return divider{}, err
		}
	}
	expr, err := regex.Compile(text)
	if err != nil {
		return divider{}, c.Errorf(i, "%v", err)
	}
	if plain, whole := expr.Literal(); whole && plain != "" {
		return divider{plain: plain}, nil
	}
	return divider{expr: expr}, nil
}
