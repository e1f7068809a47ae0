package net

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/input"
	"datakit.dev/internal/input/inputtest"
)

func TestInput(t *testing.T) {
	inputtest.Run(t, inputtest.Case{Plugin: Plugin(), Config: "enable_virtual_interfaces = true"})
}

func BenchmarkGather(b *testing.B) { inputtest.Bench(b, Plugin(), "") }

const (
	header = "Inter-|   Receive                                                |  Transmit\n" +
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
	devFirst   = header + "  eth0: 1000 10 1 2 0 0 0 0 5000 50 3 4 0 0 0 0\n    lo: 7 7 0 0 0 0 0 0 7 7 0 0 0 0 0 0\n  eth9: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\nveth:1: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
	devSecond  = header + "  eth0: 3000 30 1 2 0 0 0 0 4000 60 3 4 0 0 0 0\n    lo: 7 7 0 0 0 0 0 0 7 7 0 0 0 0 0 0\n  eth9: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\nveth:1: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth1: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
	snmpFirst  = "Ip: Forwarding\nIp: 1\nTcp: RtoAlgorithm RtoMin RtoMax MaxConn InSegs OutSegs\nTcp: 1 200 120000 -1 100 50\nUdp: InDatagrams NoPorts Unheard\nUdp: 10 2 77\nUdpLite: InDatagrams\nUdpLite: 9\n"
	snmpSecond = "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn InSegs OutSegs\nTcp: 1 200 120000 -1 300 40\nUdp: InDatagrams NoPorts Unheard\nUdp: 20 2 77\n"
)

func linuxHost(t *testing.T) inputtest.Host {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	return inputtest.NewHost(t, map[string]string{
		"proc/net/dev":                     devFirst,
		"proc/net/snmp":                    snmpFirst,
		"sys/class/net/eth0/flags":         "0x1003\n",
		"sys/class/net/eth9/flags":         "0x1002\n",
		"sys/class/net/lo/flags":           "0x9\n",
		"sys/devices/virtual/net/lo/x":     "",
		"sys/devices/virtual/net/veth:1/x": "",
	})
}

func TestRatesBetweenTwoSamples(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		h := linuxHost(t)
		ctx := h.Context(t.Context())
		g := inputtest.Start(t, Plugin(), "")
		if got := inputtest.Gather(t, ctx, g); len(got) != 0 {
			t.Fatalf("the first sample wrote %v", got)
		}
		time.Sleep(10 * time.Second)
		h.Put("proc/net/dev", devSecond)
		h.Put("proc/net/snmp", snmpSecond)
		got := inputtest.Gather(t, ctx, g)
		if len(got) != 2 {
			t.Fatalf("%d points, want eth0 and all: eth9 is down, lo virtual, eth1 new", len(got))
		}
		eth0 := inputtest.Find(t, got, "net", "interface", "eth0")
		for field, want := range map[string]any{
			"bytes_recv": int64(3000), "bytes_recv/sec": int64(200), "packets_recv/sec": int64(2),
			"bytes_sent": int64(4000), "bytes_sent/sec": nil, // it went backwards
			"packets_sent/sec": int64(1), "err_in": int64(1), "drop_in": int64(2), "err_out": int64(3), "drop_out": int64(4),
		} {
			inputtest.Want(t, eth0, field, want)
		}
		all := inputtest.Find(t, got, "net", "interface", "all")
		for field, want := range map[string]any{
			"tcp_insegs": int64(300), "tcp_insegs/sec": int64(20), "tcp_outsegs": int64(40), "tcp_outsegs/sec": nil,
			"tcp_maxconn": nil, "tcp_rtomin": int64(200), "udp_indatagrams/sec": int64(1), "udp_noports": int64(2), "udp_unheard": nil,
		} {
			inputtest.Want(t, all, field, want)
		}
	})
}

func TestOptionsChooseInterfaces(t *testing.T) {
	h := linuxHost(t)
	ctx := h.Context(t.Context())
	for options, want := range map[string]string{
		"":                                 "eth0,all",
		"ignore_protocol_stats = true":     "eth0",
		"enable_virtual_interfaces = true": "eth0,lo,veth:1,all",
		"interfaces = ['^lo$', '^eth9$']":  "lo,eth9,all",
	} {
		g := inputtest.Start(t, Plugin(), options)
		inputtest.Gather(t, ctx, g)
		var names []string
		for _, w := range inputtest.Gather(t, ctx, g) {
			name, _ := w.Tag("interface")
			names = append(names, name)
		}
		if got := strings.Join(names, ","); got != want {
			t.Errorf("%s: %s, want %s", options, got, want)
		}
	}
	if _, err := Plugin().NewGatherer(input.Env{}, inputtest.Decode(t, Plugin(), "interfaces = '('")); err == nil {
		t.Error("a bad expression was taken")
	}
}

func TestContainerWithoutSNMPStillShowsInterfaces(t *testing.T) {
	h := linuxHost(t)
	h.Remove("proc/net/snmp")
	h.Remove("sys")
	ctx := h.Context(t.Context())
	g := inputtest.Start(t, Plugin(), "")
	inputtest.Gather(t, ctx, g)
	if got := inputtest.Gather(t, ctx, g); len(got) != 4 {
		t.Errorf("%d points, want every interface and no protocols", len(got))
	}
}

func FuzzParseSNMP(f *testing.F) {
	f.Add(snmpFirst)
	f.Add("Tcp: a\nTcp:\nTcp: 1 2\nUdp:\nUdp:\n")
	known := documented()
	f.Fuzz(func(t *testing.T, text string) {
		for name := range parseSNMP(text, known) {
			if !known[name] {
				t.Errorf("field %q", name)
			}
		}
	})
}
