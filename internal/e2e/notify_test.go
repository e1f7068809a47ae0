//go:build linux

package e2e

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// systemd learns that the agent is ready, that it lives, and that it ends.
func TestSystemdIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	next := func() string {
		t.Helper()
		if err := socket.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1000)
		n, err := socket.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(b[:n]))
	}
	a := newAgent(t, "").start("NOTIFY_SOCKET="+path, "WATCHDOG_USEC=100000")
	seen := map[string]int{}
	for seen["READY=1"] == 0 || seen["WATCHDOG=1"] < 3 {
		seen[next()]++
	}
	if seen["STOPPING=1"] > 0 {
		t.Errorf("%v", seen)
	}
	a.signal(terminate)
	for seen["STOPPING=1"] == 0 {
		seen[next()]++
	}
	if len(seen) != 3 || seen["READY=1"] != 1 {
		t.Errorf("%v", seen)
	}
}

func TestWithoutSystemdNobodyIsTold(t *testing.T) {
	a := newAgent(t, "default_enabled_inputs = [\"mem\"]\n").start("NOTIFY_SOCKET=", "WATCHDOG_USEC=")
	a.until("mem runs", running("mem"))
	if strings.Contains(a.log.String(), "systemd") {
		t.Errorf("log:\n%s", a.log)
	}
}
