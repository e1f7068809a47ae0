package point

import (
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func ptKvsGet() fn.Func {
	return fn.Func{
		Name:   "pt_kvs_get",
		Params: []fn.Param{{Name: "name", Types: fn.OneOf(point.String)}},
		Match:  fn.ByType,
		Result: "any",
		Doc: fn.Text{
			En: "Returns the tag or field whose name is the value of name; nil where there is none.",
			Zh: "返回名称为 name 的值的标签或字段；不存在时返回 nil。",
		},
		Examples: []fn.Example{{
			Script: `for k in pt_kvs_keys(tags=false) { add_key(last, pt_kvs_get(k)) }`,
			In:     map[string]any{"x": int64(7)},
			Out:    map[string]any{"last": int64(7)},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			name := c.Args[0].Eval
			return func(r *fn.Run) (point.Value, error) {
				key, err := name(r)
				if err != nil {
					return key, err
				}
				v, _ := r.Load(key.Text())
				return v, nil
			}, nil
		},
	}
}

func ptKvsSet() fn.Func {
	return fn.Func{
		Name: "pt_kvs_set",
		Params: []fn.Param{
			{Name: "name", Types: fn.OneOf(point.String)},
			{Name: "value", Types: fn.OneOf(point.Bool, point.Int, point.Float, point.String, point.List, point.Map, point.Nil)},
			{Name: "as_tag", Types: fn.OneOf(point.Bool), Optional: true},
		},
		Match:  fn.ByType,
		Result: "bool",
		Doc: fn.Text{
			En: "Writes the field, or with as_tag=true the tag, whose name is the value of name.",
			Zh: "写入名称为 name 的值的字段；as_tag=true 时写为标签。",
		},
		Examples: []fn.Example{{
			Script: "k = \"a b\"\npt_kvs_set(k, 1)\npt_kvs_set(\"t\", 2, as_tag=true)",
			Out:    map[string]any{"a b": int64(1)},
			OutTag: map[string]string{"t": "2"},
		}},
		Bind: bindPtKvsSet,
	}
}

func bindPtKvsSet(c *fn.Call) (fn.Eval, error) {
	evals := []fn.Eval{c.Args[0].Eval, c.Args[1].Eval, c.Default(2, point.BoolOf(false))}
	return func(r *fn.Run) (point.Value, error) {
		var args [3]point.Value
		for i, eval := range evals {
			v, err := eval(r)
			if err != nil {
				return v, err
			}
			args[i] = v
		}
		store := r.Store
		if args[2].Bool() {
			store = r.StoreTag
		}
		store(args[0].Text(), args[1])
		return point.BoolOf(true), nil
	}, nil
}

func ptKvsDel() fn.Func {
	return fn.Func{
		Name:   "pt_kvs_del",
		Params: []fn.Param{{Name: "name", Types: fn.OneOf(point.String)}},
		Match:  fn.ByType,
		Doc: fn.Text{
			En: "Removes the tag or field whose name is the value of name.",
			Zh: "删除名称为 name 的值的标签或字段。",
		},
		Examples: []fn.Example{{
			Script: `pt_kvs_del("x")`,
			In:     map[string]any{"x": int64(7), "y": int64(8)},
			Out:    map[string]any{"x": nil, "y": int64(8)},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			name := c.Args[0].Eval
			return func(r *fn.Run) (point.Value, error) {
				v, err := name(r)
				if err == nil {
					r.Delete(v.Text())
				}
				return point.NilOf(), err
			}, nil
		},
	}
}

func ptKvsKeys() fn.Func {
	return fn.Func{
		Name: "pt_kvs_keys",
		Params: []fn.Param{
			{Name: "tags", Types: fn.OneOf(point.Bool), Optional: true},
			{Name: "fields", Types: fn.OneOf(point.Bool), Optional: true},
		},
		Match:  fn.ByType,
		Result: "list",
		Doc: fn.Text{
			En: "Returns the names of the point's tags and fields.",
			Zh: "返回数据点的标签名与字段名列表。",
		},
		Examples: []fn.Example{{
			Script: `add_key(n, len(pt_kvs_keys(tags=false)))`,
			In:     map[string]any{"x": int64(7), "y": int64(8)},
			Out:    map[string]any{"n": int64(2)},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			tags, fields := c.Default(0, point.BoolOf(true)), c.Default(1, point.BoolOf(true))
			return func(r *fn.Run) (point.Value, error) {
				withTags, err := tags(r)
				if err != nil {
					return withTags, err
				}
				withFields, err := fields(r)
				if err != nil {
					return withFields, err
				}
				return keys(r, withTags.Bool(), withFields.Bool())
			}, nil
		},
	}
}

func keys(r *fn.Run, tags, fields bool) (point.Value, error) {
	if err := r.Alloc((len(r.Point.Tags) + len(r.Point.Fields)) * fn.ValueSize); err != nil {
		return point.NilOf(), err
	}
	list := []point.Value{}
	if tags {
		for _, t := range r.Point.Tags {
			list = append(list, point.StringOf(t.Key))
		}
	}
	if fields {
		for _, f := range r.Point.Fields {
			list = append(list, point.StringOf(f.Key))
		}
	}
	return point.ListOf(&list), nil
}
