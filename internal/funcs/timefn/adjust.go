package timefn

import (
	"time"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// ahead is by how much a clock that wrote a log may be ahead of ours.
const ahead = 2 * time.Minute

func adjustTimezone() fn.Func {
	return fn.Func{
		Name:   "adjust_timezone",
		Params: []fn.Param{{Name: "key"}},
		Doc: fn.Text{
			En: "Moves the time in a key (nanoseconds) by whole hours into the hour before now: for logs of a zone that nobody knows. " +
				"It may be 2 minutes ahead of now.",
			Zh: "将键中的时间（纳秒）按整小时移动到当前时刻之前的一小时内，用于时区未知的日志；允许超前 2 分钟。",
		},
		Examples: []fn.Example{{
			Script: "at = timestamp() - 5 * 3600000000000\nadjust_timezone(at)\nadd_key(ok, timestamp() - get_key(at) < 3600000000000)",
			Out:    map[string]any{"ok": true},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			key, err := c.Key(0)
			if err != nil {
				return nil, err
			}
			return func(r *fn.Run) (point.Value, error) {
				v, ok := key.Get(r)
				if !ok {
					return nothing()
				}
				n, ok := v.AsInt()
				if !ok {
					return v, c.Errorf(0, "expected a time in nanoseconds, got %s", v.Kind())
				}
				r.Store(key.Name, point.IntOf(adjust(n, r.Now().UnixNano())))
				return nothing()
			}, nil
		},
	}
}

// adjust returns the time of log, moved by whole hours to about now.
func adjust(log, now int64) int64 {
	const hour = int64(time.Hour)
	log -= (log/hour - now/hour) * hour
	switch {
	case log-now > int64(ahead):
		return log - hour
	case log-now <= int64(ahead)-hour:
		return log + hour
	}
	return log
}
