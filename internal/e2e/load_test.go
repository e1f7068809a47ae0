package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"datakit.dev/internal/point"
	"datakit.dev/internal/point/lineproto"
)

// batchOf is how many points one write has.
const batchOf = 1000

// cpuLines is a body of batchOf points of 10 fields in 16 series; the agent gives
// them their times.
func cpuLines(t *testing.T) string {
	t.Helper()
	pts := make([]point.Point, batchOf)
	for i := range pts {
		p := point.New("load", 10)
		p.SetTag("cpu", fmt.Sprint("cpu", i%16))
		for k := range 10 {
			p.Add(fmt.Sprint("usage_", k), point.FloatOf(float64(i%97)/1.7))
		}
		pts[i] = p
	}
	text, skipped := lineproto.AppendAll(nil, pts)
	if skipped != 0 {
		t.Fatal(skipped)
	}
	return string(text)
}

// load is what one round of writing came to.
type load struct {
	points  int
	took    time.Duration
	cpu     float64 // seconds of the agent
	slowest time.Duration
}

func (l load) rate() float64    { return float64(l.points) / l.took.Seconds() }
func (l load) perPoint() string { return fmt.Sprintf("%.2f µs", l.cpu/float64(l.points)*1e6) }

// offer writes body for d: every interval, or as fast as the agent takes it where
// that is 0. The points are of a category that waits where an output is behind, so
// that what is taken is what goes through the flow.
func (a *agent) offer(body string, d, interval time.Duration) (l load) {
	a.t.Helper()
	_, before := usage(a.t, a.cmd.Process.Pid)
	begin := time.Now()
	for due := begin; time.Since(begin) < d; due = due.Add(interval) {
		if wait := time.Until(due); interval > 0 && wait > 0 {
			time.Sleep(wait) // the pace is what is offered
		}
		sent := time.Now()
		if code, answer := a.post("/v1/write/logging", body); code != http.StatusOK {
			a.t.Fatalf("%d %s", code, answer)
		}
		l.slowest = max(l.slowest, time.Since(sent))
		l.points += batchOf
	}
	l.took = time.Since(begin)
	_, after := usage(a.t, a.cmd.Process.Pid)
	l.cpu = after - before
	return l
}

// watch opens three pages of the console, until the function that it returns is
// called: each listens to the events, and reads what it shows once a second. The
// function returns how many events and answers came.
func (a *agent) watch() (leave func() (events, answers int)) {
	ctx, cancel := context.WithCancel(a.t.Context())
	var all sync.WaitGroup
	var mu sync.Mutex
	events, answers := 0, 0
	count := func(n *int) {
		mu.Lock()
		defer mu.Unlock()
		*n++
	}
	ready := make(chan struct{}, 3)
	query := func(q string) string { return `{"queries":[{"qtype":"dql","query":{"q":"` + q + `"}}]}` }
	for _, page := range [][]string{
		{"/v1/status", "/v1/changes?limit=100"},
		{"/v1/status", query("L::load:(avg(usage_0) AS usage_0) [15m::15s] BY cpu")},
		{"/v1/status", query("L::load:(usage_0) [5m] BY cpu LIMIT 60 SLIMIT 1")},
	} {
		all.Go(func() {
			a.listen(ctx, func() { ready <- struct{}{} }, func() { count(&events) })
		})
		all.Go(func() {
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for ctx.Err() == nil {
				for _, what := range page {
					if a.fetch(ctx, what) {
						count(&answers)
					}
				}
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
		})
	}
	for range 3 {
		<-ready
	}
	return func() (int, int) {
		cancel()
		all.Wait()
		return events, answers
	}
}

// listen reads the events of the agent until ctx ends.
func (a *agent) listen(ctx context.Context, ready, event func()) {
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, a.url("/v1/events?ticks=true"), nil)
	resp, err := http.DefaultClient.Do(req)
	ready()
	if err != nil {
		a.t.Error(err)
		return
	}
	defer resp.Body.Close()
	buf := make([]byte, 4096)
	for {
		n, err := resp.Body.Read(buf)
		for range strings.Count(string(buf[:n]), "event: ") {
			event()
		}
		if err != nil {
			return
		}
	}
}

// fetch reads a path, or the answer to a query, and reports whether it came.
func (a *agent) fetch(ctx context.Context, what string) bool {
	method, path, body := http.MethodGet, what, ""
	if strings.HasPrefix(what, "{") {
		method, path, body = http.MethodPost, "/v1/query/raw", what
	}
	req, _ := http.NewRequestWithContext(ctx, method, a.url(path), strings.NewReader(body))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if ctx.Err() == nil {
			a.t.Error(err)
		}
		return false
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		a.t.Errorf("%s: %d %s", what, resp.StatusCode, text)
	}
	return err == nil
}

// churn changes a key each second, until ctx ends: there is something to tell.
func (a *agent) churn(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := 1; ; i++ {
		a.write("store/confd/null", fmt.Sprintf("[[inputs.null]]\n  interval = \"1h\"\n  points = %d\n", i))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// TestMeasureLoadWithTheConsoleOpen writes points with the console open on three
// pages and without, in turn, so that the machine's speed, which comes and goes,
// is that of both.
func TestMeasureLoadWithTheConsoleOpen(t *testing.T) {
	measured(t)
	if runtime.GOOS == "windows" {
		t.Skip("there is no /dev/null")
	}
	a := newAgent(t, "")
	a.write("conf.d/datakit.conf", fmt.Sprintf(defaults+"[http_api]\n  listen = %q\n[io]\n  output_file = \"/dev/null\"\n"+
		"[confd]\n  debounce = \"0s\"\n[[confds]]\n  backend = \"file\"\n  file = [%q]\n", a.addr, a.dir+"/store"))
	a.start()
	ctx, cancel := context.WithCancel(t.Context())
	var churning sync.WaitGroup
	churning.Go(func() { a.churn(ctx) })
	defer churning.Wait()
	defer cancel()
	a.until("the store is followed", running("null"))

	body := cpuLines(t)
	a.offer(body, 10*time.Second, 0) // until the recent points are full
	for _, pace := range []time.Duration{0, 20 * time.Millisecond} {
		const rounds, round = 10, 3 * time.Second
		var ratios, cpus []float64
		var closed, open load
		events, answers := 0, 0
		add := func(to *load, l load) load {
			to.points, to.took, to.cpu, to.slowest = to.points+l.points, to.took+l.took, to.cpu+l.cpu, max(to.slowest, l.slowest)
			return l
		}
		with := func() load {
			leave := a.watch()
			l := add(&open, a.offer(body, round, pace))
			e, n := leave()
			events, answers = events+e, answers+n
			return l
		}
		for i := range rounds {
			var w, wo load
			if i%2 == 0 {
				wo, w = add(&closed, a.offer(body, round, pace)), with()
			} else {
				w, wo = with(), add(&closed, a.offer(body, round, pace))
			}
			ratios = append(ratios, w.rate()/wo.rate())
			cpus = append(cpus, (w.cpu/float64(w.points))/(wo.cpu/float64(wo.points)))
		}
		slices.Sort(ratios)
		slices.Sort(cpus)
		name := "as fast as the agent takes them"
		if pace > 0 {
			name = "50,000 points a second offered"
		}
		t.Logf("%s, %d pairs of rounds: without %.0f points/s (%s CPU a point, %.0f %% of a core, slowest write %v), with three pages open %.0f points/s (%s, %.0f %%, %v); "+
			"throughput with/without: median %.3f (%.3f to %.3f), CPU a point: median %.3f (%.3f to %.3f); %d events, %d answers",
			name, rounds, closed.rate(), closed.perPoint(), 100*closed.cpu/closed.took.Seconds(), closed.slowest.Round(time.Millisecond),
			open.rate(), open.perPoint(), 100*open.cpu/open.took.Seconds(), open.slowest.Round(time.Millisecond),
			ratios[rounds/2], ratios[0], ratios[rounds-1], cpus[rounds/2], cpus[0], cpus[rounds-1], events, answers)
	}
	s, _ := a.status()
	rss, _ := usage(t, a.cmd.Process.Pid)
	t.Logf("recent points: %d of %d bytes, %d points; heap in use %.1f MB, RSS %.1f MB", s.Recent.Bytes, s.Recent.MaxBytes, s.Recent.Points,
		a.gauge("go_memstats_heap_inuse_bytes")/1e6, rss/1e6)
	if s.Recent.Bytes > s.Recent.MaxBytes {
		t.Error("the recent points went past their bound")
	}
	if s.Outputs[0].Dropped > 0 {
		t.Errorf("%d points were dropped", s.Outputs[0].Dropped)
	}
}
