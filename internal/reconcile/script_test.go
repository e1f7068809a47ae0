package reconcile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
)

// TestScripts runs the scenarios under testdata, each in a bubble of its own
// time: an hour of outage takes no time.
func TestScripts(t *testing.T) {
	testscript.RunT(bubble{t}, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			w := newWorld(env.WorkDir)
			env.Values["w"] = w
			env.Defer(w.close)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"stores": stores, "put": put, "foreign": foreign, "missing": missing, "fill": fill, "del": del, "wipe": wipe, "fault": fault, "local": local, "defaults": defaults,
			"authoritative": authoritative, "start": start, "restart": restart, "sleep": sleep, "accept": accept,
			"expect": expect, "running": running, "key": key, "store": storeIs, "unit": unit, "scripts": scriptsAre,
			"converged": converged, "backup": backupHas, "damage": damage, "log": logHas, "generation": generation,
			"told": told, "diff": diffHas,
		},
	})
}

// bubble runs each script of testscript in a bubble of testing/synctest.
type bubble struct{ *testing.T }

func (b bubble) Parallel()     {}
func (b bubble) Verbose() bool { return testing.Verbose() }
func (b bubble) Run(name string, f func(testscript.T)) {
	b.T.Run(name, func(t *testing.T) {
		faketime.Test(t, func(t *testing.T) { f(bubble{t}) })
	})
}

func of(ts *testscript.TestScript) *world { return ts.Value("w").(*world) }

// at splits "store:key"; the first store is meant where none is named.
func at(ts *testscript.TestScript, arg string) (*world, string, string) {
	w := of(ts)
	if id, rest, ok := strings.Cut(arg, ":"); ok {
		if _, ok := w.stores[id]; ok {
			return w, id, rest
		}
	}
	return w, w.order[0], arg
}

func text(ts *testscript.TestScript, arg string) string {
	if b, err := os.ReadFile(ts.MkAbs(arg)); err == nil {
		return string(b)
	}
	return strings.ReplaceAll(arg, `\n`, "\n")
}

func stores(ts *testscript.TestScript, _ bool, ids []string) {
	w := of(ts)
	for _, id := range ids {
		w.order, w.stores[id] = append(w.order, id), newStore()
	}
}

// put KEY VALUE|FILE.
func put(ts *testscript.TestScript, neg bool, a []string) {
	w, id, key := at(ts, a[0])
	_, err := w.stores[id].Put(context.Background(), key, text(ts, a[1]), store.Cond{})
	if (err != nil) != neg {
		ts.Fatalf("put: %v", err)
	}
}

// foreign KEY VALUE is there from the start, and was not put by a client of ours.
func foreign(ts *testscript.TestScript, _ bool, a []string) {
	key, err := strconv.Unquote(`"` + a[0] + `"`)
	ts.Check(err)
	w := of(ts)
	w.foreign = append(w.foreign, store.Entry{Key: key, Value: text(ts, a[1]), Revision: "1"})
}

// missing yes|no takes away what inputs of mode needs need, or brings it back.
func missing(ts *testscript.TestScript, _ bool, a []string) { of(ts).missing.Store(a[0] == "yes") }

// fill N puts N keys that ask for 500 inputs, negated with an ill-typed option;
// fill KEY SIZE puts one large one.
func fill(ts *testscript.TestScript, neg bool, a []string) {
	n, err := strconv.Atoi(a[len(a)-1])
	ts.Check(err)
	w := of(ts)
	if len(a) == 2 {
		put(ts, false, []string{a[0], strings.Repeat("#", n)})
		return
	}
	value := "[[inputs.net]]\nurl = \"%d\"\n"
	if neg {
		value = "[[inputs.net]]\nurl = %d\n"
	}
	for i := range n {
		_, err := w.stores[w.order[0]].Put(context.Background(), fmt.Sprintf("confd/n%05d", i), fmt.Sprintf(value, i%500), store.Cond{})
		ts.Check(err)
	}
}

func del(ts *testscript.TestScript, _ bool, a []string) {
	w, id, key := at(ts, a[0])
	ts.Check(w.stores[id].Delete(context.Background(), key, store.Cond{}))
}

func wipe(ts *testscript.TestScript, _ bool, _ []string) { w := of(ts); w.stores[w.order[0]].Wipe() }

// fault off|down|denied|hang|panic|half [STORE].
func fault(ts *testscript.TestScript, _ bool, a []string) {
	w := of(ts)
	id := w.order[0]
	if len(a) > 1 {
		id = a[1]
	}
	st := w.stores[id]
	switch a[0] {
	case "off":
		if release := w.hanging[id]; release != nil {
			release()
			delete(w.hanging, id)
		}
		w.half.Store(false)
		st.Panic(false)
		st.Fail(nil)
	case "down":
		st.Fail(store.ErrUnavailable)
	case "denied":
		st.Fail(store.ErrDenied)
	case "hang":
		w.hanging[id] = st.Hang()
	case "panic":
		st.Panic(true)
	case "half":
		w.half.Store(true)
	default:
		ts.Fatalf("no fault %q", a[0])
	}
}

// local NAME VALUE puts a file of conf.d; without VALUE it takes it away.
func local(ts *testscript.TestScript, _ bool, a []string) {
	w := of(ts)
	l := w.local
	l.Files.Entries = slices.DeleteFunc(slices.Clone(l.Files.Entries), func(e store.Entry) bool { return e.Key == "confd/"+a[0] })
	if len(a) > 1 {
		l.Files.Entries = append(l.Files.Entries, store.Entry{Key: "confd/" + a[0], Value: text(ts, a[1])})
	}
	w.setLocal(l)
}

func defaults(ts *testscript.TestScript, _ bool, a []string) {
	w := of(ts)
	l := w.local
	l.Defaults = a
	w.setLocal(l)
}

func authoritative(ts *testscript.TestScript, neg bool, _ []string) {
	w := of(ts)
	l := w.local
	l.Authoritative = !neg
	w.setLocal(l)
}

// start starts the agent; "! start" expects its backup to be damaged.
func start(ts *testscript.TestScript, neg bool, _ []string) {
	if err := of(ts).start(); (err != nil) != neg {
		ts.Fatalf("start: %v", err)
	}
}

func restart(ts *testscript.TestScript, neg bool, _ []string) {
	w := of(ts)
	w.stop()
	w.log.steps()
	start(ts, neg, nil)
}

func sleep(ts *testscript.TestScript, _ bool, a []string) {
	d, err := time.ParseDuration(a[0])
	ts.Check(err)
	time.Sleep(d)
	synctest.Wait()
}

func accept(ts *testscript.TestScript, _ bool, _ []string) {
	of(ts).set.Accept()
	synctest.Wait()
}

// expect compares the steps since the last look, in order; "any" takes all.
func expect(ts *testscript.TestScript, _ bool, want []string) {
	got := of(ts).log.steps()
	if len(want) == 1 && want[0] == "any" {
		return
	}
	if !slices.Equal(got, want) {
		ts.Fatalf("steps %q, want %q\n%s", got, want, of(ts).log)
	}
}

func running(ts *testscript.TestScript, _ bool, want []string) {
	got := slices.Sorted(maps.Keys(of(ts).units.Running()))
	if len(want) == 1 && strings.Trim(want[0], "0123456789") == "" {
		if strconv.Itoa(len(got)) != want[0] {
			ts.Fatalf("%d units run, want %s", len(got), want[0])
		}
		return
	}
	if !slices.Equal(got, want) {
		ts.Fatalf("running %q, want %q", got, want)
	}
}

// key KEY STATE [TEXT…] looks at a key and for texts in its error.
func key(ts *testscript.TestScript, _ bool, a []string) {
	full, err := strconv.Unquote(`"` + a[0] + `"`)
	ts.Check(err)
	for _, k := range of(ts).loop.Status().Keys {
		if k.Key == full || k.Store+":"+k.Key == full {
			if string(k.State) != a[1] || !containsAll(k.Error, a[2:]) {
				ts.Fatalf("%+v, want %q", k, a[1:])
			}
			return
		}
	}
	ts.Fatalf("no key %q", full)
}

func storeIs(ts *testscript.TestScript, _ bool, a []string) {
	for _, s := range of(ts).loop.Status().Stores {
		if s.Backend == a[0] {
			if string(s.State) != a[1] || !containsAll(s.Error, a[2:]) {
				ts.Fatalf("%+v, want %q", s, a[1:])
			}
			return
		}
	}
	ts.Fatalf("no store %s", a[0])
}

// unit ID STATE starts=N updates=N [TEXT…] looks at a unit; gathers=yes says
// that it has collected.
func unit(ts *testscript.TestScript, _ bool, a []string) {
	units := of(ts).loop.Status().Units
	i := slices.IndexFunc(units, func(u status.Unit) bool { return u.ID == a[0] })
	if i < 0 {
		ts.Fatalf("no unit %s", a[0])
	}
	u := units[i]
	shown := fmt.Sprintf("%s starts=%d updates=%d origin=%s points=%t errors=%t %s", u.State, u.Starts, u.Updates, u.Origin, u.Points > 0, u.Errors > 0, u.LastError)
	if !containsAll(shown, a[1:]) {
		ts.Fatalf("%s is %s, want %q", a[0], shown, a[1:])
	}
}

func scriptsAre(ts *testscript.TestScript, _ bool, want []string) {
	if got := of(ts).scripts.show(); !slices.Equal(got, want) {
		ts.Fatalf("scripts %q, want %q", got, want)
	}
}

func converged(ts *testscript.TestScript, neg bool, _ []string) {
	if s := of(ts).loop.Status(); s.Converged == neg {
		ts.Fatalf("converged %t: %+v", s.Converged, s)
	}
}

// generation N compares the count of applied snapshots.
func generation(ts *testscript.TestScript, _ bool, a []string) {
	if got := strconv.FormatUint(of(ts).loop.Status().Generation, 10); got != a[0] {
		ts.Fatalf("generation %s, want %s", got, a[0])
	}
}

func containsAll(s string, parts []string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(s, p) })
}

// told compares what the journal has had since the last call: of keys
// "STATE STORE:KEY VERB:UNIT…", of units "UNIT STATE", of stores "STORE STATE".
// Generations and units that only start or stop are left out.
func told(ts *testscript.TestScript, _ bool, args []string) {
	w := of(ts)
	synctest.Wait()
	list, complete, _ := w.changes.Since(w.seen, 1<<20)
	if !complete {
		ts.Fatalf("entries are missing")
	}
	if text, err := json.Marshal(list); err != nil || bytes.Contains(text, []byte("hunter")) {
		ts.Fatalf("a secret is told: %s, %v", text, err)
	}
	var got, failed []string // a unit may fail before its turn has ended
	for _, e := range list {
		w.seen = e.ID
		switch {
		case e.Change != nil:
			line := string(e.Change.State) + " " + e.Change.Store + ":" + e.Change.Key
			for _, s := range e.Change.Steps {
				line += " " + s.Verb + ":" + s.Unit
			}
			got = append(got, line)
		case e.Unit != nil && e.Unit.State == status.Failed:
			failed = append(failed, e.Unit.ID+" "+string(e.Unit.State)+" "+e.Unit.Error)
		case e.Store != nil:
			got = append(got, e.Store.ID+" "+string(e.Store.State))
		}
	}
	if got = append(got, failed...); !slices.Equal(got, args) {
		ts.Fatalf("told\n  %s\nexpected\n  %s", strings.Join(got, "\n  "), strings.Join(args, "\n  "))
	}
}

// diffHas checks that the last change's difference has lines, and lacks those
// behind "!".
func diffHas(ts *testscript.TestScript, neg bool, args []string) {
	list := of(ts).changes.Latest(1)
	if len(list) == 0 {
		ts.Fatalf("nothing was told")
	}
	text := list[0].Change.Diff
	if len(args) == 0 && text != "" {
		ts.Fatalf("a difference: %s", text)
	}
	for _, want := range args {
		if strings.Contains(text, want) == neg {
			ts.Fatalf("%q in %s", want, text)
		}
	}
}
