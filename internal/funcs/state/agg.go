package state

import (
	"errors"
	"fmt"
	"time"

	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func aggCreate() fn.Func {
	return fn.Func{
		Name: "agg_create",
		Params: []fn.Param{
			{Name: "bucket"},
			{Name: "on_interval", Optional: true},
			{Name: "on_count", Optional: true},
			{Name: "keep_value", Optional: true},
			{Name: "const_tags", Optional: true},
			{Name: "category", Optional: true},
		},
		Match: fn.ByName,
		Doc: fn.Text{
			En: "Makes a bucket for agg_metric: a measurement that sums up many points. Its points are sent every on_interval (\"60s\" if left " +
				"out, \"0s\" for never) with the next point that the script sees, and after every on_count values. keep_value=true goes on with " +
				fmt.Sprintf("the values that were sent. A script has at most %d series in its buckets; more are left out.", maxSeries),
			Zh: "创建供 agg_metric 使用的聚合桶，即汇总多个数据点的指标集。每隔 on_interval（默认 \"60s\"，\"0s\" 表示关闭）在脚本处理下一个数据点时发送，" +
				"或每累计 on_count 个值后发送。keep_value=true 时发送后保留原值继续累计。" + fmt.Sprintf("每个脚本最多 %d 条时间线，超出的会被忽略。", maxSeries),
		},
		Examples: []fn.Example{{
			Script: "agg_create(\"traffic\", on_interval=\"30s\", const_tags={\"zone\": \"cn\"})\n" +
				"agg_metric(\"traffic\", \"bytes\", \"sum\", [\"host\"], \"size\")",
			In:  map[string]any{"host": "a", "size": int64(512)},
			Out: map[string]any{"size": int64(512)},
		}},
		Bind: bindAggCreate,
	}
}

func bindAggCreate(c *fn.Call) (fn.Eval, error) {
	name, err := c.Literal(0)
	if err != nil {
		return nil, err
	}
	b := bucket{name: name, interval: time.Minute}
	if err := b.options(c); err != nil {
		return nil, err
	}
	all := sharedBuckets(c)
	tags, category := c.Default(4, point.NilOf()), c.Default(5, point.NilOf())
	return func(r *fn.Run) (point.Value, error) {
		where, ok, err := categoryOf(r, c, category, 5)
		if err != nil || !ok {
			return point.NilOf(), err
		}
		v, err := tags(r)
		if fn.IsLimit(err) {
			return v, err
		}
		made := b
		made.category = where
		for key, tag := range v.Map() {
			if tag.Kind() == point.String {
				made.tags = append(made.tags, point.Tag{Key: key, Value: tag.Text()})
			}
		}
		send(r, all.create(made, r.Now()))
		return nothing()
	}, nil
}

func (b *bucket) options(c *fn.Call) error {
	if c.Has(1) {
		text, err := c.Literal(1)
		if err != nil {
			return err
		}
		if b.interval, err = time.ParseDuration(text); err != nil {
			return c.Errorf(1, "expected a duration, 60s, got %q", text)
		}
	}
	if c.Has(2) {
		n, ok := c.Args[2].Node.(*ast.IntLit)
		if !ok {
			return c.Errorf(2, "expected an integer, got %s", c.Kind(2))
		}
		b.limit = int(n.Value)
	}
	if b.interval <= 0 && b.limit <= 0 {
		return errors.New("agg_create: neither an interval nor a count says when the bucket is sent")
	}
	if !c.Has(3) {
		return nil
	}
	var err error
	b.keep, err = c.Bool(3)
	return err
}

// categoryOf returns the category that argument i names: metric where it was left
// out, false for one that there is not.
func categoryOf(r *fn.Run, c *fn.Call, name fn.Eval, i int) (point.Category, bool, error) {
	v, err := name(r)
	if err != nil {
		if fn.IsLimit(err) {
			return "", false, err
		}
		return "", false, nil // as users know it: nothing happens
	}
	switch v.Kind() { //nolint:exhaustive // the others are mistakes
	case point.Nil:
		return point.Metric, true, nil
	case point.String:
		category, ok := fn.CategoryOf(v.Text())
		return category, ok, nil
	}
	return "", false, c.Errorf(i, "the category must be a string, got %s", v.Kind())
}

func aggMetric() fn.Func {
	return fn.Func{
		Name: "agg_metric",
		Params: []fn.Param{
			{Name: "bucket"}, {Name: "new_field"}, {Name: "agg_fn"}, {Name: "agg_by"}, {Name: "agg_field"}, {Name: "category", Optional: true},
		},
		Match: fn.ByName,
		Doc: fn.Text{
			En: `Adds the number in the key agg_field to a bucket of agg_create, as its field new_field: the "avg", "sum", "min" or "max" of all, ` +
				`or with "set" the last. Each combination of the values of the keys in agg_by, which must be strings, is a series with them as tags.`,
			Zh: `将键 agg_field 的数值加入 agg_create 创建的桶，作为字段 new_field：所有值的 "avg"、"sum"、"min"、"max"，或 "set" 取最后一个值。` +
				`agg_by 中各键的值（须为字符串）的每种组合为一条时间线，并作为其标签。`,
		},
		Examples: []fn.Example{{
			Script: "agg_create(\"latency\", on_count=100)\nagg_metric(\"latency\", \"slowest\", \"max\", [\"host\", \"path\"], \"cost\")\ndrop()",
			In:     map[string]any{"host": "a", "path": "/", "cost": 1.5},
			Out:    map[string]any{"cost": 1.5},
		}},
		Bind: bindAggMetric,
	}
}

func bindAggMetric(c *fn.Call) (fn.Eval, error) {
	var texts [5]string
	for i := range texts {
		if i == 3 { // a list
			continue
		}
		var err error
		if texts[i], err = c.Literal(i); err != nil {
			return nil, err
		}
	}
	by, err := keyNames(c, 3)
	if err != nil {
		return nil, err
	}
	all, value, category := sharedBuckets(c), c.Args[4].Key, c.Default(5, point.NilOf())
	return func(r *fn.Run) (point.Value, error) {
		where, ok, err := categoryOf(r, c, category, 5)
		if err != nil || !ok {
			return point.NilOf(), err
		}
		tags := make([]point.Tag, 0, len(by))
		for _, key := range by {
			v, _ := r.Load(key)
			if v.Kind() != point.String {
				return nothing()
			}
			if err := r.Step(len(v.Text())); err != nil {
				return v, err
			}
			tags = append(tags, point.Tag{Key: key, Value: v.Text()})
		}
		v, ok := value.Get(r)
		if !ok {
			return nothing()
		}
		sample := sample{tags: tags, field: texts[1], action: texts[2], value: fn.Number(v)}
		send(r, all.add(bucketID{where, texts[0]}, sample, r.Now()))
		return nothing()
	}, nil
}

func keyNames(c *fn.Call, i int) ([]string, error) {
	l, ok := c.Args[i].Node.(*ast.ListLit)
	if !ok || len(l.Elems) == 0 || len(l.Elems) > maxKeys {
		return nil, c.Errorf(i, "expected a list of 1 to %d strings, got %s", maxKeys, c.Kind(i))
	}
	names := make([]string, len(l.Elems))
	for j, elem := range l.Elems {
		lit, ok := elem.(*ast.StringLit)
		if !ok {
			return nil, c.Errorf(i, "expected a list of strings, got %s in it", ast.Kind(elem))
		}
		names[j] = lit.Value
	}
	return names, nil
}

// send makes the points of buckets that are due, by way of the point at hand.
func send(r *fn.Run, due []made) {
	for _, m := range due {
		if err := r.Create(m.category, m.point, nil); err != nil {
			return
		}
	}
}
