package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"datakit.dev/internal/point"
	"datakit.dev/internal/status"
	"datakit.dev/internal/testserver"
)

const diskOften = "default_enabled_inputs = []\n"

// scripted returns whether a disk point says tconfd = want.
func scripted(want int64) func(point.Point) bool {
	return func(p point.Point) bool {
		v, ok := p.Field("tconfd")
		return p.Name == "disk" && ok && v.Int() == want
	}
}

func script(s status.Status, namespace string) status.Script {
	i := slices.IndexFunc(s.Scripts, func(x status.Script) bool { return x.Name == "disk.p" && x.Namespace == namespace })
	if i < 0 {
		return status.Script{}
	}
	return s.Scripts[i]
}

// The steps of the plan: a script on the disk, a store's script for the same
// name, its edits, a broken edit, and its end.
func TestScriptsTakeTurns(t *testing.T) {
	e := testserver.StartEtcd(t)
	a := newAgent(t, diskOften+follow(e, ""))
	a.write("conf.d/disk.conf", "[[inputs.disk]]\n  interval = \"100ms\"\n")
	a.write("pipeline/metric/disk.p", "add_key(tconfd, 4)\n")
	a.start()
	a.untilPoint("the local script", scripted(4))

	const key = "/datakit/pipeline/metric/disk.p"
	for n := range int64(2) {
		e.Put(t, key, fmt.Sprintf("add_key(tconfd, %d)", n+1))
		a.untilPoint("the store's script", scripted(n+1))
	}
	s := a.until("it is shown", func(s status.Status) bool { return script(s, "confd").Runs > 0 })
	if c, d := script(s, "confd"), script(s, "default"); c.State != "active" || d.State != "shadowed" || c.Origin != "etcdv3:"+key {
		t.Errorf("scripts %+v %+v", c, d)
	}
	if got := a.read("pipeline_confd/metric/disk.p"); got != "add_key(tconfd, 2)" {
		t.Errorf("backup %q", got)
	}

	e.Put(t, key, "add_key(tconfd, \n")
	s = a.until("the broken one is kept out", func(s status.Status) bool { return script(s, "confd").State == "kept" })
	if c := script(s, "confd"); !strings.Contains(c.Error, "disk.p:") || unit(s, "disk").Starts != 1 {
		t.Errorf("script %+v, unit %+v", c, unit(s, "disk"))
	}
	before := len(a.points())
	a.until("it runs on", func(status.Status) bool { return len(a.points()) > before })
	for _, p := range a.points()[before:] {
		if v, ok := p.Field("tconfd"); !ok || v.Int() != 2 {
			t.Fatalf("a broken edit changed %v", p)
		}
	}

	e.Delete(t, key)
	a.until("the local one is back", func(s status.Status) bool { return script(s, "default").State == "active" })
	before = len(a.points())
	a.until("a point", func(status.Status) bool { return len(a.points()) > before+4 })
	if pts := a.points(); !scripted(4)(pts[len(pts)-1]) {
		t.Errorf("the last point is %v", pts[len(pts)-1])
	}
	if got := a.read("pipeline_confd/metric/disk.p"); got != "" {
		t.Errorf("backup %q", got)
	}
}

func TestScriptsSurviveAColdStart(t *testing.T) {
	e := testserver.StartEtcd(t)
	a := newAgent(t, diskOften+follow(e, ""))
	a.write("conf.d/disk.conf", "[[inputs.disk]]\n  interval = \"100ms\"\n")
	a.start()
	e.Put(t, "/datakit/pipeline/metric/disk.p", "add_key(tconfd, 7)")
	a.untilPoint("the script", scripted(7))
	a.until("converged", func(s status.Status) bool { return s.Converged })
	a.signal(terminate)
	e.Stop(t)
	a.write("points.lp", "")
	a.start()
	a.untilPoint("the script from the backup", scripted(7))
}

// Every point arrives, each through one version of the script or the other,
// while a store edits it as fast as it can.
func TestEditsUnderLoadLoseNoPoint(t *testing.T) {
	edits := 100
	if *measure {
		edits = 1000
	}
	e := testserver.StartEtcd(t)
	a := newAgent(t, diskOften+follow(e, ""))
	a.write("conf.d/null.conf", "[[inputs.null]]\n  interval = \"100ms\"\n  points = 500\n")
	a.start()
	a.until("it runs", running("null"))
	for i := range edits {
		e.Put(t, "/datakit/pipeline/metric/null.p", fmt.Sprintf("add_key(a, %d)\nadd_key(b, %d)", i, i))
	}
	a.until("the last edit runs", func(s status.Status) bool { return s.Converged && len(s.Scripts) == 1 && s.Scripts[0].Runs > 0 })
	s, _ := a.status()
	a.signal(terminate)
	pts := a.points()
	if len(pts)%500 != 0 || uint64(len(pts)) < unit(s, "null").Points {
		t.Errorf("%d points, the unit wrote at least %d", len(pts), unit(s, "null").Points)
	}
	for _, p := range pts {
		x, hasX := p.Field("a")
		y, hasY := p.Field("b")
		if hasX != hasY || !x.Equal(y) {
			t.Fatalf("half of a script: %v", p)
		}
	}
}

// Upstream makes every script anew at each change of an input, and what scripts
// have counted is gone.
func TestChangesLeaveTheMemoryOfAScript(t *testing.T) {
	e := testserver.StartEtcd(t)
	a := newAgent(t, "default_enabled_inputs = []\n"+follow(e, "")).start()
	e.Put(t, "/datakit/pipeline/metric/counted.p", `n = cache_get("n")
if n == nil { n = 0 }
n = n + 1
cache_set("n", n, 3600)
add_key(n, n)
`)
	a.until("the script is there", func(s status.Status) bool { return len(s.Scripts) == 1 && s.Converged })
	write := func(want int64) {
		t.Helper()
		if code, body := a.post("/v1/write/metric", fmt.Sprintf("counted seen=%di", want)); code != 200 {
			t.Fatalf("%d %s", code, body)
		}
		p := a.untilPoint("the point", func(p point.Point) bool {
			v, ok := p.Field("seen")
			return p.Name == "counted" && ok && v.Int() == want
		})
		if n, _ := p.Field("n"); n.Int() != want {
			t.Errorf("the script counts %v, want %d", n, want)
		}
	}
	write(1)
	e.Put(t, "/datakit/confd/mem", "[[inputs.mem]]\n")
	a.until("an input came", running("mem"))
	write(2)
	e.Put(t, "/datakit/pipeline/metric/other.p", "add_key(x, 1)\n")
	a.until("a script came", func(s status.Status) bool { return len(s.Scripts) == 2 && s.Converged })
	write(3)
}
