package nvidiasmi

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/input"
	"datakit.dev/internal/input/inputtest"
)

// The machine that runs the tests has no NVIDIA processor: the program is this
// test's own binary, which prints what nvidia-smi would.
func TestMain(m *testing.M) {
	switch os.Getenv("NVIDIA_SMI") {
	case "":
		os.Exit(m.Run())
	case "print":
		text, err := os.ReadFile(os.Getenv("NVIDIA_XML"))
		if err != nil || strings.Join(os.Args[1:], " ") != "-q -x" {
			os.Exit(3)
		}
		fmt.Print(string(text))
	case "fail":
		fmt.Fprintln(os.Stderr, "NVIDIA-SMI has failed\nsecond line")
		os.Exit(9)
	case "flood":
		for {
			fmt.Println(strings.Repeat("x", 1<<16))
		}
	case "hang":
		// A wrapper that starts another program, which holds its output open.
		child := exec.Command(os.Args[0]) //nolint:gosec // itself
		child.Env = append(os.Environ(), "NVIDIA_SMI=sleep")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			os.Exit(4)
		}
		_ = os.WriteFile(os.Getenv("NVIDIA_PID"), []byte(strconv.Itoa(child.Process.Pid)), 0o600)
		_ = child.Wait()
	case "sleep":
		time.Sleep(time.Hour)
	}
}

func config(t testing.TB, mode, file string, more ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file, err = filepath.Abs(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("bin_path = '%s'\nenvs = ['NVIDIA_SMI=%s', 'NVIDIA_XML=%s', 'GORACE=atexit_sleep_ms=0'%s]\n", self, mode, file, strings.Join(more, ""))
}

func TestInput(t *testing.T) {
	inputtest.Run(t, inputtest.Case{Plugin: Plugin(), Config: config(t, "print", "old.xml")})
}

func BenchmarkParse(b *testing.B) {
	text, err := os.ReadFile("testdata/new.xml")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

func TestReadsTheOldFormat(t *testing.T) {
	got := inputtest.Gather(t, t.Context(), inputtest.Start(t, Plugin(), config(t, "print", "old.xml")))
	p := inputtest.Find(t, got, measurement, "index", "0", "name", "Tesla T4", "uuid", "GPU-00000000-1111-2222-3333-444444444444",
		"pci_bus_id", "00000000:00:1E.0", "pstate", "P0", "compute_mode", "Default", "driver_version", "515.105.01", "cuda_version", "11.7")
	for field, want := range map[string]any{
		"utilization_gpu": int64(17), "memory_total": int64(15360), "memory_used": int64(1032), "memory_reserved": int64(388), "temperature_gpu": int64(40),
		"fan_speed": nil, "power_draw": 26.78, "power_limit": 70.0, "clocks_current_memory": int64(5000),
		"pcie_link_gen_current": int64(3), "pcie_link_width_current": int64(8), "encoder_stats_session_count": int64(0),
	} {
		inputtest.Want(t, p, field, want)
	}
}

func TestReadsTheNewFormat(t *testing.T) {
	got := inputtest.Gather(t, t.Context(), inputtest.Start(t, Plugin(), config(t, "print", "new.xml")))
	first := inputtest.Find(t, got, measurement, "index", "0")
	inputtest.Want(t, first, "power_draw", 530.25)
	inputtest.Want(t, first, "power_limit", 700.0)
	second := inputtest.Find(t, got, measurement, "index", "1")
	inputtest.Want(t, second, "utilization_gpu", nil)
	inputtest.Want(t, second, "temperature_gpu", int64(55))
}

// a5000.xml is what a real RTX A5000 printed under driver 590.44.01, as it stands
// in the test data of influxdata/telegraf (dual_a5000-v13.xml): one of its two
// cards, without the elements that nothing here reads.
func TestReadsWhatARealCardPrinted(t *testing.T) {
	got := inputtest.Gather(t, t.Context(), inputtest.Start(t, Plugin(), config(t, "print", "a5000.xml")))
	p := inputtest.Find(t, got, measurement, "index", "0", "name", "NVIDIA RTX A5000", "pci_bus_id", "00000000:81:00.0",
		"pstate", "P8", "compute_mode", "Default", "driver_version", "590.44.01", "cuda_version", "13.1")
	for field, want := range map[string]any{
		"utilization_gpu": int64(0), "memory_total": int64(24564), "memory_used": int64(22437), "memory_free": int64(1678),
		"memory_reserved": int64(450), "temperature_gpu": int64(13), "fan_speed": int64(30), "power_draw": 6.52, "power_limit": 230.0,
		"clocks_current_graphics": int64(210), "clocks_current_memory": int64(405), "clocks_current_video": int64(555),
		"pcie_link_gen_current": int64(1), "pcie_link_width_current": int64(16), "fbc_stats_session_count": int64(0),
	} {
		inputtest.Want(t, p, field, want)
	}
}

func gatherError(t *testing.T, options string) string {
	t.Helper()
	var s inputtest.Sink
	err := inputtest.Start(t, Plugin(), options).Gather(t.Context(), &s)
	if err == nil || len(s.Take()) > 0 {
		t.Fatalf("error %v", err)
	}
	return err.Error()
}

func TestErrorsSayWhatToDo(t *testing.T) {
	if got := gatherError(t, "bin_path = '/no/such/program'"); !strings.Contains(got, "/no/such/program") || !strings.Contains(got, "bin_path") {
		t.Errorf("missing: %s", got)
	}
	if got := gatherError(t, config(t, "fail", "old.xml")); !strings.Contains(got, "NVIDIA-SMI has failed") || strings.Contains(got, "second") {
		t.Errorf("failing: %s", got)
	}
	if got := gatherError(t, config(t, "print", "nosuch.xml")); !strings.Contains(got, "exit status 3: it says no more: run it by hand") {
		t.Errorf("silent: %s", got)
	}
	if got := gatherError(t, config(t, "flood", "old.xml")); !strings.Contains(got, "8 MiB") {
		t.Errorf("flood: %s", got)
	}
	if got := gatherError(t, config(t, "print", "../parse.go")); !strings.Contains(got, "XML") {
		t.Errorf("no XML: %s", got)
	}
}

func TestOneProgramThatFailsDoesNotStopTheOther(t *testing.T) {
	options := config(t, "print", "old.xml")
	self, _ := os.Executable()
	options = strings.Replace(options, "bin_path = '"+self+"'", "bin_paths = ['/no/such/program', '"+self+"']", 1)
	var s inputtest.Sink
	if err := inputtest.Start(t, Plugin(), options).Gather(t.Context(), &s); err == nil || len(s.Take()) != 1 {
		t.Errorf("error %v", err)
	}
}

func TestTimeoutEndsTheWholeGroup(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no process groups")
	}
	file := filepath.Join(t.TempDir(), "pid")
	if got := gatherError(t, config(t, "hang", "old.xml", ", 'NVIDIA_PID="+file+"'")+"timeout = '500ms'"); !strings.Contains(got, "500ms") {
		t.Errorf("error %s", got)
	}
	pid, err := os.ReadFile(file)
	if err != nil {
		t.Skip("the machine was too slow to start the second program")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for alive(string(pid)) {
		if ctx.Err() != nil {
			t.Fatalf("process %s outlived the timeout", pid)
		}
		runtime.Gosched()
	}
}

// alive reports whether a process runs; one that ended and was not waited for by
// its new parent counts as ended.
func alive(pid string) bool {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return exec.Command("kill", "-0", pid).Run() == nil //nolint:gosec // a number that we wrote
	}
	return !strings.Contains(string(text), ") Z ")
}

func TestConcurrentGathersOfTwoInstances(t *testing.T) {
	if Plugin().Singleton {
		t.Error("several programs may be read at once")
	}
	if _, err := Plugin().NewGatherer(input.Env{}, inputtest.Decode(t, Plugin(), "")); err != nil {
		t.Errorf("the defaults must start where no program is: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"old.xml", "new.xml"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		pts, err := parse(text)
		if err != nil {
			return
		}
		for _, p := range pts {
			inputtest.Documented(t, Plugin().Measurements[0], p)
		}
	})
}
