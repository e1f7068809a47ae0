package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"testing"

	"datakit.dev/internal/point"
	"datakit.dev/internal/status"
	"datakit.dev/internal/testserver"
)

// follow is the part of datakit.conf that follows e, reading at once.
func follow(e *testserver.Etcd, more string) string {
	return fmt.Sprintf("[confd]\n  debounce = \"0s\"\n%s\n[[confds]]\n  backend = \"etcdv3\"\n  nodes = [%q]\n", more, e.Endpoint)
}

const cpuTagged = "[[inputs.cpu]]\n  interval = \"200ms\"\n  [inputs.cpu.tags]\n    v = %q\n"

func TestPutChangesOneCollectorLive(t *testing.T) {
	e := testserver.StartEtcd(t)
	a := newAgent(t, "default_enabled_inputs = [\"mem\", \"cpu\"]\n"+follow(e, "")).start()
	a.until("the default inputs run", running("mem"))
	mem := unit(a.until("cpu runs", running("cpu")), "mem")

	e.Put(t, "/datakit/confd/cpu", fmt.Sprintf(cpuTagged, "one"))
	a.untilPoint("cpu with the tag", tagged("cpu", "v", "one"))
	s := a.until("the key is applied", func(s status.Status) bool { return key(s, "confd/cpu").State == status.Applied })
	if u := unit(s, "cpu"); u.Origin != "etcdv3:/datakit/confd/cpu" || u.ID != "input/cpu" {
		t.Errorf("unit %+v", u)
	}
	if !strings.Contains(a.read("data/remote.conf"), `v = "one"`) {
		t.Errorf("backup:\n%s", a.read("data/remote.conf"))
	}

	e.Put(t, "/datakit/confd/cpu", fmt.Sprintf(cpuTagged, "two"))
	a.untilPoint("cpu with the new tag", tagged("cpu", "v", "two"))
	if u := unit(a.until("updated in place", func(s status.Status) bool { return unit(s, "cpu").Updates > 0 }), "cpu"); u.State != status.Running {
		t.Errorf("unit %+v", u)
	}

	e.Put(t, "/datakit/confd/cpu", "[[inputs.cpu]]\n  percpu = true\n  interval = \"200ms\"\n")
	a.untilPoint("one core", tagged("cpu", "cpu", "cpu0"))

	e.Delete(t, "/datakit/confd/cpu")
	s = a.until("the default is back", func(s status.Status) bool { return unit(s, "cpu").Origin == "default" })
	if u := unit(s, "mem"); u.Starts != 1 || u.Updates != 0 || u.Missed != 0 || u.Since != mem.Since {
		t.Errorf("mem was touched: %+v", u)
	}
}

func TestBadValuesHarmNothing(t *testing.T) {
	e := testserver.StartEtcd(t, testserver.WithEtcdArgs("--max-request-bytes=4194304"))
	a := newAgent(t, follow(e, "")).start()
	good := fmt.Sprintf(cpuTagged, "good")
	e.Put(t, "/datakit/confd/cpu", good)
	a.until("cpu runs", running("cpu"))
	for _, c := range []struct{ name, value, says string }{
		{"no TOML", "[[inputs.cpu", "1:"},
		{"unknown input", "[[inputs.cpuu]]\n", `unknown input "cpuu"`},
		{"unknown field", "[[inputs.cpu]]\n  percpuu = true\n", "2:3: unknown field"},
		{"ill-typed field", "[[inputs.cpu]]\n  interval = true\n", `2:14: interval: expected a duration such as "10s", got a bool`},
		{"two tables, one bad", good + "[[inputs.mem]]\n  nope = 1\n", `unknown field "nope"`},
		{"too large", "# " + strings.Repeat("x", 2<<20), "at most 1048576"},
		{"not UTF-8", "\xff\xfe", "UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e.Put(t, "/datakit/confd/cpu", c.value)
			e.Put(t, "/datakit/confd/new", c.value)
			s := a.until("kept", func(s status.Status) bool {
				return key(s, "confd/cpu").State == status.Kept && key(s, "confd/new").State == status.Rejected
			})
			if k := key(s, "confd/cpu"); !strings.Contains(k.Error, c.says) {
				t.Errorf("error %q, want %q in it", k.Error, c.says)
			}
			if u := unit(s, "cpu"); u.State != status.Running || u.Starts != 1 || s.Converged {
				t.Errorf("unit %+v, converged %v", u, s.Converged)
			}
			e.Put(t, "/datakit/confd/cpu", "`"+good+"`") // in backticks it is equal
			a.until("applied", func(s status.Status) bool { return key(s, "confd/cpu").State == status.Applied })
		})
	}
	e.Delete(t, "/datakit/confd/new")
	e.Put(t, "/datakit/confd/bin\xff\x01", good)
	s := a.until("the binary name is refused", func(s status.Status) bool {
		return len(s.Keys) == 2 && (s.Keys[0].State == status.Rejected || s.Keys[1].State == status.Rejected)
	})
	if u := unit(s, "cpu"); u.Starts != 1 {
		t.Errorf("cpu was restarted: %+v", u)
	}
	e.Put(t, "/datakit/confd/cpu", "")
	a.until("an empty value asks for nothing", func(s status.Status) bool {
		return key(s, "confd/cpu").State == status.Empty && unit(s, "cpu").ID == ""
	})
}

func TestOutageRemovesNothing(t *testing.T) {
	e := testserver.StartEtcd(t)
	a := newAgent(t, strings.Replace(follow(e, ""), `"0s"`, `"1s"`, 1)).start()
	e.Put(t, "/datakit/confd/cpu", fmt.Sprintf(cpuTagged, "one"))
	a.until("cpu runs", running("cpu"))

	// The store stops between the event and the read that follows it.
	e.Put(t, "/datakit/confd/mem", "[[inputs.mem]]\n")
	e.Stop(t)
	s := a.until("the store is stale", func(s status.Status) bool { return s.Stores[0].State == status.Stale })
	if u := unit(s, "cpu"); u.State != status.Running || u.Starts != 1 || s.Converged || s.Stores[0].Error == "" {
		t.Errorf("unit %+v, store %+v", u, s.Stores[0])
	}
	if !strings.Contains(a.read("data/remote.conf"), "inputs.cpu") {
		t.Error("the backup lost what runs")
	}
	e.Start(t)
	s = a.until("converged", func(s status.Status) bool { return s.Converged && unit(s, "mem").State == status.Running })
	if u := unit(s, "cpu"); u.Starts != 1 {
		t.Errorf("cpu was restarted: %+v", u)
	}
}

func TestColdStartRunsTheBackup(t *testing.T) {
	e := testserver.StartEtcd(t)
	a := newAgent(t, follow(e, "")).start()
	e.Put(t, "/datakit/confd/cpu", fmt.Sprintf(cpuTagged, "one"))
	e.Put(t, "/datakit/confd/mem", "[[inputs.mem]]\n  interval = \"200ms\"\n")
	a.until("both run", func(s status.Status) bool { return running("cpu")(s) && running("mem")(s) && s.Converged })
	a.signal(terminate)
	e.Stop(t)

	a.start()
	s := a.until("the backup runs", func(s status.Status) bool { return running("cpu")(s) && running("mem")(s) })
	if s.Converged || unit(s, "cpu").Origin != "etcdv3:/datakit/confd/cpu" {
		t.Errorf("converged %v, unit %+v", s.Converged, unit(s, "cpu"))
	}
	e.Start(t)
	e.Put(t, "/datakit/confd/cpu", fmt.Sprintf(cpuTagged, "two"))
	e.Delete(t, "/datakit/confd/mem")
	a.untilPoint("the new cpu", tagged("cpu", "v", "two"))
	a.until("mem is gone", gone("mem"))
}

func TestWipedStoreIsHeld(t *testing.T) {
	e := testserver.StartEtcd(t)
	a := newAgent(t, follow(e, "  hold = \"1h\"")).start()
	for _, kind := range []string{"cpu", "mem", "net", "swap"} {
		e.Put(t, "/datakit/confd/"+kind, "[[inputs."+kind+"]]\n")
	}
	a.until("four run", func(s status.Status) bool { return len(s.Units) == 4 && s.Converged })
	e.Stop(t)
	e.Wipe(t)
	e.Start(t)
	s := a.until("held", func(s status.Status) bool { return s.Stores[0].State == status.Held })
	if len(s.Units) != 4 || s.Converged {
		t.Errorf("units %v", s.Units)
	}
	if code, out, errs := datakit(t, "", "confd", "accept", "--dir", a.dir); code != 0 {
		t.Fatalf("accept: %d %s %s", code, out, errs)
	}
	a.until("applied", func(s status.Status) bool { return len(s.Units) == 0 && s.Converged })
}

func TestSameInputInTwoStoresRunsOnce(t *testing.T) {
	e := testserver.StartEtcd(t)
	a := newAgent(t, follow(e, ""))
	a.write("store/confd/twin", "[[inputs.cpu]]\n  percpu=true # another layout\n")
	a.write("store/confd/other", "[[inputs.mem]]\n  interval = \"7s\"\n")
	e.Put(t, "/datakit/confd/a", "[[inputs.cpu]]\npercpu = true\n")
	e.Put(t, "/datakit/confd/b", "[[inputs.mem]]\n  interval = \"9s\"\n")
	a.configure(follow(e, "") + fmt.Sprintf("[[confds]]\n  backend = \"file\"\n  file = [%q]\n", a.dir+"/store"))
	a.start()
	s := a.until("both stores are read", func(s status.Status) bool { return len(s.Keys) == 4 && s.Converged })
	if len(s.Units) != 2 || unit(s, "cpu").Origin != "etcdv3:/datakit/confd/a" || unit(s, "mem").Origin != "etcdv3:/datakit/confd/b" {
		t.Errorf("units %+v", s.Units)
	}
	if k := key(s, "twin"); k.State != status.Duplicate || k.Error == "" {
		t.Errorf("key %+v", k)
	}
	if k := key(s, "other"); k.State != status.Singleton || !strings.Contains(k.Error, "etcdv3:/datakit/confd/b") {
		t.Errorf("key %+v", k)
	}
	// One store goes on changing while the other is down.
	e.Stop(t)
	a.until("etcd is stale", func(s status.Status) bool { return s.Stores[0].State == status.Stale })
	a.write("store/confd/third", "[[inputs.swap]]\n")
	a.until("the file store is followed", running("swap"))
}

func TestWrittenPointsFlowLikeCollectedOnes(t *testing.T) {
	a := newAgent(t, "[global_host_tags]\n  dc = \"$datakit_hostname-1\"\n").start()
	a.until("up", func(status.Status) bool { return true })
	if code, body := a.post("/v1/write/metric", "weather,city=x temp=1.5 1700000000000000000\n"); code != http.StatusOK {
		t.Fatalf("%d %s", code, body)
	}
	p := a.untilPoint("what was written", named("weather"))
	if _, ok := p.Tag("dc"); !ok || p.Time != 1700000000000000000 {
		t.Errorf("point %+v", p)
	}
}

func TestFirstPointsOfARateComeEarly(t *testing.T) {
	a := newAgent(t, "default_enabled_inputs = [\"cpu\", \"diskio\", \"net\"]\n").start()
	a.untilPoint("cpu, though its interval is 10 s", func(p point.Point) bool {
		_, ok := p.Field("usage_idle")
		return ok && p.Name == "cpu"
	})
	if u := unit(a.until("gathered twice", func(s status.Status) bool { return unit(s, "cpu").Gathers == 2 }), "cpu"); u.Points == 0 {
		t.Errorf("unit %+v", u)
	}
}

// Upstream restarts its HTTP server at each change, and cuts off who pushes.
func TestChangesLeaveConnectionsAlone(t *testing.T) {
	e := testserver.StartEtcd(t)
	a := newAgent(t, follow(e, "")).start()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	connections := 0
	ask := func() {
		t.Helper()
		trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) {
			if !c.Reused {
				connections++
			}
		}}
		req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, a.url("/v1/ping"), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	a.until("it answers", func(status.Status) bool { return true })
	ask()
	for i, value := range []string{"[[inputs.mem]]\n", "[[inputs.mem]]\n  interval = \"1s\"\n", "[[inputs.swap]]\n", "bad"} {
		before := a.until("it answers", func(status.Status) bool { return true }).Keys
		e.Put(t, "/datakit/confd/a", value)
		a.until("the change is seen", func(s status.Status) bool { return !slices.Equal(s.Keys, before) })
		ask()
		if connections != 1 {
			t.Fatalf("change %d cut the connection", i)
		}
	}
}

// Upstream panics at its end where its store was never reached.
func TestEndsWhileItsStoreIsDown(t *testing.T) {
	e := testserver.StartEtcd(t)
	e.Stop(t)
	a := newAgent(t, "default_enabled_inputs = [\"mem\"]\n"+follow(e, "")).start()
	a.until("the store is away", func(s status.Status) bool { return len(s.Stores) == 1 && s.Stores[0].Error != "" && running("mem")(s) })
	a.signal(terminate)
	if code := a.cmd.ProcessState.ExitCode(); code != 0 || strings.Contains(a.log.String(), "panic") {
		t.Errorf("exit code %d\n%s", code, a.log)
	}
	if len(a.points()) == 0 {
		t.Error("what was collected is lost")
	}
}
