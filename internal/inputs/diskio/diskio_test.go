package diskio

import (
	"runtime"
	"testing"
	"time"

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/input"
	"datakit.dev/internal/input/inputtest"
)

func TestInput(t *testing.T) { inputtest.Run(t, inputtest.Case{Plugin: Plugin()}) }

func BenchmarkGather(b *testing.B) { inputtest.Bench(b, Plugin(), "") }

// Fields: number, name, reads, merged, sectors, ms, writes, merged, sectors, ms,
// in progress, busy ms, weighted ms.
const (
	first  = "   8  0 sda 100 5 2000 30 50 6 4000 70 0 90 100 0 0 0 0\n   8  1 sdb 1 1 8 1 1 1 8 1 0 1 1\n   7  0 loop0 0 0 0 0 0 0 0 0 0 0 0\n"
	second = "   8  0 sda 110 5 2200 31 60 6 3000 72 2 95 120 0 0 0 0\n   8 16 sdc 1 1 8 1 1 1 8 1 0 1 1\nbroken\n"
)

func TestRatesBetweenTwoSamples(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	faketime.Test(t, func(t *testing.T) {
		h := inputtest.NewHost(t, map[string]string{"proc/diskstats": first})
		ctx := h.Context(t.Context())
		g := inputtest.Start(t, Plugin(), "")
		if got := inputtest.Gather(t, ctx, g); len(got) != 0 {
			t.Fatalf("the first sample wrote %v", got)
		}
		time.Sleep(10 * time.Second)
		h.Put("proc/diskstats", second)
		got := inputtest.Gather(t, ctx, g)
		if len(got) != 1 {
			t.Fatalf("%d points: sdb vanished and sdc has no past", len(got))
		}
		p := inputtest.Find(t, got, "diskio", "name", "sda")
		for field, want := range map[string]any{
			"reads": int64(110), "read_bytes": int64(2200 * 512), "read_bytes/sec": int64(200 * 512 / 10),
			"write_bytes": int64(3000 * 512), "write_bytes/sec": nil, // it went backwards
			"iops_in_progress": int64(2), "io_time": int64(95), "weighted_io_time": int64(120),
		} {
			inputtest.Want(t, p, field, want)
		}
	})
}

func TestDevicesAndUdevProperties(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	h := inputtest.NewHost(t, map[string]string{
		"proc/diskstats":          first,
		"sys/class/block/sda/dev": "8:0\n",
		"run/udev/data/b8:0":      "S:disk/by-id/x\nE:ID_FS_TYPE=ext4\nE:ID_FS_LABEL=data\nE:EMPTY=\n",
	})
	ctx := h.Context(t.Context())
	for options, want := range map[string][]string{
		"devices = '^sda$'": {"name", "sda"},
		"name_templates = ['$NONE/$ID_FS_TYPE', '$ID_FS_LABEL:$device']":          {"name", "data:sda"},
		"name_templates = '$NONE'\ndevice_tags = ['ID_FS_TYPE', 'EMPTY', 'NONE']": {"name", "sda", "ID_FS_TYPE", "ext4"},
	} {
		g := inputtest.Start(t, Plugin(), options)
		inputtest.Gather(t, ctx, g)
		p := inputtest.Find(t, inputtest.Gather(t, ctx, g), "diskio", want...)
		if _, ok := p.Tag("EMPTY"); ok {
			t.Errorf("%s: an empty property became a tag", options)
		}
	}
	if _, err := Plugin().NewGatherer(input.Env{}, inputtest.Decode(t, Plugin(), "devices = '('")); err == nil {
		t.Error("a bad expression was taken")
	}
}
