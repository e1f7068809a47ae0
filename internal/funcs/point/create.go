package point

import (
	"fmt"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func createPoint() fn.Func {
	return fn.Func{
		Name: "create_point",
		Params: []fn.Param{
			{Name: "name"},
			{Name: "tags"},
			{Name: "fields"},
			{Name: "ts", Optional: true},
			{Name: "category", Optional: true},
			{Name: "after_use", Optional: true},
		},
		Match: fn.ByName,
		Doc: fn.Text{
			En: "Makes another point: name, tags and fields (maps, or nil), time in nanoseconds (the point's own if left out), " +
				"category (metric if left out; the write route's name, or M L T R N O CO S DT) and a script to run on it.",
			Zh: "创建一个新的数据点：名称、标签与字段（字典或 nil）、纳秒时间戳（默认同当前点）、类别（默认 metric）以及要在其上运行的脚本。",
		},
		Bind: bindCreatePoint,
	}
}

func bindCreatePoint(c *fn.Call) (fn.Eval, error) {
	evals := make([]fn.Eval, 5)
	for i := range evals {
		evals[i] = c.Default(i, point.NilOf())
	}
	var after fn.Eval
	if c.Has(5) {
		name, err := c.Literal(5)
		if err != nil {
			return nil, err
		}
		if after, err = c.Use(name); err != nil {
			return nil, err
		}
	}
	return func(r *fn.Run) (point.Value, error) {
		var args [5]point.Value
		for i, eval := range evals {
			v, err := eval(r)
			if err != nil {
				if i > 0 && !fn.IsLimit(err) {
					err = nil // as users know it: no point, and the script goes on
				}
				return point.NilOf(), err
			}
			args[i] = v
		}
		return point.NilOf(), create(r, args, after)
	}, nil
}

// takes are the kinds that the arguments of create_point may have.
func takes(i int) (kind point.Kind, name string) {
	switch i {
	case 0:
		return point.String, "name"
	case 1:
		return point.Map, "tags"
	case 2:
		return point.Map, "fields"
	case 3:
		return point.Int, "ts"
	}
	return point.String, "category"
}

func create(r *fn.Run, args [5]point.Value, after fn.Eval) error {
	for i, v := range args {
		kind, name := takes(i)
		if k := v.Kind(); k != kind && (k != point.Nil || i == 0) {
			return fmt.Errorf("create_point: %s must be a %s, got %s", name, kind, k)
		}
	}
	category := point.Metric
	if args[4].Kind() != point.Nil {
		var ok bool
		if category, ok = fn.CategoryOf(args[4].Text()); !ok {
			return nil
		}
	}
	if err := r.Alloc((len(args[1].Map()) + len(args[2].Map()) + 1) * fn.EntrySize); err != nil {
		return err
	}
	p := fill(args, category)
	if p.Time == 0 {
		p.Time = r.Point.Time
	}
	if _, ok := p.Field("status"); !ok && category == point.Logging {
		p.Set("status", point.StringOf("info"))
	}
	return r.Create(category, p, after)
}

func fill(args [5]point.Value, category point.Category) point.Point {
	p := point.New(args[0].Text(), len(args[2].Map()))
	for key, v := range args[1].Map() {
		if v.Kind() == point.String {
			p.SetTag(key, v.Text())
		}
	}
	for key, v := range args[2].Map() {
		switch v.Kind() { //nolint:exhaustive // the kinds that a point carries
		case point.String:
			if category != point.Metric { // metrics are numbers and bools
				p.Set(key, v)
			}
		case point.Bool, point.Int, point.Float:
			p.Set(key, v)
		}
	}
	if ts := args[3].Int(); ts > 0 {
		p.Time = ts
	}
	return p
}
