package timefn

import (
	"time"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// message is the key under which a point carries what went wrong with its time.
const message = "pl_msg"

func defaultTime() fn.Func {
	return fn.Func{
		Name:   "default_time",
		Params: []fn.Param{{Name: "key"}, {Name: "zone", Optional: true}, {Name: "ignored", Rest: true}},
		Doc: fn.Text{
			En: "Replaces the date in a key, of almost any form, by its nanoseconds since 1970. The key time becomes the point's time. " +
				`A date without a zone is in zone, a name ("Asia/Tokyo") or an offset ("+8"). ` +
				"What is no date becomes the point's own time, and pl_msg says why.",
			Zh: "将键中的日期（几乎任意格式）替换为 1970 年以来的纳秒数；键 time 会成为数据点的时间。" +
				`不含时区的日期按 zone 解释，可为名称（"Asia/Tokyo"）或偏移（"+8"）。无法解析时写入数据点自身的时间，并在 pl_msg 中说明原因。`,
		},
		Examples: []fn.Example{
			{
				Script: `default_time(at, "+8")`,
				In:     map[string]any{"at": "2021-07-20 18:00:00"},
				Out:    map[string]any{"at": int64(1626775200000000000)},
			},
			{
				Script: `default_time(at)`,
				In:     map[string]any{"at": "29/Nov/2021:07:30:50 +0000"},
				Out:    map[string]any{"at": int64(1638171050000000000)},
			},
		},
		Bind: bindDefaultTime,
	}
}

func bindDefaultTime(c *fn.Call) (fn.Eval, error) {
	key, err := c.Key(0)
	if err != nil {
		return nil, err
	}
	var zone *time.Location
	var bad error // reported at each point, as what is no date is
	if c.Has(1) {
		name, err := c.Literal(1)
		if err != nil {
			return nil, err
		}
		if name != "" {
			zone, bad = zoneByOffset(name)
		}
	}
	return func(r *fn.Run) (point.Value, error) {
		text, ok := key.Text(r)
		if !ok {
			return nothing()
		}
		err, n := bad, int64(0)
		if err == nil {
			n, err = readDate(r, text, zoneOr(r, zone))
		}
		if err != nil {
			r.Store(message, point.StringOf("time convert failed: "+err.Error()))
			n = pointTime(r)
		}
		r.Store(key.Name, point.IntOf(n))
		return nothing()
	}, nil
}

// zoneOr returns zone, or that of the run where the script names none.
func zoneOr(r *fn.Run, zone *time.Location) *time.Location {
	if zone == nil || zone == time.Local { // "Local" in a script is the zone of the run
		return r.Location()
	}
	return zone
}

// pointTime returns the point's time, or the clock's where it has none yet.
func pointTime(r *fn.Run) int64 {
	if r.Point.Time != 0 {
		return r.Point.Time
	}
	return r.Now().UnixNano()
}

func defaultTimeWithFmt() fn.Func {
	return fn.Func{
		Name: "default_time_with_fmt",
		Params: []fn.Param{
			{Name: "key"}, {Name: "layout"}, {Name: "zone", Optional: true}, {Name: "ignored", Rest: true},
		},
		Doc: fn.Text{
			En: `Replaces the date in a key by its nanoseconds since 1970. The layout is Go's: how it writes 2006-01-02 15:04:05. ` +
				"A date of another layout is left alone.",
			Zh: "将键中的日期替换为 1970 年以来的纳秒数。布局采用 Go 的写法，即 2006-01-02 15:04:05 的写法。不符合布局时保持不变。",
		},
		Examples: []fn.Example{{
			Script: `default_time_with_fmt(at, "06/01/02 15h04", "Asia/Shanghai")`,
			In:     map[string]any{"at": "21/07/20 18h00"},
			Out:    map[string]any{"at": int64(1626775200000000000)},
		}},
		Bind: bindDefaultTimeWithFmt,
	}
}

func bindDefaultTimeWithFmt(c *fn.Call) (fn.Eval, error) {
	key, err := c.NameOnly(0)
	if err != nil {
		return nil, err
	}
	form, err := c.Literal(1)
	if err != nil {
		return nil, err
	}
	var zone *time.Location
	if c.Has(2) {
		name, err := c.Literal(2)
		if err != nil {
			return nil, err
		}
		if name != "" {
			if zone, err = loadZone(name); err != nil {
				return func(*fn.Run) (point.Value, error) { return nothing() }, nil //nolint:nilerr // a zone that there is not reads no date
			}
		}
	}
	return func(r *fn.Run) (point.Value, error) {
		text, ok := key.Text(r)
		if !ok || len(text) > maxText+len(form) {
			return nothing()
		}
		if t, err := time.ParseInLocation(form, text, zoneOr(r, zone)); err == nil {
			r.Store(key.Name, point.IntOf(t.UnixNano()))
		}
		return nothing()
	}, nil
}
