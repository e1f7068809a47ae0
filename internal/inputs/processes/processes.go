// Package processes counts the machine's processes by state, and describes the
// ones that use most of it.
package processes

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

const (
	countMeasurement = "processes"
	measurement      = "host_processes"
)

type gatherer struct {
	names      []*regexp.Regexp
	minRunTime time.Duration
	metric     bool
	ports      bool
	files      bool
	contained  bool
	top        int
	every      time.Duration // between two rounds of objects

	objects time.Time          // of the last round
	before  map[proc]sample    // by identity
	known   map[proc]*identity // what stays as long as the process lives
}

// A sample is what a process had used at one time.
type sample struct {
	at  time.Time
	cpu time.Duration
}

// Plugin returns the description of the input.
func Plugin() input.Plugin {
	return input.Plugin{
		Name:         countMeasurement,
		Aliases:      []string{measurement},
		Doc:          "Counts the processes by state, and describes those that use most processor time and memory.",
		DocZH:        "按状态统计进程数，并描述占用 CPU 与内存最多的进程。",
		Singleton:    true,
		Options:      options(),
		Measurements: measurements(),
		NewGatherer:  open,
	}
}

func options() []spec.Field {
	return []spec.Field{
		{
			Name: "process_name", Type: spec.Strings, Example: []string{".*nginx.*", ".*mysql.*"},
			Doc:   "Processes whose metrics are collected, regular expressions for their names; all where empty. Objects are not filtered.",
			DocZH: "需采集指标的进程名（正则列表）；为空时不过滤。不影响对象采集。",
		},
		{
			Name: "min_run_time", Type: spec.Duration, Default: 10 * time.Minute, Min: time.Duration(0),
			Doc: "Processes that have run for less are not described; they are counted.", DocZH: "运行时间小于该值的进程不输出详情，但计入统计。",
		},
		{
			Name: "open_metric", Type: spec.Bool, Default: false,
			Doc: "Collect metrics of single processes too, at every collection.", DocZH: "每次采集时同时输出单个进程的指标。",
		},
		{
			Name: "enable_listen_ports", Type: spec.Bool, Default: false,
			Doc: "Collect the ports on which a process listens.", DocZH: "采集进程监听的端口。",
		},
		{
			Name: "enable_open_files", Type: spec.Bool, Default: false,
			Doc: "Collect how many files a process has open (Linux).", DocZH: "采集进程打开的文件数（Linux）。",
		},
		{
			Name: "only_container_processes", Type: spec.Bool, Default: false,
			Doc: "Describe only processes that run in a container (Linux).", DocZH: "仅描述容器内的进程（Linux）。",
		},
		{
			Name: "top", Type: spec.Int, Default: int64(100), Min: int64(0), Max: int64(100_000), Unit: "processes",
			Doc:   "So many processes are described: those with most processor time, and as many with most memory; 0 describes all.",
			DocZH: "描述的进程数：CPU 时间最多的若干个，以及内存最多的若干个；0 表示全部。",
		},
		{
			Name: "object_interval", Type: spec.Duration, Default: 5 * time.Minute, Min: time.Second, Max: 24 * time.Hour,
			Doc: "Time between two rounds of process objects.", DocZH: "进程对象的采集间隔。",
		},
	}
}

func open(_ input.Env, v spec.Values) (input.Gatherer, error) {
	g := &gatherer{
		minRunTime: v.Duration("min_run_time"),
		metric:     v.Bool("open_metric"),
		ports:      v.Bool("enable_listen_ports"),
		files:      v.Bool("enable_open_files"),
		contained:  v.Bool("only_container_processes"),
		top:        int(v.Int("top")),
		every:      v.Duration("object_interval"),
	}
	for _, text := range v.Strings("process_name") {
		re, err := regexp.Compile(text)
		if err != nil {
			return nil, fmt.Errorf("process_name: %w", err)
		}
		g.names = append(g.names, re)
	}
	return g, nil
}

// Gather writes the counts, at times the objects, and the metrics where they are
// switched on.
func (g *gatherer) Gather(ctx context.Context, sink input.Sink) error {
	now := time.Now()
	all, err := list(ctx, now)
	if err != nil {
		return fmt.Errorf("list processes: %w", err)
	}
	if err := sink.Write(ctx, point.Metric, []point.Point{count(all)}); err != nil {
		return err
	}
	objects := g.objects.IsZero() || now.Sub(g.objects) >= g.every
	if !objects && !g.metric {
		return nil
	}
	before := g.remember(all, now)
	if objects {
		g.objects = now
	}
	return g.describe(ctx, sink, now, g.choose(ctx, all, before, now), objects)
}

func (g *gatherer) describe(ctx context.Context, sink input.Sink, now time.Time, chosen []described, objects bool) error {
	total := memory(ctx)
	var metrics, things []point.Point
	for i := range chosen {
		d := &chosen[i]
		if err := ctx.Err(); err != nil {
			return err
		}
		metric := g.metric && g.named(d.name)
		if !metric && !objects {
			continue
		}
		u := g.use(ctx, d, total)
		if metric {
			metrics = append(metrics, metricPoint(d, u, now))
		}
		if objects {
			things = append(things, g.objectPoint(ctx, d, u, now))
		}
	}
	if len(metrics) > 0 {
		if err := sink.Write(ctx, point.Metric, metrics); err != nil {
			return err
		}
	}
	if len(things) > 0 {
		return sink.Write(ctx, point.Object, things)
	}
	return nil
}

func (g *gatherer) named(name string) bool {
	for _, re := range g.names {
		if re.MatchString(name) {
			return true
		}
	}
	return len(g.names) == 0
}
