package config

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/status"
)

const (
	cpu   = "[[inputs.cpu]]\n"
	cpu5  = "[[inputs.cpu]]\ninterval = \"5s\"\n"
	cpuP  = "[[inputs.cpu]]\npercpu = true\n"
	mem   = "[[inputs.mem]]\n"
	netA  = "[[inputs.net]]\nurl = \"a\"\n"
	netB  = "[[inputs.net]]\nurl = \"b\"\n"
	wrong = "[[inputs.net]]\nurl = 1\n"
)

func TestStoreOverlaysLocalKindByKind(t *testing.T) {
	w := world{t: t}
	req := request()
	req.Defaults = []string{"cpu", "mem"}
	req.Local = files("confd/cpu.conf", cpu5, "confd/net.conf", netA)
	wantRunning(t, w.compile(req), "input/cpu=local:conf.d/cpu.conf input/mem=default input/net=local:conf.d/net.conf")

	req.Stores = []Source{etcd("confd/x", cpuP+netB)}
	r := w.compile(req)
	wantRunning(t, r, "input/cpu=etcdv3:/datakit/confd/x input/mem=default input/net=etcdv3:/datakit/confd/x")
	wantStates(t, r, "/datakit/confd/x:applied conf.d/cpu.conf:shadowed conf.d/net.conf:shadowed")
	if k := keyOf(t, r, "conf.d/cpu.conf"); k.Error != "a store has cpu" || k.Store != "local" {
		t.Errorf("%+v", k)
	}

	req.Stores = []Source{etcd()}
	wantRunning(t, w.compile(req), "input/cpu=local:conf.d/cpu.conf input/mem=default input/net=local:conf.d/net.conf")
}

func TestLocalFileOfTwoKindsStepsAsideInPart(t *testing.T) {
	req := request(etcd("confd/x", cpuP))
	req.Local = files("confd/both.conf", cpu5+netA)
	r := compile(req)
	wantRunning(t, r, "input/cpu=etcdv3:/datakit/confd/x input/net=local:conf.d/both.conf")
	wantStates(t, r, "/datakit/confd/x:applied conf.d/both.conf:applied")
}

func TestDefaultList(t *testing.T) {
	for _, test := range []struct {
		defaults []string
		local    Source
		want     string
	}{
		{[]string{"cpu", "mem", "cpu"}, files(), "input/cpu=default input/mem=default"},
		{[]string{" cpu ", "-mem", "mem"}, files(), "input/cpu=default"},
		{[]string{"host_cpu"}, files(), "input/cpu=default"},
		{[]string{"nope", "-", "", "-nope"}, files(), ""},
		{[]string{"cpu"}, files("confd/c.conf", cpu5), "input/cpu=local:conf.d/c.conf"},
		{[]string{"cpu"}, files("confd/c.conf", "[[inputs.cpu]]\nx = 1\n"), "input/cpu=default"},
		{[]string{"cpu"}, files("confd/c.conf", "# cpu\n"), "input/cpu=default"},
		{[]string{"-cpu"}, files("confd/c.conf", cpu5), ""},
	} {
		req := request()
		req.Defaults, req.Local = test.defaults, test.local
		if got := running(compile(req)); got != test.want {
			t.Errorf("%q: running %q, want %q", test.defaults, got, test.want)
		}
	}
}

// A store may bring back what the list takes away: it can only be removed here.
func TestMinusDoesNotHoldAgainstAStore(t *testing.T) {
	req := request(etcd("confd/x", cpu))
	req.Defaults = []string{"-cpu"}
	wantRunning(t, compile(req), "input/cpu=etcdv3:/datakit/confd/x")
}

func TestIdenticalInputsRunOnce(t *testing.T) {
	r := compile(request(etcd("confd/a", netA, "confd/b", "# the same\n[inputs.net]\nurl='a'"), named("redis", "confd/c", netA+netB)))
	wantRunning(t, r, "input/net/a=etcdv3:/datakit/confd/a input/net/c=redis:/datakit/confd/c")
	wantStates(t, r, "/datakit/confd/a:applied /datakit/confd/b:duplicate /datakit/confd/c:applied")
	if k := keyOf(t, r, "/datakit/confd/b"); k.Error != "an identical input net runs already" {
		t.Errorf("%+v", k)
	}
	if k := keyOf(t, r, "/datakit/confd/c"); k.Error == "" {
		t.Error("nothing tells that a part of the key was set aside")
	}
}

func TestSingletonKeepsTheFirst(t *testing.T) {
	r := compile(request(etcd("confd/a", cpu5+cpuP, "confd/b", cpu), named("redis", "confd/0", cpu)))
	wantRunning(t, r, "input/cpu=etcdv3:/datakit/confd/a")
	if interval(unit(t, r, "cpu")) != 5*time.Second {
		t.Error("the second table of the key runs")
	}
	wantStates(t, r, "/datakit/confd/a:applied /datakit/confd/b:singleton /datakit/confd/0:singleton")
	if k := r.Keys[1]; k.Error != "cpu runs once, and etcdv3:/datakit/confd/a was first" {
		t.Errorf("%+v", k)
	}
}

func TestBadValueKeepsTheLastGoodOne(t *testing.T) {
	w := world{t: t}
	good := w.compile(request(etcd("confd/a", netA, "confd/b", netB)))
	r := w.compile(request(etcd("confd/a", wrong, "confd/b", cpu)))
	wantRunning(t, r, "input/cpu=etcdv3:/datakit/confd/b input/net=etcdv3:/datakit/confd/a")
	wantStates(t, r, "/datakit/confd/a:kept /datakit/confd/b:applied")
	if unit(t, r, "net").Hash != good.Units["input/net/a"].Hash || !r.Pending {
		t.Error("another input runs, or the result says all is well")
	}
	if k := r.Keys[0]; k.Error != "etcdv3:/datakit/confd/a:2:7: url: expected a string, got an integer" || k.Revision != "r"+wrong {
		t.Errorf("%+v", k)
	}
	r = w.compile(request(etcd("confd/a", "also wrong", "confd/b", cpu)))
	wantStates(t, r, "/datakit/confd/a:kept /datakit/confd/b:applied")
	r = w.compile(request(etcd("confd/a", netB)))
	wantStates(t, r, "/datakit/confd/a:applied")
}

func TestLastGoodDiesWithItsKey(t *testing.T) {
	w := world{t: t}
	w.compile(request(etcd("confd/a", netA)))
	wantRunning(t, w.compile(request(etcd())), "")
	r := w.compile(request(etcd("confd/a", wrong)))
	wantRunning(t, r, "")
	wantStates(t, r, "/datakit/confd/a:rejected")
}

func TestEmptiedKeyIsNotKept(t *testing.T) {
	w := world{t: t}
	w.compile(request(etcd("confd/a", netA)))
	wantRunning(t, w.compile(request(etcd("confd/a", ""))), "")
	r := w.compile(request(etcd("confd/a", wrong)))
	wantRunning(t, r, "")
	wantStates(t, r, "/datakit/confd/a:kept") // what it keeps is: nothing
}

func TestLastGoodIsKeptOverARestart(t *testing.T) {
	var before, after world
	before.t, after.t = t, t
	r := before.compile(request(etcd("confd/a", netA, "confd/z", netB, "pipeline/metric/a.p", "x")))
	after.state = Seed(catalog(), r.Goods, checkScript)
	r = after.compile(request(etcd("confd/a", wrong, "confd/z", netB, "pipeline/metric/a.p", "bad")))
	wantRunning(t, r, "input/net/a=etcdv3:/datakit/confd/a input/net/z=etcdv3:/datakit/confd/z")
	wantStates(t, r, "/datakit/confd/a:kept /datakit/confd/z:applied /datakit/pipeline/metric/a.p:kept")
	if len(r.Scripts) != 1 || r.Scripts[0].Text != "x" {
		t.Errorf("%+v", r.Scripts)
	}
}

// A backup of another version, or a forged one, is no reason to fail.
func TestSeedLeavesOutWhatDoesNotDecode(t *testing.T) {
	goods := []Good{
		{Source: "etcdv3", Short: "confd/a", Value: wrong},
		{Source: "etcdv3", Short: "confd/b", Value: netB},
		{Source: "etcdv3", Short: "pipeline/metric/x.p", Value: "bad"},
		{Source: "etcdv3", Short: "pipeline/../x", Value: "x"},
	}
	w := world{t: t, state: Seed(catalog(), goods, checkScript)}
	r := w.compile(request(etcd("confd/a", wrong, "confd/b", wrong, "pipeline/../x", "x")))
	wantStates(t, r, "/datakit/confd/a:rejected /datakit/confd/b:kept /datakit/pipeline/../x:rejected")
}

func TestNewBadKeyHidesNothing(t *testing.T) {
	req := request(etcd("confd/a", "[[inputs.cpu]]\nx = 1\n"))
	req.Defaults = []string{"cpu"}
	wantRunning(t, compile(req), "input/cpu=default")
}

func TestAuthoritativeStopsWhatNoStoreHas(t *testing.T) {
	req := request(etcd("confd/x", netB))
	req.Defaults = []string{"mem"}
	req.Local = files("confd/cpu.conf", cpu, "confd/mem.conf", "[[inputs.mem]]\ninterval = \"5s\"\n", "confd/net.conf", netA)
	req.Authoritative = true
	r := compile(req)
	wantRunning(t, r, "input/mem=local:conf.d/mem.conf input/net=etcdv3:/datakit/confd/x")
	wantStates(t, r, "/datakit/confd/x:applied conf.d/cpu.conf:shadowed conf.d/mem.conf:applied conf.d/net.conf:shadowed")
}

func TestMovedKeyIsTheSameUnit(t *testing.T) {
	w := world{t: t}
	was := unit(t, w.compile(request(etcd("confd/a", netA), named("redis"))), "net")
	now := unit(t, w.compile(request(etcd(), named("redis", "other", netA))), "net")
	if was.Hash != now.Hash || was.Fixed != now.Fixed || now.Origin != "redis:/datakit/other" {
		t.Errorf("was %+v, now %+v", was, now)
	}
}

func TestIntervalAndTagsChangeInPlace(t *testing.T) {
	was := unit(t, compile(request(etcd("confd/a", netA))), "net")
	now := unit(t, compile(request(etcd("confd/a", netA+"interval = \"5s\"\ntags = {x = \"y\"}\n"))), "net")
	if was.Fixed != now.Fixed || was.Hash == now.Hash {
		t.Errorf("fixed %s %s, hash %s %s", was.Fixed, now.Fixed, was.Hash, now.Hash)
	}
	other := unit(t, compile(request(etcd("confd/a", netB))), "net")
	if other.Fixed == was.Fixed {
		t.Error("another url would be taken in place")
	}
}

func TestScripts(t *testing.T) {
	w := world{t: t}
	r := w.compile(request(etcd("pipeline/metric/a.p", "`x\r\ny`", "pipeline/logging/a.p", "bad"), named("redis", "pipeline/metric/a.p", "z")))
	want := Script{Category: "metric", Name: "a.p", Text: " x\ny", Origin: "etcdv3:/datakit/pipeline/metric/a.p", Ref: Ref{"etcdv3", "pipeline/metric/a.p"}}
	if len(r.Scripts) != 1 || r.Scripts[0] != want {
		t.Errorf("%+v", r.Scripts)
	}
	wantStates(t, r, "/datakit/pipeline/metric/a.p:applied /datakit/pipeline/logging/a.p:rejected /datakit/pipeline/metric/a.p:shadowed")
	if k := r.Keys[1]; k.Error != "etcdv3:/datakit/pipeline/logging/a.p:1:1: expected an expression" {
		t.Errorf("%+v", k)
	}
	r = w.compile(request(etcd("pipeline/metric/a.p", "bad"), named("redis", "pipeline/metric/a.p", "z")))
	if len(r.Scripts) != 1 || r.Scripts[0].Text != want.Text || r.Keys[0].State != status.Kept {
		t.Errorf("a script that does not compile: %+v %+v", r.Scripts, r.Keys)
	}
	r = w.compile(request(etcd("pipeline/metric/a.p", ""), named("redis", "pipeline/metric/a.p", "z")))
	if len(r.Scripts) != 1 || r.Scripts[0].Text != "z" || r.Keys[0].State != status.Empty {
		t.Errorf("an emptied script: %+v %+v", r.Scripts, r.Keys)
	}
}

func TestScriptsAreIgnoredWhereNoneRun(t *testing.T) {
	req := request(etcd("pipeline/metric/a.p", "x"))
	req.CheckScript = nil
	r := compile(req)
	if len(r.Scripts) > 0 || r.Keys[0].State != status.Ignored || r.Pending {
		t.Errorf("%+v", r)
	}
}

func TestRefusedKeyFallsBackToItsLastGood(t *testing.T) {
	w := world{t: t}
	w.compile(request(etcd("confd/a", netA, "confd/b", cpu)))
	req := request(etcd("confd/a", netB, "confd/b", cpu))
	ref := Ref{"etcdv3", "confd/a"}
	req.Refused = map[Ref]Refusal{ref: {Err: errors.New("net cannot start: no route")}}
	r := w.compile(req)
	wantRunning(t, r, "input/cpu=etcdv3:/datakit/confd/b input/net=etcdv3:/datakit/confd/a")
	if unit(t, r, "net").Body.(*Desired).Values.String("url") != "a" || r.Keys[0].State != status.Kept || !r.Pending {
		t.Errorf("%+v", r)
	}
	if !strings.HasSuffix(r.Keys[0].Error, "net cannot start: no route") {
		t.Errorf("%+v", r.Keys[0])
	}

	req.Refused = nil // the next turn tries again
	r = w.compile(req)
	if unit(t, r, "net").Body.(*Desired).Values.String("url") != "b" || r.Keys[0].State != status.Applied {
		t.Errorf("%+v", r)
	}
}

// What cannot start now may start later: it does not run, and the backup keeps
// it for the next start.
func TestRefusedGoodStaysInTheBackup(t *testing.T) {
	w := world{t: t}
	w.compile(request(etcd("confd/a", netA)))
	req := request(etcd("confd/a", netB))
	req.Refused = map[Ref]Refusal{{"etcdv3", "confd/a"}: {Err: errors.New("no"), Good: true}}
	r := w.compile(req)
	wantRunning(t, r, "")
	if r.Keys[0].State != status.Rejected || len(r.Goods) != 1 || r.Goods[0].Value != netA {
		t.Errorf("%+v", r)
	}
	req = request(etcd("confd/a", wrong))
	r = w.compile(req)
	wantRunning(t, r, "input/net=etcdv3:/datakit/confd/a")
	if r.Keys[0].State != status.Kept {
		t.Errorf("%+v", r.Keys)
	}
}

func TestRefusedDefaultIsTold(t *testing.T) {
	req := request()
	req.Defaults = []string{"cpu", "mem"}
	req.Refused = map[Ref]Refusal{{defaultSource, "cpu"}: {Err: errors.New("no /proc")}}
	r := compile(req)
	wantRunning(t, r, "input/mem=default")
	if k := keyOf(t, r, "cpu"); k.State != status.Rejected || k.Error != "no /proc" || !r.Pending {
		t.Errorf("%+v", k)
	}
}

func TestIDsAreStableAndUnique(t *testing.T) {
	w := world{t: t}
	w.compile(request(etcd("confd/a", netA, "confd/b", netB)))
	r := w.compile(request(etcd("confd/a", netA, "confd/b", netB, "confd/c", "[[inputs.net]]\nurl = \"c\"\n", "confd/0", cpu)))
	if r.Units["input/net/a"].Origin != "etcdv3:/datakit/confd/a" || r.Units["input/net/b"].Origin != "etcdv3:/datakit/confd/b" {
		t.Errorf("running %s", running(r))
	}
	// Keys whose last parts meet, and one that looks like the way out of that.
	r = w.compile(request(etcd("confd/a#2", netA, "confd/x/a", netB, "confd/y/a.conf", "[[inputs.net]]\n[[inputs.net]]\nurl = \"d\"\n")))
	if len(r.Units) != 4 {
		t.Errorf("running %s", running(r))
	}
	for id, u := range r.Units {
		if id != u.ID {
			t.Errorf("%s is under %s", u.ID, id)
		}
	}
}

func TestGoodsAreWhatTheBackupKeeps(t *testing.T) {
	w := world{t: t}
	w.compile(request(etcd("confd/a", netA, "confd/e", "", "confd/w", wrong, "pipeline/metric/a.p", "x")))
	req := request(etcd("confd/a", wrong, "confd/e", "", "confd/w", wrong, "pipeline/metric/a.p", "x"))
	req.Local, req.Defaults = files("confd/l.conf", cpu), []string{"mem"}
	want := []Good{
		{Source: "etcdv3", Backend: "etcdv3", Key: "/datakit/confd/a", Short: "confd/a", Revision: "r" + netA, Value: netA},
		{Source: "etcdv3", Backend: "etcdv3", Key: "/datakit/pipeline/metric/a.p", Short: "pipeline/metric/a.p", Revision: "rx", Value: "x", Script: true},
	}
	if got := w.compile(req).Goods; !slices.Equal(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

func TestReasonsOfOneKeyAreBounded(t *testing.T) {
	r := compile(request(etcd("confd/a", strings.Repeat(cpu5, maxTables))))
	wantRunning(t, r, "input/cpu=etcdv3:/datakit/confd/a")
	if len(r.Keys[0].Error) > 500 {
		t.Errorf("%d bytes: %.200s", len(r.Keys[0].Error), r.Keys[0].Error)
	}
}
