package netstat

import (
	"net/netip"

	"datakit.dev/internal/point"
)

// A state is that of a TCP socket; the numbers are the Linux kernel's.
type state uint8

const (
	none state = iota
	established
	synSent
	synRecv
	finWait1
	finWait2
	timeWait
	closed
	closeWait
	lastAck
	listen
	closing
	states
)

var stateNames = [states]string{ //nolint:gochecknoglobals // names of an enum, never written
	"none", "established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2", "time_wait", "close", "close_wait", "last_ack", "listen", "closing",
}

func (s state) field() string { return "tcp_" + stateNames[s] }

// A socket is what is counted of one.
type socket struct {
	local netip.AddrPort // unmapped
	state state          // of TCP
	udp   bool
}

// version is 0 for IPv4 and 1 for IPv6.
func (s socket) version() int {
	if s.local.Addr().Is6() {
		return 1
	}
	return 0
}

type counts struct {
	tcp [states]int64
	udp int64
}

func (c *counts) add(s socket) {
	switch {
	case s.udp:
		c.udp++
	case s.state < states:
		c.tcp[s.state]++
	default:
		c.tcp[none]++
	}
}

func (c *counts) point(name, version string) point.Point {
	p := point.New(name, int(states)+1)
	for s, n := range c.tcp {
		p.Add(state(s).field(), point.IntOf(n))
	}
	p.Add("udp_socket", point.IntOf(c.udp))
	p.Tags = []point.Tag{{Key: "ip_version", Value: version}}
	return p
}
