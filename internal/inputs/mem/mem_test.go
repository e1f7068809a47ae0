package mem

import (
	"runtime"
	"testing"

	"datakit.dev/internal/input/inputtest"
)

func TestInput(t *testing.T) { inputtest.Run(t, inputtest.Case{Plugin: Plugin()}) }

func BenchmarkGather(b *testing.B) { inputtest.Bench(b, Plugin(), "") }

const meminfo = `MemTotal:        8000000 kB
MemFree:         1000000 kB
MemAvailable:    2000000 kB
Buffers:          500000 kB
Cached:          1500000 kB
SReclaimable:     100000 kB
Dirty:                12 kB
HugePages_Total:       7
Hugepagesize:       2048 kB
SwapTotal:             0 kB
`

func TestReadsMeminfo(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	h := inputtest.NewHost(t, map[string]string{"proc/meminfo": meminfo})
	got := inputtest.Gather(t, h.Context(t.Context()), inputtest.Start(t, Plugin(), ""))
	p := inputtest.Find(t, got, "mem")
	for field, want := range map[string]any{
		"total": int64(8000000 << 10), "available": int64(2000000 << 10), "free": int64(1000000 << 10),
		"available_percent": 25.0, "dirty": int64(12 << 10), "huge_page_total": int64(7), "huge_pages_size": int64(2048 << 10),
	} {
		inputtest.Want(t, p, field, want)
	}
	if v, _ := p.Field("used_percent"); v.Float() <= 0 || v.Float() > 100 {
		t.Errorf("used_percent %v", v)
	}
}

func TestBrokenMeminfoIsAnErrorNotAZero(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	for name, files := range map[string]map[string]string{
		"missing": nil,
		"empty":   {"proc/meminfo": ""},
		"broken":  {"proc/meminfo": "MemTotal: many kB\n"},
	} {
		h := inputtest.NewHost(t, files)
		var s inputtest.Sink
		if err := inputtest.Start(t, Plugin(), "").Gather(h.Context(t.Context()), &s); err == nil || len(s.Take()) > 0 {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
