// Package cpu collects where the processors spend their time, as shares of the
// time between two collections.
package cpu

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"

	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

const measurement = "cpu"

// Plugin returns the description of the input.
func Plugin() input.Plugin {
	return input.Plugin{
		Name:      measurement,
		Doc:       "Collects where the processors spend their time: the share of each state since the last collection.",
		DocZH:     "采集 CPU 时间分布：自上次采集以来各状态所占的百分比。",
		Singleton: true,
		Baseline:  true,
		Options: []spec.Field{
			{
				Name: "percpu", Type: spec.Bool, Default: false,
				Doc: "One more point for every core.", DocZH: "额外为每个核心输出一个数据点。",
			},
			{
				Name: "enable_temperature", Type: spec.Bool, Default: true,
				Doc: "Collect the average temperature of the cores (Linux).", DocZH: "采集各核心的平均温度（仅 Linux）。",
			},
			{
				Name: "disable_temperature_collect", Type: spec.Bool, Default: false,
				Doc: "Deprecated: use enable_temperature.", DocZH: "已废弃：请使用 enable_temperature。",
			},
			{
				Name: "enable_load5s", Type: spec.Bool, Default: true,
				Doc: "Collect the number of runnable tasks, averaged over five seconds (Linux).", DocZH: "采集 5 秒平均的可运行任务数（仅 Linux）。",
			},
		},
		Measurements: []input.Measurement{{
			Name: measurement, Doc: "Shares of processor time.", DocZH: "CPU 时间占比。",
			Tags: []input.Tag{input.Label("cpu", "The core, cpu0 and so on; cpu-total stands for all of them.", "核心编号，如 cpu0；cpu-total 表示全部核心合计。")},
			Fields: []input.Field{
				share("user", "running user programs, guests not counted", "运行用户态程序（不含虚拟机）"),
				share("system", "in the kernel", "内核态"),
				share("idle", "idle", "空闲"),
				share("nice", "running programs of lowered priority (Linux, macOS)", "运行低优先级程序（Linux、macOS）"),
				share("iowait", "idle while a disk was busy for it (Linux)", "等待磁盘 I/O（Linux）"),
				share("irq", "serving interrupts (Linux, Windows)", "处理硬中断（Linux、Windows）"),
				share("softirq", "serving deferred interrupts (Linux)", "处理软中断（Linux）"),
				share("steal", "taken by other guests of the hypervisor (Linux)", "被宿主机上其他虚拟机占用（Linux）"),
				share("guest", "running a virtual machine (Linux)", "运行虚拟机（Linux）"),
				share("guest_nice", "running a virtual machine of lowered priority (Linux)", "运行低优先级虚拟机（Linux）"),
				share("total", "not idle: 100 less usage_idle", "非空闲：100 减去 usage_idle"),
				input.Float("core_temperature", "celsius", "Average temperature of the cores, on cpu-total (Linux, where sensors show it).", "各核心平均温度，仅在 cpu-total 上（Linux，需有传感器）。"),
				input.Int("load5s", "tasks", "Runnable tasks averaged over five seconds, on cpu-total (Linux).", "5 秒平均可运行任务数，仅在 cpu-total 上（Linux）。"),
			},
		}},
		NewGatherer: open,
	}
}

func share(state, doc, docZH string) input.Field {
	return input.Float("usage_"+state, "percent", "Share of time "+doc+".", docZH+"时间占比。")
}

type gatherer struct {
	percpu bool
	temp   bool
	load   *runLoad
	before map[string]cpu.TimesStat
}

func open(_ input.Env, v spec.Values) (input.Gatherer, error) {
	g := &gatherer{
		percpu: v.Bool("percpu"),
		temp:   v.Bool("enable_temperature") && !v.Bool("disable_temperature_collect") && runtime.GOOS == "linux",
	}
	if v.Bool("enable_load5s") && runtime.GOOS == "linux" {
		g.load = &runLoad{}
	}
	return g, nil
}

// Gather writes the shares since the last call.
func (g *gatherer) Gather(ctx context.Context, sink input.Sink) error {
	now, err := g.sample(ctx)
	if err != nil {
		return err
	}
	before := g.before
	g.before = make(map[string]cpu.TimesStat, len(now))
	for _, t := range now {
		g.before[t.CPU] = t
	}
	if g.load != nil {
		g.load.add(ctx, time.Now())
	}
	pts := make([]point.Point, 0, len(now))
	for _, t := range now {
		was, ok := before[t.CPU]
		if !ok {
			continue // first seen: a core that was switched on has no past
		}
		p := point.New(measurement, len(states)+3)
		p.Tags = []point.Tag{{Key: "cpu", Value: t.CPU}}
		if !shares(&p, was, t) {
			continue
		}
		if t.CPU == "cpu-total" {
			g.extras(ctx, &p)
		}
		pts = append(pts, p)
	}
	if len(pts) == 0 {
		return nil
	}
	return sink.Write(ctx, point.Metric, pts)
}

func (g *gatherer) sample(ctx context.Context) ([]cpu.TimesStat, error) {
	total, err := cpu.TimesWithContext(ctx, false)
	if err != nil {
		return nil, fmt.Errorf("read processor times: %w", err)
	}
	if len(total) == 0 {
		return nil, errors.New("the system shows no processor times: is /proc/stat readable?")
	}
	if !g.percpu {
		return total, nil
	}
	each, err := cpu.TimesWithContext(ctx, true)
	if err != nil {
		return nil, fmt.Errorf("read processor times: %w", err)
	}
	return append(total, each...), nil
}

func (g *gatherer) extras(ctx context.Context, p *point.Point) {
	if g.temp {
		if c, ok := coreTemperature(ctx); ok {
			p.Add("core_temperature", point.FloatOf(c))
		}
	}
	if g.load != nil && g.load.seen {
		p.Add("load5s", point.IntOf(int64(math.Round(g.load.value))))
	}
}

// states are the parts that add up to all of a processor's time, with what each
// is on the platforms that count it. Linux counts a guest's time as its user's
// too, so it is taken out of user and nice.
var states = []struct { //nolint:gochecknoglobals // a table, never written
	field string
	os    string // where it is counted: l(inux), d(arwin), w(indows)
	of    func(cpu.TimesStat) float64
}{
	{"usage_user", "ldw", func(t cpu.TimesStat) float64 { return t.User - t.Guest }},
	{"usage_system", "ldw", func(t cpu.TimesStat) float64 { return t.System }},
	{"usage_idle", "ldw", func(t cpu.TimesStat) float64 { return t.Idle }},
	{"usage_nice", "ld", func(t cpu.TimesStat) float64 { return t.Nice - t.GuestNice }},
	{"usage_iowait", "l", func(t cpu.TimesStat) float64 { return t.Iowait }},
	{"usage_irq", "lw", func(t cpu.TimesStat) float64 { return t.Irq }},
	{"usage_softirq", "l", func(t cpu.TimesStat) float64 { return t.Softirq }},
	{"usage_steal", "l", func(t cpu.TimesStat) float64 { return t.Steal }},
	{"usage_guest", "l", func(t cpu.TimesStat) float64 { return t.Guest }},
	{"usage_guest_nice", "l", func(t cpu.TimesStat) float64 { return t.GuestNice }},
}

// shares adds what each state took of the time between two samples, and reports
// whether there was any. A state that went backwards is left out: the kernel
// corrects iowait and steal downwards now and then.
func shares(p *point.Point, was, now cpu.TimesStat) bool {
	var grew [16]float64
	total := 0.0
	for i, s := range states {
		// The counters are multiples of a tick; what is smaller is rounding.
		grew[i] = math.Round((s.of(now)-s.of(was))*1e6) / 1e6
		total += max(grew[i], 0)
	}
	if total <= 0 {
		return false
	}
	for i, s := range states {
		if grew[i] < 0 || !counted(s.os) {
			continue
		}
		p.Add(s.field, point.FloatOf(100*grew[i]/total))
		if s.field == "usage_idle" {
			p.Add("usage_total", point.FloatOf(100-100*grew[i]/total))
		}
	}
	return true
}

func counted(on string) bool {
	switch runtime.GOOS {
	case "darwin":
		return on == "ldw" || on == "ld"
	case "windows":
		return on == "ldw" || on == "lw"
	}
	return true
}
