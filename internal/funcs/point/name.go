package point

import (
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func setMeasurement() fn.Func {
	return fn.Func{
		Name:   "set_measurement",
		Params: []fn.Param{{Name: "name"}, {Name: "delete", Optional: true}},
		Doc: fn.Text{
			En: "Renames the point: to a string, or to what a variable or key holds. delete=true removes that key.",
			Zh: "设置数据点的名称：字符串，或变量、键的值。第二个参数为 true 时删除该键。",
		},
		Bind: bindSetMeasurement,
	}
}

func bindSetMeasurement(c *fn.Call) (fn.Eval, error) {
	key, err := c.Key(0)
	if err != nil {
		return nil, err
	}
	remove := false
	if c.Has(1) {
		if remove, err = c.Bool(1); err != nil {
			return nil, err
		}
	}
	if name, err := c.Literal(0); err == nil {
		return func(r *fn.Run) (point.Value, error) {
			r.Point.Name = name
			return point.NilOf(), nil
		}, nil
	}
	return func(r *fn.Run) (point.Value, error) {
		if v, _ := key.Get(r); v.Kind() == point.String {
			r.Point.Name = v.Text()
		}
		if remove {
			r.Delete(key.Name)
		}
		return point.NilOf(), nil
	}, nil
}

func ptName() fn.Func {
	return fn.Func{
		Name:   "pt_name",
		Params: []fn.Param{{Name: "name", Optional: true}},
		Result: "str",
		Doc: fn.Text{
			En: "Returns the point's name, after setting it where one is given.",
			Zh: "返回数据点的名称；给定参数时先设置名称。",
		},
		Examples: []fn.Example{{Script: "pt_name(\"nginx\")\nadd_key(n, pt_name())", Out: map[string]any{"n": "nginx"}}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			if !c.Has(0) {
				return func(r *fn.Run) (point.Value, error) { return point.StringOf(r.Point.Name), nil }, nil
			}
			name := c.Args[0].Eval
			return func(r *fn.Run) (point.Value, error) {
				v, err := name(r)
				if fn.IsLimit(err) { // any other error of the argument names nothing
					return v, err
				}
				if err == nil && v.Kind() == point.String {
					r.Point.Name = v.Text()
				}
				return point.StringOf(r.Point.Name), nil
			}, nil
		},
	}
}
