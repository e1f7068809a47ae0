package netstat

import (
	"net"
	"strconv"
	"strings"
	"testing"

	gopsnet "github.com/shirou/gopsutil/v4/net"

	"datakit.dev/internal/input"
	"datakit.dev/internal/input/inputtest"
	"datakit.dev/internal/point"
)

func TestInput(t *testing.T) {
	inputtest.Run(t, inputtest.Case{Plugin: Plugin(), Optional: []string{portMeasurement}})
}

func BenchmarkGather(b *testing.B) { inputtest.Bench(b, Plugin(), "") }

// The same sockets by the library, for comparison in the same run.
func BenchmarkGopsutil(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := gopsnet.ConnectionsWithoutUidsWithContext(b.Context(), "inet"); err != nil {
			b.Fatal(err)
		}
	}
}

// listenTCP opens a port and two connections to it.
func listenTCP(t *testing.T, address string) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("no %s here: %v", address, err)
	}
	t.Cleanup(func() { _ = l.Close() })
	for range 2 {
		out, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		in, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = out.Close(); _ = in.Close() })
	}
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func number(p *point.Point, field string) int64 {
	v, _ := p.Field(field)
	return v.Int()
}

func TestCountsTheSocketsOfAPort(t *testing.T) {
	port := listenTCP(t, "127.0.0.1:0")
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = udp.Close() }()
	udpPort := strconv.Itoa(udp.LocalAddr().(*net.UDPAddr).Port)
	for options, name := range map[string]string{
		"ports = '" + port + "'":                              port,
		"ports = ['1', '127.0.0.1:" + port + "']":             "127.0.0.1:" + port,
		"ports = '9'\nports_match = '*:" + port + "'":         "127.0.0.1:" + port,
		"ports = '" + port + "'\ntags = { service = 'http' }": port,
	} {
		got := inputtest.Gather(t, t.Context(), inputtest.Start(t, Plugin(), "[[inputs.netstat.addr_ports]]\n"+options))
		p := inputtest.Find(t, got, portMeasurement, "addr_port", name, "ip_version", "4")
		inputtest.Want(t, p, "tcp_listen", int64(1))
		inputtest.Want(t, p, "tcp_established", int64(2))
		if service, _ := p.Tag("service"); strings.Contains(options, "service") != (service == "http") {
			t.Errorf("%s: service %q", options, service)
		}
		all := inputtest.Find(t, got, measurement, "ip_version", "4")
		if number(all, "tcp_listen") < 1 || number(all, "tcp_established") < 4 || number(all, "udp_socket") < 1 {
			t.Errorf("all sockets: %v", all.Fields)
		}
	}
	got := inputtest.Gather(t, t.Context(), inputtest.Start(t, Plugin(), "[[inputs.netstat.addr_ports]]\nports = '"+udpPort+"'"))
	p := inputtest.Find(t, got, portMeasurement, "addr_port", udpPort)
	inputtest.Want(t, p, "udp_socket", int64(1))
	inputtest.Want(t, p, "tcp_none", int64(0))
}

func TestCountsIPv6(t *testing.T) {
	port := listenTCP(t, "[::1]:0")
	got := inputtest.Gather(t, t.Context(), inputtest.Start(t, Plugin(), "[[inputs.netstat.addr_ports]]\nports = '[::1]:"+port+"'"))
	p := inputtest.Find(t, got, portMeasurement, "addr_port", "[::1]:"+port, "ip_version", "6")
	inputtest.Want(t, p, "tcp_listen", int64(1))
}

func TestFirstGroupHasTheSocket(t *testing.T) {
	port := listenTCP(t, "127.0.0.1:0")
	one := "[[inputs.netstat.addr_ports]]\nports = '" + port + "'\ntags = { g = '1' }\n"
	got := inputtest.Gather(t, t.Context(), inputtest.Start(t, Plugin(), one+strings.ReplaceAll(one, "'1'", "'2'")))
	inputtest.Find(t, got, portMeasurement, "g", "1")
	if len(got) != 3 {
		t.Errorf("%d points, want two of all and one of the port", len(got))
	}
}

func TestBadPortsAreRefused(t *testing.T) {
	for _, options := range []string{"ports = '0x50'", "ports = '70000'", "ports = 'a:80'", "ports_match = '80'", "ports_match = '*:'", "ports_match = '1.1.1.1:80'"} {
		v := inputtest.Decode(t, Plugin(), "[[inputs.netstat.addr_ports]]\n"+options)
		if _, err := Plugin().NewGatherer(input.Env{}, v); err == nil || !strings.Contains(err.Error(), "expected") {
			t.Errorf("%s: %v", options, err)
		}
	}
}
