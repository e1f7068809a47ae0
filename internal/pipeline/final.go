package pipeline

import (
	"strings"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// finish does to a point what follows every script that came to its end.
func finish(r *fn.Run) {
	if r.Env.Category == point.Logging && !r.KeepStatus {
		mapStatus(r)
	}
	takeTime(r.Point)
	for _, made := range r.Created {
		takeTime(made.Point)
	}
}

const status = "status"

// mapStatus gives a log one of the known levels; one that has none gets info.
func mapStatus(r *fn.Run) {
	level := "info"
	if v, ok := r.Load(status); ok && v.Kind() == point.String && v.Text() != "" {
		level = levelOf(v.Text())
	}
	r.Store(status, point.StringOf(level))
}

func levelOf(s string) string {
	s = strings.ToLower(s)
	switch s {
	case "f", "emerg":
		return "emerg"
	case "a":
		return "alert"
	case "c":
		return "critical"
	case "e":
		return "error"
	case "w", "warn":
		return "warning"
	case "n":
		return "notice"
	case "i":
		return "info"
	case "d", "trace", "verbose":
		return "debug"
	case "o", "s", "ok":
		return "OK"
	}
	return s
}

// takeTime makes the key time, which the time functions write, the point's time.
func takeTime(p *point.Point) {
	const key = "time"
	v, ok := p.Field(key)
	if !ok {
		if len(p.Tags) > 0 {
			p.DelTag(key)
		}
		return
	}
	if n := v.Int(); n != 0 {
		p.Time = n
	}
	p.Del(key)
}
