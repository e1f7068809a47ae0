package processes

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/input"
	"datakit.dev/internal/input/inputtest"
	"datakit.dev/internal/point"
)

func TestInput(t *testing.T) {
	inputtest.Run(t, inputtest.Case{Plugin: Plugin(), Optional: []string{measurement}})
	inputtest.Run(t, inputtest.Case{Plugin: Plugin(), Config: `
min_run_time = "0s"
open_metric = true
enable_listen_ports = true
enable_open_files = true
top = 3
object_interval = "1s"`})
}

func BenchmarkGather(b *testing.B) { inputtest.Bench(b, Plugin(), "") }

func BenchmarkGatherMetrics(b *testing.B) {
	inputtest.Bench(b, Plugin(), "open_metric = true\nmin_run_time = '0s'")
}

func linuxOnly(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
}

// stat is a line of /proc/PID/stat: times in hundredths of a second, memory in
// pages.
func stat(pid int, name, state string, cpu, threads, started, pages int) string {
	return fmt.Sprintf("%d (%s) %s 1 1 1 0 -1 4194560 11 12 13 14 %d 0 0 0 20 0 %d 0 %d 8192 %d 18446744073709551615\n", pid, name, state, cpu, threads, started, pages)
}

func machine(t *testing.T) inputtest.Host {
	t.Helper()
	linuxOnly(t)
	h := inputtest.NewHost(t, map[string]string{
		"proc/uptime":    "1000.00 1900.00\n",
		"proc/meminfo":   "MemTotal: 400000 kB\nMemFree: 1 kB\nMemAvailable: 1 kB\n",
		"proc/1/stat":    stat(1, "init", "S", 100, 1, 0, 10),
		"proc/2/stat":    stat(2, "a) R (b", "R", 200, 3, 10000, 1000),
		"proc/3/stat":    stat(3, "gone", "Z", 0, 1, 10000, 0),
		"proc/4/stat":    stat(4, "fresh", "D", 0, 1, 99000, 5),
		"proc/5/stat":    "nonsense",
		"proc/self/stat": stat(9, "self", "R", 0, 1, 0, 0),
		"proc/2/cgroup":  "0::/docker/" + strings.Repeat("0123456789abcdef", 4) + "\n",
		"proc/2/cmdline": "server\x00--db=postgres://me:hunter2@db/x\x00--api-key\x00hunter2\x00--password=hunter2\x00-v\x00",
		"proc/2/io":      "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 6\n",
	})
	if err := os.MkdirAll(h.Dir+"/proc/6", 0o700); err != nil { // it ends while we look
		t.Fatal(err)
	}
	return h
}

func only(got []inputtest.Written, category point.Category, name string) (out []inputtest.Written) {
	for _, w := range got {
		if w.Category == category && w.Name == name {
			out = append(out, w)
		}
	}
	return out
}

func TestCountsByState(t *testing.T) {
	h := machine(t)
	got := inputtest.Gather(t, h.Context(t.Context()), inputtest.Start(t, Plugin(), ""))
	p := inputtest.Find(t, got, countMeasurement)
	for field, want := range map[string]any{
		"total": int64(4), "running": int64(1), "sleeping": int64(1), "zombies": int64(1), "blocked": int64(1), "idle": int64(0), "total_threads": int64(6),
	} {
		inputtest.Want(t, p, field, want)
	}
}

func TestDescribesProcesses(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		h := machine(t)
		ctx := h.Context(t.Context())
		g := inputtest.Start(t, Plugin(), "open_metric = true\nmin_run_time = '20s'\nprocess_name = 'a'")
		got := inputtest.Gather(t, ctx, g)
		if n := len(only(got, point.Object, measurement)); n != 3 {
			t.Errorf("%d objects, want all but the fresh one", n)
		}
		time.Sleep(10 * time.Second)
		h.Put("proc/uptime", "1010.00 1900.00\n")
		h.Put("proc/2/stat", stat(2, "a) R (b", "R", 450, 3, 10000, 1000))
		got = inputtest.Gather(t, ctx, g)
		if len(got) != 2 {
			t.Errorf("%d points, want the counts and one metric: objects come every five minutes", len(got))
		}
		p := inputtest.Find(t, got, measurement, "pid", "2", "process_name", "a) R (b", "container_id", strings.Repeat("0123456789abcdef", 4))
		for field, want := range map[string]any{
			"cpu_usage_top": 25.0, "rss": int64(1000 * os.Getpagesize()), "vms": int64(8192), "threads": int64(3),
			"page_minor_faults": int64(11), "page_major_faults": int64(13), "proc_read_bytes": int64(5),
		} {
			inputtest.Want(t, p, field, want)
		}
		if v, _ := p.Field("cpu_usage"); v.Float() < 0.49 || v.Float() > 0.5 {
			t.Errorf("cpu_usage %v: 4.5 s in 910 s", v)
		}
		time.Sleep(5 * time.Minute)
		got = inputtest.Gather(t, ctx, g)
		d := inputtest.Find(t, only(got, point.Object, measurement), measurement, "process_name", "a) R (b", "state", "running")
		inputtest.Want(t, d, "cpu_usage_top", 0.0)
		inputtest.Want(t, d, "state_zombie", false)
		inputtest.Want(t, d, "started_duration", int64(910))
	})
}

func TestAProcessNumberThatIsUsedAgainIsAnotherProcess(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		h := machine(t)
		ctx := h.Context(t.Context())
		g := inputtest.Start(t, Plugin(), "open_metric = true\nmin_run_time = '0s'")
		inputtest.Gather(t, ctx, g)
		time.Sleep(10 * time.Second)
		h.Put("proc/2/stat", stat(2, "other", "R", 900, 1, 20000, 1))
		h.Remove("proc/2/cgroup")
		p := inputtest.Find(t, only(inputtest.Gather(t, ctx, g), point.Metric, measurement), measurement, "pid", "2")
		inputtest.Want(t, p, "cpu_usage_top", nil)
		if id, ok := p.Tag("container_id"); ok {
			t.Errorf("it has the container %s of the one before", id)
		}
	})
}

func TestCommandLinesHideSecrets(t *testing.T) {
	h := machine(t)
	got := inputtest.Gather(t, h.Context(t.Context()), inputtest.Start(t, Plugin(), "min_run_time = '0s'"))
	p := inputtest.Find(t, got, measurement, "process_name", "a) R (b")
	for _, field := range []string{"cmdline", "message"} {
		v, _ := p.Field(field)
		if strings.Contains(v.Text(), "hunter2") || !strings.Contains(v.Text(), "server") || !strings.Contains(v.Text(), "-v") {
			t.Errorf("%s: %s", field, v.Text())
		}
	}
	if got := redact(strings.Repeat("é", maxCommand)); len(got) > maxCommand {
		t.Errorf("%d bytes", len(got))
	}
}

func TestOptionsChoose(t *testing.T) {
	h := machine(t)
	for options, want := range map[string]int{
		"":                                3,
		"min_run_time = '0s'":             4,
		"only_container_processes = true": 1,
		"top = 1":                         1, // one process leads in both
		"top = 2":                         2,
		"top = 0":                         3,
	} {
		got := inputtest.Gather(t, h.Context(t.Context()), inputtest.Start(t, Plugin(), options))
		if n := len(only(got, point.Object, measurement)); n != want {
			t.Errorf("%s: %d objects, want %d", options, n, want)
		}
	}
	if _, err := Plugin().NewGatherer(input.Env{}, inputtest.Decode(t, Plugin(), "process_name = '('")); err == nil {
		t.Error("a bad expression was taken")
	}
}

func TestSeesARealProcess(t *testing.T) {
	linuxOnly(t)
	one := exec.CommandContext(t.Context(), "sleep", "600")
	if err := one.Start(); err != nil {
		t.Skip(err)
	}
	defer func() { _ = one.Process.Kill(); _ = one.Wait() }()
	got := inputtest.Gather(t, t.Context(), inputtest.Start(t, Plugin(), "min_run_time = '0s'\ntop = 0\nenable_open_files = true"))
	host, _ := os.Hostname()
	p := inputtest.Find(t, got, measurement, "name", fmt.Sprintf("%s_%d", host, one.Process.Pid))
	if v, _ := p.Field("cmdline"); v.Text() != "sleep 600" {
		t.Errorf("cmdline %q", v.Text())
	}
	if v, ok := p.Field("open_files"); !ok || v.Int() < 1 {
		t.Errorf("open_files %v", v)
	}
}

func TestUnreadableProcIsAnError(t *testing.T) {
	linuxOnly(t)
	for name, files := range map[string]map[string]string{
		"nothing":         nil,
		"no process":      {"proc/uptime": "1 1\n"},
		"a broken uptime": {"proc/uptime": "soon\n", "proc/1/stat": stat(1, "init", "S", 1, 1, 1, 1)},
		"no real uptime":  {"proc/uptime": "NaN 1\n", "proc/1/stat": stat(1, "init", "S", 1, 1, 1, 1)},
	} {
		var s inputtest.Sink
		if err := inputtest.Start(t, Plugin(), "").Gather(inputtest.NewHost(t, files).Context(t.Context()), &s); err == nil || len(s.Take()) > 0 {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
