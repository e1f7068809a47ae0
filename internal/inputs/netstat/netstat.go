// Package netstat counts the machine's sockets: TCP by state, and UDP.
package netstat

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

const (
	measurement     = "netstat"
	portMeasurement = "netstat_port"
)

// Plugin returns the description of the input.
func Plugin() input.Plugin {
	version := input.Label("ip_version", "4 or 6; a socket that carries IPv4 over IPv6 counts as 4.", "4 或 6；以 IPv6 承载 IPv4 的套接字计为 4。")
	return input.Plugin{
		Name:      measurement,
		Doc:       "Counts the machine's sockets: TCP by state, and UDP; and, on request, those of single ports.",
		DocZH:     "统计主机套接字：TCP 各状态数量与 UDP 数量，并可按端口统计。",
		Singleton: true,
		Options: []spec.Field{{
			Name: "addr_ports", Type: spec.Tables,
			Doc: "Local ports to count on their own.", DocZH: "需单独统计的本地端口。",
			Fields: []spec.Field{
				{
					Name: "ports", Type: spec.Strings, Example: []string{"80", "1.1.1.1:443"},
					Doc: "Ports, or addresses with ports.", DocZH: "端口，或地址加端口。",
				},
				{
					Name: "ports_match", Type: spec.Strings, Example: []string{"*:9529"},
					Doc:   "Ports after *:, counted for every local address apart; where set, ports is not looked at.",
					DocZH: "形如 *:80 的端口，按本地地址分别统计；设置后忽略 ports。",
				},
				{
					Name: "tags", Type: spec.StringMap, Example: map[string]string{"service": "http"},
					Doc: "Tags added to the points of these ports.", DocZH: "附加到这些端口数据点的标签。",
				},
			},
		}},
		Measurements: []input.Measurement{
			{
				Name: measurement, Doc: "All sockets.", DocZH: "全部套接字。",
				Tags: []input.Tag{version}, Fields: fields(),
			},
			{
				Name: portMeasurement, Doc: "The sockets of one of addr_ports, where there is any, with the tags given there.",
				DocZH: "addr_ports 中单个端口的套接字（存在时），并带有其中配置的标签。",
				Tags:  []input.Tag{input.Label("addr_port", "The port, or the address with the port.", "端口，或地址加端口。"), version}, Fields: fields(),
			},
		},
		NewGatherer: open,
	}
}

func fields() []input.Field {
	out := make([]input.Field, 0, states+1)
	for s, doc := range []struct{ en, zh string }{
		none:        {"whose state the system does not tell", "系统未给出状态"},
		established: {"that are open", "已建立连接"},
		synSent:     {"that wait for an answer to their request to open", "已发出连接请求、等待应答"},
		synRecv:     {"that answered a request to open", "已应答连接请求"},
		finWait1:    {"that asked to close", "已发出关闭请求"},
		finWait2:    {"that wait for the other side to close", "等待对端关闭"},
		timeWait:    {"that wait for stray segments after closing", "关闭后等待残留报文"},
		closed:      {"that are not in use", "未使用"},
		closeWait:   {"that the other side closed", "对端已关闭、等待本端关闭"},
		lastAck:     {"that wait for the last acknowledgement", "等待最后确认"},
		listen:      {"that wait for connections", "监听中"},
		closing:     {"that both sides close at once", "双方同时关闭"},
	} {
		out = append(out, input.Int(state(s).field(), "count", "TCP sockets "+doc.en+".", "TCP 套接字数："+doc.zh+"。"))
	}
	return append(out, input.Int("udp_socket", "count", "UDP sockets.", "UDP 套接字数。"))
}

type gatherer struct{ groups []group }

// A group is one table of addr_ports.
type group struct {
	ports map[uint16]bool         // "80"
	addrs map[netip.AddrPort]bool // "1.1.1.1:80"
	each  map[uint16]bool         // "*:80": every local address apart
	tags  map[string]string
}

func open(_ input.Env, v spec.Values) (input.Gatherer, error) {
	g := &gatherer{}
	for _, table := range v.Tables("addr_ports") {
		one, err := newGroup(table)
		if err != nil {
			return nil, fmt.Errorf("addr_ports: %w", err)
		}
		g.groups = append(g.groups, one)
	}
	return g, nil
}

func newGroup(v spec.Values) (group, error) {
	g := group{ports: map[uint16]bool{}, addrs: map[netip.AddrPort]bool{}, each: map[uint16]bool{}, tags: v.Map("tags")}
	for _, text := range v.Strings("ports_match") {
		port, err := netip.ParseAddrPort(strings.Replace(text, "*:", "0.0.0.0:", 1))
		if err != nil || !strings.HasPrefix(text, "*:") {
			return g, fmt.Errorf("ports_match: expected *:PORT such as *:80, got %q", text)
		}
		g.each[port.Port()] = true
	}
	for _, text := range v.Strings("ports") {
		if addr, err := netip.ParseAddrPort(text); err == nil {
			g.addrs[netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())] = true
			continue
		}
		port, err := netip.ParseAddrPort("0.0.0.0:" + text)
		if err != nil {
			return g, fmt.Errorf("ports: expected a port or ADDRESS:PORT, got %q", text)
		}
		g.ports[port.Port()] = true
	}
	if len(g.each) > 0 {
		g.ports, g.addrs = nil, nil
	}
	return g, nil
}

// match returns under which name the group counts a local address.
func (g group) match(local netip.AddrPort) (string, bool) {
	switch {
	case g.each[local.Port()] || g.addrs[local]:
		return local.String(), true
	case g.ports[local.Port()]:
		return strconv.Itoa(int(local.Port())), true
	}
	return "", false
}

// A portKey names one point of netstat_port.
type portKey struct {
	group int
	name  string
	v6    bool
}

// Gather writes one point for each version of IP, and those of addr_ports.
func (g *gatherer) Gather(ctx context.Context, sink input.Sink) error {
	var all [2]counts
	ports := map[portKey]*counts{}
	err := sockets(ctx, func(s socket) {
		all[s.version()].add(s)
		for i, one := range g.groups {
			name, ok := one.match(s.local)
			if !ok {
				continue
			}
			key := portKey{i, name, s.version() == 1}
			if ports[key] == nil {
				ports[key] = &counts{}
			}
			ports[key].add(s)
			return // the first group has it
		}
	})
	if err != nil {
		return fmt.Errorf("list sockets: %w", err)
	}
	pts := []point.Point{all[0].point(measurement, "4"), all[1].point(measurement, "6")}
	return sink.Write(ctx, point.Metric, append(pts, g.portPoints(ports)...))
}

func (g *gatherer) portPoints(ports map[portKey]*counts) []point.Point {
	pts := make([]point.Point, 0, len(ports))
	for key, c := range ports {
		version := "4"
		if key.v6 {
			version = "6"
		}
		p := c.point(portMeasurement, version)
		for k, v := range g.groups[key.group].tags {
			p.SetTag(k, v)
		}
		p.SetTag("addr_port", key.name)
		pts = append(pts, p)
	}
	slices.SortFunc(pts, func(a, b point.Point) int {
		return strings.Compare(fmt.Sprint(a.Tags), fmt.Sprint(b.Tags))
	})
	return pts
}
