// Package net collects what the network interfaces carry, and on Linux what TCP
// and UDP count.
package net

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"regexp"
	"slices"
	"time"

	"github.com/shirou/gopsutil/v4/net"

	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

const measurement = "net"

// Plugin returns the description of the input.
func Plugin() input.Plugin {
	return input.Plugin{
		Name:      measurement,
		Doc:       "Collects what the network interfaces carry, as counters and as rates since the last collection, and what TCP and UDP count (Linux).",
		DocZH:     "采集网卡流量（累计值及自上次采集以来的速率），以及 TCP、UDP 协议计数（Linux）。",
		Singleton: true,
		Baseline:  true,
		Options: []spec.Field{
			{
				Name: "interfaces", Type: spec.Strings, Example: []string{`eth[\w-]+`, "lo"},
				Doc:   "Interfaces to collect, regular expressions, virtual ones too; where empty, all that are up and not virtual.",
				DocZH: "需采集的网卡（正则列表，可包含虚拟网卡）；为空时采集所有已启用的非虚拟网卡。",
			},
			{
				Name: "enable_virtual_interfaces", Type: spec.Bool, Default: false,
				Doc: "Collect virtual interfaces: bridges, tunnels, containers' ends, lo (Linux).", DocZH: "采集虚拟网卡，如网桥、隧道、容器网卡、lo（Linux）。",
			},
			{
				Name: "ignore_protocol_stats", Type: spec.Bool, Default: false,
				Doc: "Leave out what TCP and UDP count.", DocZH: "不采集 TCP、UDP 协议计数。",
			},
		},
		Measurements: []input.Measurement{{
			Name:   measurement,
			Doc:    "One network interface; the fields tcp_* and udp_* come on a point of their own, whose interface is all.",
			DocZH:  "单个网卡；tcp_* 与 udp_* 字段位于 interface 为 all 的独立数据点上。",
			Tags:   []input.Tag{input.Label("interface", "The interface, eth0; all for the protocols' point.", "网卡名，如 eth0；协议计数数据点为 all。")},
			Fields: fields(),
		}},
		NewGatherer: open,
	}
}

type gatherer struct {
	log       *slog.Logger
	names     []*regexp.Regexp
	virtual   bool
	protocols bool
	known     map[string]bool // the fields of protocols

	before map[string]net.IOCountersStat
	proto  map[string]uint64
	at     time.Time
}

func open(env input.Env, v spec.Values) (input.Gatherer, error) {
	g := &gatherer{log: env.Log, virtual: v.Bool("enable_virtual_interfaces"), protocols: !v.Bool("ignore_protocol_stats"), known: documented()}
	for _, text := range v.Strings("interfaces") {
		re, err := regexp.Compile(text)
		if err != nil {
			return nil, fmt.Errorf("interfaces: %w", err)
		}
		g.names = append(g.names, re)
	}
	return g, nil
}

// Gather writes one point an interface that was there at the last call too.
func (g *gatherer) Gather(ctx context.Context, sink input.Sink) error {
	all, err := net.IOCountersWithContext(ctx, true)
	if err != nil {
		return fmt.Errorf("read interface counters: %w", err)
	}
	before, elapsed := g.before, time.Since(g.at)
	proto := g.proto
	g.before, g.proto, g.at = make(map[string]net.IOCountersStat, len(all)), nil, time.Now()
	pts := make([]point.Point, 0, 4)
	for _, now := range all {
		if !g.wanted(ctx, now.Name) {
			continue
		}
		g.before[now.Name] = now
		if was, ok := before[now.Name]; ok {
			pts = append(pts, newPoint(was, now, elapsed))
		}
	}
	if g.protocols {
		g.proto = counters(ctx, g.log, g.known)
		if len(g.proto) > 0 && proto != nil {
			pts = append(pts, protocolPoint(proto, g.proto, elapsed))
		}
	}
	if len(pts) == 0 {
		return nil
	}
	return sink.Write(ctx, point.Metric, pts)
}

func (g *gatherer) wanted(ctx context.Context, name string) bool {
	if len(g.names) > 0 {
		return slices.ContainsFunc(g.names, func(re *regexp.Regexp) bool { return re.MatchString(name) })
	}
	return isUp(ctx, name) && (g.virtual || !isVirtual(ctx, name))
}

func newPoint(was, now net.IOCountersStat, elapsed time.Duration) point.Point {
	p := point.New(measurement, 12)
	p.Tags = []point.Tag{{Key: "interface", Value: now.Name}}
	for _, c := range []struct {
		name     string
		was, now uint64
	}{
		{"bytes_sent", was.BytesSent, now.BytesSent},
		{"bytes_recv", was.BytesRecv, now.BytesRecv},
		{"packets_sent", was.PacketsSent, now.PacketsSent},
		{"packets_recv", was.PacketsRecv, now.PacketsRecv},
	} {
		counter(&p, c.name, c.was, c.now, elapsed)
	}
	p.Add("err_in", point.IntOf(int64(now.Errin)))
	p.Add("err_out", point.IntOf(int64(now.Errout)))
	p.Add("drop_in", point.IntOf(int64(now.Dropin)))
	p.Add("drop_out", point.IntOf(int64(now.Dropout)))
	return p
}

// counter adds a counter and, where it did not go backwards, its rate.
func counter(p *point.Point, name string, was, now uint64, elapsed time.Duration) {
	p.Add(name, point.IntOf(int64(now)))
	if rate, ok := input.PerSecond(was, now, elapsed); ok {
		p.Add(name+"/sec", point.IntOf(int64(math.Round(rate))))
	}
}
