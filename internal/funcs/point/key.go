package point

import (
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func addKey() fn.Func {
	return fn.Func{
		Name:   "add_key",
		Params: []fn.Param{{Name: "key"}, {Name: "value", Optional: true}},
		Doc: fn.Text{
			En: "Writes a field. Without a value, the variable of that name is written. " +
				"A tag of that name stays a tag and takes the value's text; lists and maps become JSON.",
			Zh: "写入一个字段。省略 value 时写入同名变量的值。若同名标签已存在则保持为标签并写入文本；列表和字典写为 JSON 文本。",
		},
		Examples: []fn.Example{
			{Script: `add_key(city, "shanghai")`, Out: map[string]any{"city": "shanghai"}},
			{Script: "n = 1 + 2\nadd_key(n)", Out: map[string]any{"n": int64(3)}},
			{Script: `add_key(host, 5)`, Tags: map[string]string{"host": "a"}, OutTag: map[string]string{"host": "5"}},
		},
		Bind: bindAddKey,
	}
}

func bindAddKey(c *fn.Call) (fn.Eval, error) {
	key, err := c.Key(0)
	if err != nil {
		return nil, err
	}
	if !c.Has(1) {
		return func(r *fn.Run) (point.Value, error) {
			if v, ok := key.Get(r); ok {
				r.Store(key.Name, v)
			}
			return point.NilOf(), nil
		}, nil
	}
	value := c.Args[1].Eval
	return func(r *fn.Run) (point.Value, error) {
		v, err := value(r)
		if err == nil {
			r.Store(key.Name, v)
		}
		return point.NilOf(), err
	}, nil
}

func getKey() fn.Func {
	return fn.Func{
		Name:   "get_key",
		Params: []fn.Param{{Name: "key"}},
		Result: "any",
		Doc: fn.Text{
			En: "Returns the tag or field of the point, never a variable; nil where there is none.",
			Zh: "返回行协议点的标签或字段的值（不读取变量）；不存在时返回 nil。",
		},
		Examples: []fn.Example{{
			Script: "city = \"x\"\nadd_key(r, get_key(city))",
			In:     map[string]any{"city": "shanghai"},
			Out:    map[string]any{"r": "shanghai"},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			key, err := c.Key(0)
			return func(r *fn.Run) (point.Value, error) {
				v, _ := r.Load(key.Name)
				return v, nil
			}, err
		},
	}
}

func setTag() fn.Func {
	return fn.Func{
		Name:   "set_tag",
		Params: []fn.Param{{Name: "key"}, {Name: "value", Optional: true}},
		Doc: fn.Text{
			En: "Makes a tag of a key. Without a value it takes that of the variable or field of the same name. Values become text.",
			Zh: "将键设为标签。省略 value 时取同名变量或字段的值。值转换为文本。",
		},
		Examples: []fn.Example{
			{Script: `set_tag(city)`, In: map[string]any{"city": "x"}, Out: map[string]any{"city": nil}, OutTag: map[string]string{"city": "x"}},
			{Script: `set_tag(zone, "cn")`, OutTag: map[string]string{"zone": "cn"}},
		},
		Bind: bindSetTag,
	}
}

func bindSetTag(c *fn.Call) (fn.Eval, error) {
	key, err := c.Key(0)
	if err != nil {
		return nil, err
	}
	if !c.Has(1) {
		return func(r *fn.Run) (point.Value, error) {
			v, _ := key.Get(r)
			r.StoreTag(key.Name, v)
			return point.NilOf(), nil
		}, nil
	}
	if _, err := c.Key(1); err != nil {
		return nil, err
	}
	value := c.Args[1].Eval
	return func(r *fn.Run) (point.Value, error) {
		v, err := value(r)
		if err == nil {
			r.StoreTag(key.Name, v)
		}
		return point.NilOf(), err
	}, nil
}

func rename() fn.Func {
	return fn.Func{
		Name:   "rename",
		Params: []fn.Param{{Name: "new_key"}, {Name: "old_key"}},
		Doc: fn.Text{
			En: "Renames a tag or a field; what the new key held is lost. A tag stays a tag.",
			Zh: "重命名标签或字段；新键原有的值会被覆盖。标签仍为标签。",
		},
		Examples: []fn.Example{{
			Script: `rename(client, ip)`,
			In:     map[string]any{"ip": "1.2.3.4"},
			Out:    map[string]any{"client": "1.2.3.4", "ip": nil},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			to, err := c.Key(0)
			if err != nil {
				return nil, err
			}
			from, err := c.NameOnly(1)
			return func(r *fn.Run) (point.Value, error) {
				r.Rename(from.Name, to.Name)
				return point.NilOf(), nil
			}, err
		},
	}
}

func dropKey() fn.Func {
	return fn.Func{
		Name:   "drop_key",
		Params: []fn.Param{{Name: "key"}},
		Doc: fn.Text{
			En: "Removes a tag or a field.",
			Zh: "删除一个标签或字段。",
		},
		Examples: []fn.Example{{
			Script: `drop_key(tmp)`,
			In:     map[string]any{"tmp": int64(1), "f": int64(2)},
			Out:    map[string]any{"tmp": nil, "f": int64(2)},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			key, err := c.Key(0)
			return func(r *fn.Run) (point.Value, error) {
				r.Delete(key.Name)
				return point.NilOf(), nil
			}, err
		},
	}
}

func dropOriginData() fn.Func {
	return fn.Func{
		Name:   "drop_origin_data",
		Params: []fn.Param{{Name: "ignored", Rest: true}},
		Doc: fn.Text{
			En: "Removes the original text, the field message.",
			Zh: "删除原始文本，即 message 字段。",
		},
		Examples: []fn.Example{{
			Script: "grok(_, \"%{INT:n:int}\")\ndrop_origin_data()",
			In:     map[string]any{"message": "12"},
			Out:    map[string]any{"n": int64(12), "message": nil},
		}},
		Bind: func(*fn.Call) (fn.Eval, error) {
			return func(r *fn.Run) (point.Value, error) {
				r.Delete("_")
				return point.NilOf(), nil
			}, nil
		},
	}
}
