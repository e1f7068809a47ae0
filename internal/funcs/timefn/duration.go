package timefn

import (
	"fmt"
	"strings"
	"time"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func parseDuration() fn.Func {
	return fn.Func{
		Name:   "parse_duration",
		Params: []fn.Param{{Name: "key"}},
		Doc: fn.Text{
			En: "Replaces the duration in a key, 1h2m3.5s or 15ms, by its nanoseconds. What is none is left alone.",
			Zh: "将键中的时长（如 1h2m3.5s、15ms）替换为纳秒数。无法解析时保持不变。",
		},
		Examples: []fn.Example{
			{Script: `parse_duration(took)`, In: map[string]any{"took": "1.5ms"}, Out: map[string]any{"took": int64(1_500_000)}},
			{Script: `parse_duration(took)`, In: map[string]any{"took": "long"}, Out: map[string]any{"took": "long"}},
		},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			key, err := c.Key(0)
			if err != nil {
				return nil, err
			}
			return func(r *fn.Run) (point.Value, error) {
				v, _ := key.Get(r)
				if v.Kind() != point.String || len(v.Text()) > maxText {
					return nothing()
				}
				if d, err := time.ParseDuration(v.Text()); err == nil {
					r.Store(key.Name, point.IntOf(int64(d)))
				}
				return nothing()
			}, nil
		},
	}
}

func durationPrecision() fn.Func {
	return fn.Func{
		Name:   "duration_precision",
		Params: []fn.Param{{Name: "key, old_precision, new_precision", Rest: true}},
		Doc: fn.Text{
			En: `Converts the integer in a key from one unit to another: "s", "ms", "us" or "ns". Other units change nothing; a key that ` +
				"is missing or no integer aborts the script.",
			Zh: `将键中的整数从一种单位换算为另一种："s"、"ms"、"us" 或 "ns"。其他单位不做改变；键不存在或不是整数时脚本中止。`,
		},
		Examples: []fn.Example{{
			Script: `duration_precision(took, "ms", "ns")`,
			In:     map[string]any{"took": int64(12)},
			Out:    map[string]any{"took": int64(12_000_000)},
		}},
		Bind: bindDurationPrecision,
	}
}

// bindDurationPrecision refuses no script: what is wrong with a call shows when
// it is run, and scripts that are never run so are in use.
func bindDurationPrecision(c *fn.Call) (fn.Eval, error) {
	if len(c.Args) != 3 {
		return func(*fn.Run) (point.Value, error) {
			return point.NilOf(), fmt.Errorf("duration_precision: expected 3 arguments, got %d", len(c.Args))
		}, nil
	}
	key, bad := c.Key(0)
	return func(r *fn.Run) (point.Value, error) {
		if bad != nil {
			return point.NilOf(), bad
		}
		v, ok := key.Get(r)
		if !ok {
			return v, c.Errorf(0, "there is no key %s", key.Name)
		}
		n, ok := v.AsInt()
		if !ok {
			return v, c.Errorf(0, "expected an integer, got %s", v.Kind())
		}
		var units [2]int64
		for i := range units {
			name, err := c.Literal(i + 1)
			if err != nil {
				return v, err
			}
			if units[i], ok = unit(name); !ok {
				return nothing()
			}
		}
		r.Store(key.Name, point.IntOf(convert(n, units[0], units[1])))
		return nothing()
	}, nil
}

func unit(name string) (int64, bool) {
	name = strings.ToLower(name)
	n := unitOf(name)
	return n, n > 1 || name == "ns"
}

// convert may overflow, and wraps then as all integers of the language do.
func convert(n, from, to int64) int64 {
	if from >= to {
		return n * (from / to)
	}
	return n / (to / from)
}
