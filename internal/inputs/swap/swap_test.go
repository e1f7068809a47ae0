package swap

import (
	"os"
	"runtime"
	"testing"

	"datakit.dev/internal/input/inputtest"
)

func TestInput(t *testing.T) { inputtest.Run(t, inputtest.Case{Plugin: Plugin()}) }

func BenchmarkGather(b *testing.B) { inputtest.Bench(b, Plugin(), "") }

func TestReadsMeminfoAndVmstat(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	page := int64(os.Getpagesize())
	for name, c := range map[string]struct {
		meminfo, vmstat string
		want            map[string]any
	}{
		"swapping": {
			"MemTotal: 100 kB\nSwapTotal: 400 kB\nSwapFree: 100 kB\n", "nr_free_pages 3\npswpin 5\npswpout 7\n",
			map[string]any{"total": int64(400 << 10), "used": int64(300 << 10), "free": int64(100 << 10), "used_percent": 75.0, "in": 5 * page, "out": 7 * page},
		},
		"no swap space": {
			"MemTotal: 100 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n", "pswpin 0\npswpout 0\n",
			map[string]any{"total": int64(0), "used": int64(0), "used_percent": 0.0, "in": int64(0)},
		},
		"no vmstat, as in some containers": {
			"MemTotal: 100 kB\nSwapTotal: 4 kB\nSwapFree: 4 kB\n", "",
			map[string]any{"total": int64(4 << 10), "used": int64(0), "in": nil, "out": nil},
		},
		"more free than there is, and a broken counter": {
			"MemTotal: 100 kB\nSwapTotal: 4 kB\nSwapFree: 8 kB\n", "pswpin -1\npswpout x\n",
			map[string]any{"used": int64(0), "used_percent": 0.0, "in": nil, "out": nil},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := inputtest.NewHost(t, map[string]string{"proc/meminfo": c.meminfo, "proc/vmstat": c.vmstat})
			p := inputtest.Find(t, inputtest.Gather(t, h.Context(t.Context()), inputtest.Start(t, Plugin(), "")), "swap")
			for field, want := range c.want {
				inputtest.Want(t, p, field, want)
			}
		})
	}
}
