// Package diskio collects what the block devices read and write.
package diskio

import (
	"context"
	"fmt"
	"maps"
	"math"
	"regexp"
	"runtime"
	"slices"
	"time"

	"github.com/shirou/gopsutil/v4/disk"

	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

const measurement = "diskio"

// Plugin returns the description of the input.
func Plugin() input.Plugin {
	return input.Plugin{
		Name:      measurement,
		Doc:       "Collects what the block devices read and write, as counters and as rates since the last collection.",
		DocZH:     "采集块设备读写情况：累计值及自上次采集以来的速率。",
		Singleton: true,
		Baseline:  true,
		Options: []spec.Field{
			{
				Name: "devices", Type: spec.Strings, Example: []string{`^sda\d*`, `vd.*`},
				Doc:   "Devices to collect, regular expressions; all where empty, partitions too.",
				DocZH: "需采集的设备（正则列表）；为空时采集全部设备及分区。",
			},
			{
				Name: "skip_serial_number", Type: spec.Bool, Default: true,
				Doc: "Leave the tag serial out.", DocZH: "不输出 serial 标签。",
			},
			{
				Name: "device_tags", Type: spec.Strings, Example: []string{"ID_FS_TYPE", "ID_FS_USAGE"},
				Doc:   "Properties of udev to add as tags (Linux): see udevadm info -q property -n /dev/sda.",
				DocZH: "作为标签附加的 udev 属性（Linux），可用 udevadm info -q property -n /dev/sda 查看。",
			},
			{
				Name: "name_templates", Type: spec.Strings, Example: []string{"$ID_FS_LABEL", "$DM_VG_NAME/$DM_LV_NAME", "$device:$ID_FS_TYPE"},
				Doc:   "Names for the tag name, made of udev properties and $device; the first whose properties all exist is taken (Linux).",
				DocZH: "由 udev 属性与 $device 组成的 name 标签模板，取第一个所有属性均存在的模板（Linux）。",
			},
		},
		Measurements: []input.Measurement{{
			Name: measurement, Doc: "One block device. The properties that device_tags names are tags as well.", DocZH: "单个块设备。device_tags 指定的属性也会成为标签。",
			Tags: []input.Tag{
				input.Label("name", "The device, sda, or what name_templates makes of it.", "设备名，如 sda，或由 name_templates 生成。"),
				input.Label("serial", "Serial number of the device, unless skip_serial_number.", "设备序列号（skip_serial_number 为 false 时）。"),
			},
			Fields: fields(),
		}},
		NewGatherer: open,
	}
}

func fields() []input.Field {
	return []input.Field{
		input.Int("reads", "count", "Reads completed.", "完成的读请求数。"),
		input.Int("writes", "count", "Writes completed.", "完成的写请求数。"),
		input.Int("read_bytes", "bytes", "Bytes read.", "读取字节数。"),
		input.Int("read_bytes/sec", "bytes per second", "Bytes read a second.", "每秒读取字节数。"),
		input.Int("write_bytes", "bytes", "Bytes written.", "写入字节数。"),
		input.Int("write_bytes/sec", "bytes per second", "Bytes written a second.", "每秒写入字节数。"),
		input.Int("read_time", "ms", "Time that reads took, all together.", "读请求总耗时。"),
		input.Int("write_time", "ms", "Time that writes took, all together.", "写请求总耗时。"),
		input.Int("io_time", "ms", "Time during which the device was busy (Linux).", "设备繁忙时间（Linux）。"),
		input.Int("weighted_io_time", "ms", "Busy time, each request counted (Linux).", "按请求数加权的繁忙时间（Linux）。"),
		input.Int("iops_in_progress", "count", "Requests in progress now (Linux).", "正在处理的请求数（Linux）。"),
		input.Int("merged_reads", "count", "Reads merged into others (Linux).", "被合并的读请求数（Linux）。"),
		input.Int("merged_writes", "count", "Writes merged into others (Linux).", "被合并的写请求数（Linux）。"),
	}
}

type gatherer struct {
	devices   []*regexp.Regexp
	serial    bool
	tags      []string
	templates []string
	before    map[string]disk.IOCountersStat
	at        time.Time
}

func open(_ input.Env, v spec.Values) (input.Gatherer, error) {
	g := &gatherer{
		serial:    !v.Bool("skip_serial_number"),
		tags:      v.Strings("device_tags"),
		templates: v.Strings("name_templates"),
	}
	for _, text := range v.Strings("devices") {
		re, err := regexp.Compile(text)
		if err != nil {
			return nil, fmt.Errorf("devices: %w", err)
		}
		g.devices = append(g.devices, re)
	}
	return g, nil
}

// Gather writes one point a device that was there at the last call too.
func (g *gatherer) Gather(ctx context.Context, sink input.Sink) error {
	now, err := disk.IOCountersWithContext(ctx)
	if err != nil {
		return fmt.Errorf("read device counters: %w", err)
	}
	before, elapsed := g.before, time.Since(g.at)
	g.before, g.at = now, time.Now()
	var pts []point.Point
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if was, ok := before[name]; ok && g.wanted(name) {
			pts = append(pts, g.newPoint(ctx, was, now[name], elapsed))
		}
	}
	if len(pts) == 0 {
		return nil
	}
	return sink.Write(ctx, point.Metric, pts)
}

func (g *gatherer) wanted(name string) bool {
	return len(g.devices) == 0 || slices.ContainsFunc(g.devices, func(re *regexp.Regexp) bool { return re.MatchString(name) })
}

func (g *gatherer) newPoint(ctx context.Context, was, now disk.IOCountersStat, elapsed time.Duration) point.Point {
	p := point.New(measurement, 13)
	g.label(ctx, &p, now)
	add := func(name string, v uint64) { p.Add(name, point.IntOf(int64(v))) }
	add("reads", now.ReadCount)
	add("writes", now.WriteCount)
	add("read_bytes", now.ReadBytes)
	add("write_bytes", now.WriteBytes)
	if rate, ok := input.PerSecond(was.ReadBytes, now.ReadBytes, elapsed); ok {
		p.Add("read_bytes/sec", point.IntOf(int64(math.Round(rate))))
	}
	if rate, ok := input.PerSecond(was.WriteBytes, now.WriteBytes, elapsed); ok {
		p.Add("write_bytes/sec", point.IntOf(int64(math.Round(rate))))
	}
	add("read_time", now.ReadTime)
	add("write_time", now.WriteTime)
	if runtime.GOOS == "linux" {
		add("io_time", now.IoTime)
		add("weighted_io_time", now.WeightedIO)
		add("iops_in_progress", now.IopsInProgress)
		add("merged_reads", now.MergedReadCount)
		add("merged_writes", now.MergedWriteCount)
	}
	return p
}

func (g *gatherer) label(ctx context.Context, p *point.Point, d disk.IOCountersStat) {
	name := d.Name
	if len(g.tags) > 0 || len(g.templates) > 0 {
		properties := udev(ctx, d.Name)
		for _, key := range g.tags {
			if v := properties[key]; v != "" {
				p.SetTag(key, v)
			}
		}
		name = expand(g.templates, d.Name, properties)
	}
	p.SetTag("name", name)
	if g.serial && d.SerialNumber != "" {
		p.SetTag("serial", d.SerialNumber)
	}
}
