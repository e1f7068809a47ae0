package timefn

import (
	"time"

	"github.com/itchyny/timefmt-go"
	"github.com/spf13/cast"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// named are the forms of date that a script may call by name.
var named = map[string]string{ //nolint:gochecknoglobals // a table, never written
	"ANSIC": time.ANSIC, "UnixDate": time.UnixDate, "RubyDate": time.RubyDate,
	"RFC822": time.RFC822, "RFC822Z": time.RFC822Z, "RFC850": time.RFC850,
	"RFC1123": time.RFC1123, "RFC1123Z": time.RFC1123Z, "RFC3339": time.RFC3339, "RFC3339Nano": time.RFC3339Nano,
	"Kitchen": time.Kitchen, "Stamp": time.Stamp, "StampMilli": time.StampMilli,
	"StampMicro": time.StampMicro, "StampNano": time.StampNano,
}

func datetime() fn.Func {
	return fn.Func{
		Name:   "datetime",
		Params: []fn.Param{{Name: "key"}, {Name: "precision"}, {Name: "fmt"}, {Name: "tz", Optional: true}},
		Match:  fn.ByName,
		Doc: fn.Text{
			En: `Replaces the number in a key, a time since 1970 in "s", "ms", "us" or (anything else) "ns", by a date. ` +
				"fmt is a name (RFC3339, RFC1123, ANSIC, Kitchen, Stamp …) or the form of strftime (%Y-%m-%d %H:%M:%S).",
			Zh: `将键中的数值（1970 年以来的 "s"、"ms"、"us"，其他均为 "ns"）替换为日期文本。` +
				"fmt 为名称（RFC3339、RFC1123、ANSIC、Kitchen、Stamp 等）或 strftime 格式（%Y-%m-%d %H:%M:%S）。",
		},
		Examples: []fn.Example{
			{
				Script: `datetime(at, "ms", "RFC3339", "Asia/Shanghai")`,
				In:     map[string]any{"at": int64(1638171049123)},
				Out:    map[string]any{"at": "2021-11-29T15:30:49+08:00"},
			},
			{
				Script: `datetime(at, "s", "%Y/%m/%d %H:%M", "UTC")`,
				In:     map[string]any{"at": "1638171049"},
				Out:    map[string]any{"at": "2021/11/29 07:30"},
			},
		},
		Bind: bindDatetime,
	}
}

func bindDatetime(c *fn.Call) (fn.Eval, error) {
	key, err := c.Key(0)
	if err != nil {
		return nil, err
	}
	var texts [4]string
	for i := 1; i < 4; i++ {
		if !c.Has(i) {
			continue
		}
		if texts[i], err = c.Literal(i); err != nil {
			return nil, err
		}
	}
	unit := unitOf(texts[1])
	var zone *time.Location
	var bad error // a zone that there is not: told when there is a time to write in it
	if texts[3] != "" {
		zone, bad = loadZone(texts[3])
	}
	write := writer(texts[2])
	return func(r *fn.Run) (point.Value, error) {
		v, ok := key.Get(r)
		if !ok {
			return nothing()
		}
		if bad != nil {
			return v, bad
		}
		t := time.Unix(0, integerOf(v)*unit).In(zoneOr(r, zone))
		text := write(t)
		if err := r.Alloc(len(text)); err != nil {
			return v, err
		}
		r.Store(key.Name, point.StringOf(text))
		return nothing()
	}, nil
}

// unitOf returns the nanoseconds of a unit.
func unitOf(precision string) int64 {
	switch precision {
	case "s":
		return int64(time.Second)
	case "ms":
		return int64(time.Millisecond)
	case "us":
		return int64(time.Microsecond)
	}
	return 1
}

func writer(form string) func(time.Time) string {
	if layout, ok := named[form]; ok {
		return func(t time.Time) string { return t.Format(layout) }
	}
	return func(t time.Time) string { return timefmt.Format(t, form) }
}

// integerOf returns the integer of a number, or of one in a string; 0 for none.
func integerOf(v point.Value) int64 {
	switch v.Kind() { //nolint:exhaustive // the others are turned into one
	case point.List, point.Map:
		return 0
	case point.Int:
		return v.Int()
	}
	return cast.ToInt64(v.Any())
}

func timestamp() fn.Func {
	return fn.Func{
		Name:   "timestamp",
		Params: []fn.Param{{Name: "precision", Optional: true}},
		Match:  fn.ByName,
		Result: "int",
		Doc: fn.Text{
			En: `Returns the time of now, since 1970, in "s", "ms", "us" or "ns", which is the default.`,
			Zh: `返回当前时间（自 1970 年起），单位为 "s"、"ms"、"us" 或默认的 "ns"。`,
		},
		Examples: []fn.Example{{Script: `add_key(ok, timestamp("s") > 1600000000)`, Out: map[string]any{"ok": true}}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			precision := c.Default(0, point.NilOf())
			return func(r *fn.Run) (point.Value, error) {
				v, err := precision(r)
				if err != nil {
					return v, err
				}
				return point.IntOf(since1970(r.Now(), v.Text())), nil
			}, nil
		},
	}
}

func since1970(t time.Time, precision string) int64 {
	switch precision {
	case "s":
		return t.Unix()
	case "ms":
		return t.UnixMilli()
	case "us":
		return t.UnixMicro()
	}
	return t.UnixNano()
}
