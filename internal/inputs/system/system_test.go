package system

import (
	"encoding/binary"
	"runtime"
	"strings"
	"testing"

	"datakit.dev/internal/input/inputtest"
)

func TestInput(t *testing.T) {
	inputtest.Run(t, inputtest.Case{Plugin: Plugin(), Optional: []string{conntrack, filefd}})
}

func BenchmarkGather(b *testing.B) { inputtest.Bench(b, Plugin(), "") }

func session(kind uint16) string {
	b := make([]byte, 384)
	binary.LittleEndian.PutUint16(b, kind)
	return string(b)
}

func linuxHost(t *testing.T) inputtest.Host {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	return inputtest.NewHost(t, map[string]string{
		"proc/loadavg":        "1.50 2.50 3.50 2/300 4242\n",
		"proc/meminfo":        "MemTotal: 1000 kB\nMemFree: 250 kB\nMemAvailable: 250 kB\n",
		"proc/stat":           "cpu  100 0 100 800 0 0 0 0 0 0\n",
		"proc/1/stat":         "",
		"proc/22/stat":        "",
		"proc/self/stat":      "",
		"proc/sys/fs/file-nr": "1984\t0\t9223372036854775807\n",
		"proc/sys/net/netfilter/nf_conntrack_count": "12\n",
		"proc/sys/net/netfilter/nf_conntrack_max":   "65536\n",
		"proc/net/stat/nf_conntrack":                "entries  searched found new invalid ignore drop\n0000000c 0 0000000a 0 00000001 00000002 0\n0000000c 0 00000001 0 0 0 x\n",
		"var/run/utmp":                              session(7) + session(8) + session(7) + "cut",
	})
}

func TestReadsTheHost(t *testing.T) {
	h := linuxHost(t)
	ctx := h.Context(t.Context())
	g := inputtest.Start(t, Plugin(), "")
	got := inputtest.Gather(t, ctx, g)
	p := inputtest.Find(t, got, "system")
	for field, want := range map[string]any{
		"load1": 1.5, "load5": 2.5, "load15": 3.5, "memory_usage": 75.0, "process_count": int64(2), "n_users": int64(2), "cpu_total_usage": nil,
	} {
		inputtest.Want(t, p, field, want)
	}
	track := inputtest.Find(t, got, "conntrack")
	for field, want := range map[string]any{
		"entries": int64(12), "entries_limit": int64(65536), "stat_found": int64(11), "stat_invalid": int64(1), "stat_drop": int64(0), "stat_new": nil,
	} {
		inputtest.Want(t, track, field, want)
	}
	files := inputtest.Find(t, got, "filefd")
	inputtest.Want(t, files, "allocated", int64(1984))
	inputtest.Want(t, files, "maximum_mega", 9223372036854.775807)

	h.Put("proc/stat", "cpu  150 0 100 850 0 0 0 0 0 0\n")
	inputtest.Want(t, inputtest.Find(t, inputtest.Gather(t, ctx, g), "system"), "cpu_total_usage", 50.0)
	h.Put("proc/stat", "cpu  1 0 1 1 0 0 0 0 0 0\n")
	inputtest.Want(t, inputtest.Find(t, inputtest.Gather(t, ctx, g), "system"), "cpu_total_usage", nil)
}

func TestContainerWithoutPartsOfProc(t *testing.T) {
	h := linuxHost(t)
	for _, path := range []string{"proc/sys", "proc/net", "var", "proc/stat"} {
		h.Remove(path)
	}
	got := inputtest.Gather(t, h.Context(t.Context()), inputtest.Start(t, Plugin(), ""))
	if len(got) != 1 {
		t.Errorf("%d points, want the system's alone", len(got))
	}
	p := inputtest.Find(t, got, "system")
	inputtest.Want(t, p, "load1", 1.5)
	inputtest.Want(t, p, "n_users", nil)
}

func TestBrokenCounters(t *testing.T) {
	for _, text := range []string{"", "1", "1 2", "x 0 3", "1 0 x", strings.Repeat("9", 40) + " 0 1"} {
		if _, ok := files(text); ok {
			t.Errorf("file-nr %q was taken", text)
		}
	}
}
