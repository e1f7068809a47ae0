package cpu

import (
	"testing"
	"time"

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/input/inputtest"
)

func TestInput(t *testing.T) {
	inputtest.Run(t, inputtest.Case{Plugin: Plugin()})
	inputtest.Run(t, inputtest.Case{Plugin: Plugin(), Config: "percpu = true\nenable_load5s = false"})
}

func BenchmarkGather(b *testing.B) { inputtest.Bench(b, Plugin(), "") }

// Columns: user nice system idle iowait irq softirq steal guest guest_nice, in
// hundredths of a second.
const (
	first  = "cpu  1000 100 200 3000 50 10 20 5 100 10\ncpu0 500 50 100 1500 25 5 10 2 50 5\ncpu1 500 50 100 1500 25 5 10 3 50 5\n"
	second = "cpu  1100 110 240 3030 60 12 24 9 150 10\ncpu0 600 60 140 1530 35 7 14 6 100 5\n"
)

func linuxOnly(t *testing.T) {
	t.Helper()
	if !counted("l") {
		t.Skip("reads /proc")
	}
}

func TestSharesOfTheTimeBetweenTwoSamples(t *testing.T) {
	linuxOnly(t)
	h := inputtest.NewHost(t, map[string]string{"proc/stat": first})
	ctx := h.Context(t.Context())
	g := inputtest.Start(t, Plugin(), "percpu = true")
	if got := inputtest.Gather(t, ctx, g); len(got) != 0 {
		t.Fatalf("the first sample wrote %v", got)
	}
	h.Put("proc/stat", second)
	got := inputtest.Gather(t, ctx, g)
	if len(got) != 2 {
		t.Fatalf("%d points, want the total and cpu0: cpu1 went away", len(got))
	}
	// 200 ticks in all: user 100 of which guest 50, nice 10, system 40, idle 30, …
	p := inputtest.Find(t, got, "cpu", "cpu", "cpu-total")
	for field, want := range map[string]any{
		"usage_user": 25.0, "usage_nice": 5.0, "usage_system": 20.0, "usage_idle": 15.0, "usage_iowait": 5.0,
		"usage_irq": 1.0, "usage_softirq": 2.0, "usage_steal": 2.0, "usage_guest": 25.0, "usage_guest_nice": 0.0, "usage_total": 85.0,
	} {
		inputtest.Want(t, p, field, want)
	}
}

func TestStateThatGoesBackwardsIsLeftOut(t *testing.T) {
	linuxOnly(t)
	h := inputtest.NewHost(t, map[string]string{"proc/stat": "cpu  100 0 100 1000 50 0 0 0 0 0\n"})
	ctx := h.Context(t.Context())
	g := inputtest.Start(t, Plugin(), "")
	inputtest.Gather(t, ctx, g)
	h.Put("proc/stat", "cpu  150 0 150 1100 40 0 0 0 0 0\n")
	p := inputtest.Find(t, inputtest.Gather(t, ctx, g), "cpu")
	inputtest.Want(t, p, "usage_iowait", nil)
	inputtest.Want(t, p, "usage_user", 25.0)

	// A counter that starts over (a checkpoint, another machine) shows nothing.
	h.Put("proc/stat", "cpu  1 0 1 1 1 0 0 0 0 0\n")
	if got := inputtest.Gather(t, ctx, g); len(got) != 0 {
		t.Errorf("a reset wrote %v", got[0].Fields)
	}
}

func TestMissingFilesAreAnErrorNotAZero(t *testing.T) {
	linuxOnly(t)
	h := inputtest.NewHost(t, nil)
	g := inputtest.Start(t, Plugin(), "")
	var s inputtest.Sink
	if err := g.Gather(h.Context(t.Context()), &s); err == nil || len(s.Take()) > 0 {
		t.Errorf("no /proc/stat: error %v", err)
	}
}

func TestTemperatureAndLoad(t *testing.T) {
	linuxOnly(t)
	faketime.Test(t, func(t *testing.T) {
		h := inputtest.NewHost(t, map[string]string{
			"proc/stat":                          first,
			"proc/loadavg":                       "0.10 0.20 0.30 11/300 4242\n",
			"sys/class/hwmon/hwmon0/name":        "nvme\n",
			"sys/class/hwmon/hwmon0/temp1_input": "90000\n",
			"sys/class/hwmon/hwmon1/name":        "coretemp\n",
			"sys/class/hwmon/hwmon1/temp1_input": "40000\n",
			"sys/class/hwmon/hwmon1/temp2_input": "51000\n",
			"sys/class/hwmon/hwmon1/temp3_input": "broken\n",
		})
		ctx := h.Context(t.Context())
		g := inputtest.Start(t, Plugin(), "")
		inputtest.Gather(t, ctx, g)
		time.Sleep(5 * time.Second)
		h.Put("proc/stat", second)
		h.Put("proc/loadavg", "0.10 0.20 0.30 1/300 4242\n")
		p := inputtest.Find(t, inputtest.Gather(t, ctx, g), "cpu")
		inputtest.Want(t, p, "core_temperature", 45.5)
		inputtest.Want(t, p, "load5s", int64(4)) // 10 five seconds ago, 0 now: 10/e

		h.Remove("sys")
		h.Remove("proc/loadavg")
		h.Put("proc/stat", first+"\n")
		inputtest.Gather(t, ctx, g)
		h.Put("proc/stat", second)
		p = inputtest.Find(t, inputtest.Gather(t, ctx, g), "cpu")
		inputtest.Want(t, p, "core_temperature", nil)
		inputtest.Want(t, p, "load5s", nil)
	})
}
