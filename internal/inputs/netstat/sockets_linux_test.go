package netstat

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"datakit.dev/internal/input/inputtest"
)

const (
	tcpTable = "  sl  local_address rem_address   st tx_queue rx_queue\n" +
		"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1\n" +
		"   1: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000 0 0 1 1\n" +
		"   2: 0100007F:0050 0100007F:9C40 06 00000000:00000000 00:00000000 00000000 0 0 1 1\n" +
		"   3: 0100007F:0050 0100007F:9C40 7F 00000000:00000000\n" +
		"   4: broken line\n   5: 01:0050 x 01\n"
	tcp6Table = "  sl\n   0: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 0\n" +
		"   1: 0000000000000000FFFF00000100007F:0016 00000000000000000000000000000000:0000 01 0\n"
)

func TestReadsProcWhereNetlinkIsNotTheHosts(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the tables are those of a little-endian machine")
	}
	h := inputtest.NewHost(t, map[string]string{"proc/net/tcp": tcpTable, "proc/net/tcp6": tcp6Table, "proc/net/udp": "head\n   7: 00000000:0035 00000000:0000 07 0\n"})
	got := inputtest.Gather(t, h.Context(t.Context()), inputtest.Start(t, Plugin(), "[[inputs.netstat.addr_ports]]\nports = ['8080', '127.0.0.1:80']"))
	v4 := inputtest.Find(t, got, measurement, "ip_version", "4")
	for field, want := range map[string]any{
		"tcp_listen": int64(1), "tcp_established": int64(2), "tcp_time_wait": int64(1), "tcp_none": int64(1), "udp_socket": int64(1),
	} {
		inputtest.Want(t, v4, field, want)
	}
	inputtest.Want(t, inputtest.Find(t, got, measurement, "ip_version", "6"), "tcp_listen", int64(1))
	inputtest.Want(t, inputtest.Find(t, got, portMeasurement, "addr_port", "8080"), "tcp_established", int64(1))
	inputtest.Want(t, inputtest.Find(t, got, portMeasurement, "addr_port", "127.0.0.1:80"), "tcp_time_wait", int64(1))
}

func TestMissingTablesAreAnErrorUnlessIPv6(t *testing.T) {
	h := inputtest.NewHost(t, map[string]string{"proc/net/tcp": tcpTable})
	var s inputtest.Sink
	err := inputtest.Start(t, Plugin(), "").Gather(h.Context(t.Context()), &s)
	if err == nil || !strings.Contains(err.Error(), "udp") || len(s.Take()) > 0 {
		t.Errorf("error %v", err)
	}
}

// Both ways must see the same listening sockets.
func TestNetlinkAndProcAgree(t *testing.T) {
	port := listenTCP(t, "127.0.0.1:0")
	diag, err := openDiag()
	if err != nil {
		t.Skipf("no netlink: %v", err)
	}
	defer diag.close()
	var byNetlink, byProc counts
	count := func(c *counts) func(socket) {
		return func(s socket) {
			if strings.HasSuffix(s.local.String(), ":"+port) {
				c.add(s)
			}
		}
	}
	if err := diag.list([][]byte{bothFamilies()}, false, count(&byNetlink)); err != nil {
		t.Skipf("not listed by netlink here: %v", err)
	}
	if err := readTable("/proc/net/tcp", false, count(&byProc)); err != nil {
		t.Fatal(err)
	}
	if byNetlink != byProc || byProc.tcp[listen] != 1 {
		t.Errorf("netlink %v, proc %v", byNetlink, byProc)
	}
}

func TestNoDescriptorIsLeftOpen(t *testing.T) {
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		return len(entries)
	}
	g := inputtest.Start(t, Plugin(), "")
	inputtest.Gather(t, t.Context(), g)
	before := open()
	for range 20 {
		inputtest.Gather(t, t.Context(), g)
	}
	if after := open(); after > before+5 {
		t.Errorf("%d descriptors, then %d", before, after)
	}
}

func FuzzMessages(f *testing.F) {
	f.Add([]byte{20, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255})
	f.Add(make([]byte, 200))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = messages(b, false, func(s socket) { new(counts).add(s) }) })
}

func FuzzTable(f *testing.F) {
	f.Add(tcpTable)
	f.Add(tcp6Table)
	f.Fuzz(func(_ *testing.T, text string) {
		_ = parseTable(strings.NewReader(text), true, func(s socket) { new(counts).add(s) })
	})
}
