// Package system collects the load, the uptime and the users of the machine,
// and on Linux what connection tracking and open files take.
package system

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"

	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

const (
	measurement = "system"
	conntrack   = "conntrack"
	filefd      = "filefd"
)

// Plugin returns the description of the input.
func Plugin() input.Plugin {
	return input.Plugin{
		Name:         measurement,
		Doc:          "Collects the load, the uptime, the users and the processes of the machine; on Linux also tracked connections and open files.",
		DocZH:        "采集主机负载、运行时间、登录用户与进程数；Linux 上还包括连接跟踪与文件句柄。",
		Singleton:    true,
		Measurements: measurements(),
		NewGatherer: func(env input.Env, _ spec.Values) (input.Gatherer, error) {
			return &gatherer{log: env.Log}, nil
		},
	}
}

func measurements() []input.Measurement {
	count := func(name, doc, docZH string) input.Field { return input.Int(name, "count", doc, docZH) }
	return []input.Measurement{
		{
			Name: measurement, Doc: "The machine as a whole.", DocZH: "主机总体情况。",
			Fields: []input.Field{
				input.Float("load1", "tasks", "Load average over a minute.", "1 分钟平均负载。"),
				input.Float("load5", "tasks", "Load average over five minutes.", "5 分钟平均负载。"),
				input.Float("load15", "tasks", "Load average over fifteen minutes.", "15 分钟平均负载。"),
				input.Float("load1_per_core", "tasks", "load1 divided by the cores.", "1 分钟平均负载除以核心数。"),
				input.Float("load5_per_core", "tasks", "load5 divided by the cores.", "5 分钟平均负载除以核心数。"),
				input.Float("load15_per_core", "tasks", "load15 divided by the cores.", "15 分钟平均负载除以核心数。"),
				count("n_cpus", "Logical cores.", "逻辑核心数。"),
				count("n_users", "Login sessions, where the system keeps a list of them.", "登录会话数（系统有记录时）。"),
				count("process_count", "Processes (Linux).", "进程数（Linux）。"),
				input.Int("uptime", "s", "Time since the machine started.", "开机时长。"),
				input.Float("cpu_total_usage", "percent", "Share of time that the processors were busy, since the last collection; not on the first one.", "自上次采集以来 CPU 使用率，首次采集不输出。"),
				input.Float("memory_usage", "percent", "Share of memory in use.", "内存使用率。"),
			},
		},
		{
			Name: conntrack, Doc: "Connections that the kernel tracks (Linux, where it does).", DocZH: "内核连接跟踪（Linux，启用时）。",
			Fields: []input.Field{
				count("entries", "Connections in the table.", "当前跟踪的连接数。"),
				count("entries_limit", "Size of the table.", "跟踪表大小。"),
				count("stat_found", "Lookups that found a connection.", "查找命中次数。"),
				count("stat_invalid", "Packets that cannot be tracked.", "无法跟踪的包数。"),
				count("stat_ignore", "Packets that need no tracking.", "无需跟踪的包数。"),
				count("stat_insert", "Connections inserted.", "插入的连接数。"),
				count("stat_insert_failed", "Connections that could not be inserted.", "插入失败数。"),
				count("stat_drop", "Packets dropped as tracking failed.", "因跟踪失败丢弃的包数。"),
				count("stat_early_drop", "Connections dropped as the table was full.", "因表满提前丢弃的连接数。"),
				count("stat_search_restart", "Lookups that began anew as the table was resized.", "因表大小变化重新查找的次数。"),
			},
		},
		{
			Name: filefd, Doc: "Open files of the machine (Linux).", DocZH: "主机文件句柄（Linux）。",
			Fields: []input.Field{
				count("allocated", "Files that are open.", "已分配的文件句柄数。"),
				input.Float("maximum_mega", "million", "How many may be open, in millions.", "最大文件句柄数，单位百万。"),
			},
		},
	}
}

type gatherer struct {
	log    *slog.Logger
	before *cpu.TimesStat
}

// Gather writes what the system tells. What it does not tell, as in a container
// without some of /proc, is left out; only where it tells no load, no uptime and
// no memory is that an error.
func (g *gatherer) Gather(ctx context.Context, sink input.Sink) error {
	p := point.New(measurement, 12)
	err := errors.Join(addLoad(ctx, &p), addUptime(ctx, &p), addMemory(ctx, &p))
	if len(p.Fields) == 0 {
		return fmt.Errorf("the system tells nothing: %w", err)
	}
	if err != nil {
		g.log.Debug("parts of the system are not shown", "error", err)
	}
	g.addUsage(ctx, &p)
	if n, ok := users(ctx); ok {
		p.Add("n_users", point.IntOf(n))
	}
	if n, ok := processes(ctx); ok {
		p.Add("process_count", point.IntOf(n))
	}
	pts := []point.Point{p}
	if runtime.GOOS == "linux" {
		pts = append(pts, kernelPoints(ctx)...)
	}
	return sink.Write(ctx, point.Metric, pts)
}

func addLoad(ctx context.Context, p *point.Point) error {
	cores, err := cpu.CountsWithContext(ctx, true)
	if err != nil || cores < 1 {
		cores = runtime.NumCPU()
	}
	p.Add("n_cpus", point.IntOf(int64(cores)))
	l, err := load.AvgWithContext(ctx)
	if err != nil {
		return fmt.Errorf("read load: %w", err)
	}
	p.Add("load1", point.FloatOf(l.Load1))
	p.Add("load5", point.FloatOf(l.Load5))
	p.Add("load15", point.FloatOf(l.Load15))
	p.Add("load1_per_core", point.FloatOf(l.Load1/float64(cores)))
	p.Add("load5_per_core", point.FloatOf(l.Load5/float64(cores)))
	p.Add("load15_per_core", point.FloatOf(l.Load15/float64(cores)))
	return nil
}

func addUptime(ctx context.Context, p *point.Point) error {
	s, err := host.UptimeWithContext(ctx)
	if err != nil {
		return fmt.Errorf("read uptime: %w", err)
	}
	p.Add("uptime", point.IntOf(int64(s)))
	return nil
}

func addMemory(ctx context.Context, p *point.Point) error {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return fmt.Errorf("read memory: %w", err)
	}
	if m.Total > 0 {
		p.Add("memory_usage", point.FloatOf(100*float64(m.Used)/float64(m.Total)))
	}
	return nil
}

// addUsage adds the processors' share of busy time, where both samples hold and
// nothing went backwards.
func (g *gatherer) addUsage(ctx context.Context, p *point.Point) {
	times, err := cpu.TimesWithContext(ctx, false)
	if err != nil || len(times) == 0 {
		g.before = nil
		return
	}
	before, now := g.before, &times[0]
	g.before = now
	if before == nil {
		return
	}
	all, idle := sum(now)-sum(before), now.Idle+now.Iowait-before.Idle-before.Iowait
	if all > 0 && idle >= 0 && idle <= all {
		p.Add("cpu_total_usage", point.FloatOf(100*(all-idle)/all))
	}
}

// sum leaves guests out: Linux counts them as user time too.
func sum(t *cpu.TimesStat) float64 {
	return t.User + t.System + t.Idle + t.Nice + t.Iowait + t.Irq + t.Softirq + t.Steal
}
