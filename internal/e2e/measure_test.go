package e2e

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/status"
	"datakit.dev/internal/testserver"
)

// measure switches the measurements on: `make measure`. They print figures and
// judge none, but for what no machine may break: a missed tick, a restart of
// another input.
var measure = flag.Bool("measure", false, "print the figures of docs/performance.md; takes about 20 minutes")

// defaults is the line of datakit.conf that names the default inputs.
const defaults = "default_enabled_inputs = [\"cpu\", \"disk\", \"diskio\", \"mem\", \"swap\", \"system\", \"net\", \"processes\"]\n"

func measured(t *testing.T) {
	t.Helper()
	if !*measure {
		t.Skip("a measurement: run `make measure`")
	}
}

// percentile returns the q-quantile of sorted times.
func percentile(d []time.Duration, q float64) time.Duration {
	return d[min(len(d)-1, int(q*float64(len(d))))]
}

func spread(d []time.Duration) string {
	slices.Sort(d)
	round := func(x time.Duration) time.Duration { return x.Round(100 * time.Microsecond) }
	return fmt.Sprintf("n %d, min %v, p50 %v, p90 %v, p95 %v, p99 %v, max %v", len(d), round(d[0]),
		round(percentile(d, .5)), round(percentile(d, .9)), round(percentile(d, .95)), round(percentile(d, .99)), round(d[len(d)-1]))
}

// started waits until the unit of kind runs and has been started n times.
func (a *agent) started(kind string, n uint64) {
	a.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if s, ok := a.status(); ok && unit(s, kind).Starts >= n && unit(s, kind).State == status.Running {
			return
		}
	}
	a.t.Fatalf("%s was not started %d times", kind, n)
}

func TestMeasurePutToRunning(t *testing.T) {
	measured(t)
	for _, debounce := range []string{"0s", "2s"} {
		e := testserver.StartEtcd(t)
		a := newAgent(t, strings.Replace(follow(e, ""), `"0s"`, strconv.Quote(debounce), 1)).start()
		a.until("the store is followed", func(s status.Status) bool { return s.Converged })
		var took []time.Duration
		for i := range 201 {
			begin := time.Now()
			e.Put(t, "/datakit/confd/one", fmt.Sprintf("[[inputs.null]]\n  interval = \"1h\"\n  points = %d\n", i+1))
			a.started("null", uint64(i+1))
			if i > 0 { // the first one starts, the others change
				took = append(took, time.Since(begin))
			}
		}
		t.Logf("put to running, debounce %s: %s", debounce, spread(took))
	}
}

// gauge returns one metric of the agent.
func (a *agent) gauge(name string) float64 {
	a.t.Helper()
	_, text, err := a.get("/metrics")
	if err != nil {
		a.t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				a.t.Fatal(err)
			}
			return v
		}
	}
	a.t.Fatalf("no metric %s", name)
	return 0
}

// TestChangesTouchNothingElse changes one key many times, at random moments,
// beside inputs that tick every second: a shorter interval would count the
// pauses of a busy machine. With -measure it is a thousand changes, else sixty.
func TestChangesTouchNothingElse(t *testing.T) {
	changes := 60
	if *measure {
		changes = 1000
	}
	e := testserver.StartEtcd(t)
	a := newAgent(t, "default_enabled_inputs = [\"cpu\", \"mem\", \"swap\", \"net\"]\n"+follow(e, "")).start()
	for i := range 20 {
		e.Put(t, fmt.Sprintf("/datakit/confd/other%d", i), fmt.Sprintf("[[inputs.null]]\n  interval = \"1s\"\n  points = %d\n", i+1))
	}
	a.until("the others run", func(s status.Status) bool { return len(s.Units) == 24 && s.Converged })
	change := func(i int) {
		e.Put(t, "/datakit/confd/changes", fmt.Sprintf("[[inputs.null]]\n  points = %d\n", 1+i%9)) // few: the recent points are bounded, and not what is measured
		time.Sleep(time.Duration(rand.IntN(40)) * time.Millisecond)                                // a random moment is what is tested
	}
	for i := range changes / 10 { // until caches and pools have their size
		change(i)
	}
	goroutines, heap := a.gauge("go_goroutines"), a.gauge("go_memstats_heap_inuse_bytes")
	for i := range changes {
		change(i + changes)
	}
	s := a.until("converged", func(s status.Status) bool { return s.Converged })
	for _, u := range s.Units {
		if !strings.HasSuffix(u.Origin, "/changes") && (u.Starts != 1 || u.Updates != 0 || u.Missed != 0) {
			t.Errorf("touched: %+v", u)
		}
	}
	after, heapAfter := a.gauge("go_goroutines"), a.gauge("go_memstats_heap_inuse_bytes")
	t.Logf("%d changes: goroutines %.0f to %.0f, heap in use %.1f to %.1f MB", changes, goroutines, after, heap/1e6, heapAfter/1e6)
	if after > goroutines+10 {
		t.Errorf("goroutines grew from %.0f to %.0f", goroutines, after)
	}
}

func TestMeasureStart(t *testing.T) {
	measured(t)
	var took []time.Duration
	for range 20 {
		a := newAgent(t, defaults)
		begin := time.Now()
		a.start()
		for {
			if st, err := os.Stat(a.output()); err == nil && st.Size() > 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		took = append(took, time.Since(begin))
		a.untilPoint("a rate", tagged("cpu", "cpu", "cpu-total"))
		a.signal(terminate)
	}
	t.Logf("start to first point: %s", spread(took))
}

// TestMeasureIdle has everything on that is on by default, an etcd followed, and no
// page open: at first with the few recent points of the default inputs, and then
// after a load that has filled them.
func TestMeasureIdle(t *testing.T) {
	measured(t)
	e := testserver.StartEtcd(t)
	a := newAgent(t, defaults+follow(e, "")).start()
	rest := func(what string) {
		_, before := usage(t, a.cmd.Process.Pid)
		time.Sleep(60 * time.Second) // the measurement itself: a minute of an idle agent
		rss, cpu := usage(t, a.cmd.Process.Pid)
		s, _ := a.status() // only now: who looks is no idle agent
		t.Logf("idle for 60 s, default inputs and an empty etcd, %s: RSS %.1f MB, of them recent points %.1f MB, heap in use %.1f MB, CPU %.2f s (%.2f %% of a core)",
			what, rss/1e6, float64(s.Recent.Bytes)/1e6, a.gauge("go_memstats_heap_inuse_bytes")/1e6, cpu-before, (cpu-before)/60*100)
	}
	rest("from the start")
	a.offer(cpuLines(t), 5*time.Second, 0)
	rest("after a load that filled the recent points")
	rest("a minute later")
	rest("another minute later")
	st, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("binary %.1f MB", float64(st.Size())/1e6)
}

// usage returns the resident bytes and the CPU seconds of a process.
func usage(t testing.TB, pid int) (rss, cpu float64) {
	t.Helper()
	read := func(name string) []string {
		b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), name))
		if err != nil {
			t.Skipf("no /proc: %v", err)
		}
		return strings.Fields(string(b))
	}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	stat := read("stat")
	return number(read("statm")[1]) * float64(os.Getpagesize()), (number(stat[13]) + number(stat[14])) / 100
}
