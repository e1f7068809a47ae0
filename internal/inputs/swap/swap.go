// Package swap collects how much is swapped out, and how much moves.
package swap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v4/mem"

	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

const measurement = "swap"

// Plugin returns the description of the input.
func Plugin() input.Plugin {
	return input.Plugin{
		Name:      measurement,
		Doc:       "Collects how much swap space is used, and how much memory was swapped in and out.",
		DocZH:     "采集交换空间使用量及换入换出量。",
		Singleton: true,
		Measurements: []input.Measurement{{
			Name: measurement, Doc: "Swap space of the machine.", DocZH: "主机交换空间。",
			Fields: []input.Field{
				input.Int("total", "bytes", "All swap space.", "交换空间总量。"),
				input.Int("used", "bytes", "Swap space in use.", "已用交换空间。"),
				input.Int("free", "bytes", "Swap space that is free.", "空闲交换空间。"),
				input.Float("used_percent", "percent", "Share in use; 0 where there is no swap space.", "已用占比；无交换空间时为 0。"),
				input.Int("in", "bytes", "Swapped in since the machine started (Linux).", "开机以来换入总量（Linux）。"),
				input.Int("out", "bytes", "Swapped out since the machine started (Linux).", "开机以来换出总量（Linux）。"),
			},
		}},
		NewGatherer: func(input.Env, spec.Values) (input.Gatherer, error) { return gatherer{}, nil },
	}
}

type gatherer struct{}

// Gather writes one point.
func (gatherer) Gather(ctx context.Context, sink input.Sink) error {
	total, free, err := space(ctx)
	if err != nil {
		return fmt.Errorf("read swap space: %w", err)
	}
	used := total - min(free, total)
	p := point.New(measurement, 6)
	p.Add("total", point.IntOf(total))
	p.Add("used", point.IntOf(used))
	p.Add("free", point.IntOf(free))
	percent := 0.0
	if total > 0 {
		percent = 100 * float64(used) / float64(total)
	}
	p.Add("used_percent", point.FloatOf(percent))
	moved(ctx, &p)
	return sink.Write(ctx, point.Metric, []point.Point{p})
}

// space returns the size of the swap space and what is free of it. On Linux
// both come from meminfo, where a container finds its own limits.
func space(ctx context.Context) (total, free int64, err error) {
	if runtime.GOOS == "linux" {
		m, err := mem.VirtualMemoryWithContext(ctx)
		if err != nil {
			return 0, 0, err
		}
		if m.Total == 0 {
			return 0, 0, errors.New("the system shows no memory: is /proc/meminfo readable?")
		}
		return int64(m.SwapTotal), int64(m.SwapFree), nil
	}
	s, err := mem.SwapMemoryWithContext(ctx)
	if err != nil {
		return 0, 0, err
	}
	return int64(s.Total), int64(s.Free), nil
}

// moved adds what was swapped in and out, where vmstat says so. It counts pages,
// whose size differs between machines.
func moved(ctx context.Context, p *point.Point) {
	if runtime.GOOS != "linux" {
		return
	}
	text, err := os.ReadFile(input.ProcPath(ctx, "vmstat"))
	if err != nil {
		return
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		field, ok := map[string]string{"pswpin": "in", "pswpout": "out"}[name]
		if !ok {
			continue
		}
		if pages, err := strconv.ParseInt(value, 10, 48); err == nil && pages >= 0 {
			p.Set(field, point.IntOf(pages*int64(os.Getpagesize())))
		}
	}
}
