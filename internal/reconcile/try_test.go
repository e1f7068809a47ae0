package reconcile_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/reconcile"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/memory"
)

// started returns an agent whose stores hold pairs of store:key and value.
func started(t *testing.T, keys ...string) *world {
	t.Helper()
	w := newWorld(t.TempDir())
	w.order = []string{"etcdv3", "redis"}
	for _, id := range w.order {
		w.stores[id] = memory.New()
	}
	for i := 0; i < len(keys); i += 2 {
		id, key, _ := strings.Cut(keys[i], ":")
		if _, err := w.stores[id].Put(t.Context(), key, keys[i+1], store.Cond{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	synctest.Wait()
	return w
}

func shown(tr reconcile.Trial) string {
	var out []string
	for _, s := range tr.Steps {
		out = append(out, string(s.Verb)+":"+s.Unit)
	}
	for _, k := range tr.Keys {
		out = append(out, fmt.Sprint(k.Store, ":", k.Key, "=", k.State))
	}
	return strings.Join(out, " ")
}

func TestTrialTellsAndTouchesNothing(t *testing.T) {
	const a, b = "[[inputs.net]]\nurl = \"a\"\n", "[[inputs.net]]\nurl = \"b\"\n"
	faketime.Test(t, func(t *testing.T) {
		w := started(t, "etcdv3:confd/a", a, "redis:confd/b", b)
		defer w.close()
		w.log.steps()
		for _, test := range []struct{ source, key, value, want string }{
			{"", "confd/a", a, "keep:input/net/a keep:input/net/b etcdv3:/datakit/confd/a=applied"},
			{"", "confd/a", a + "interval = \"1s\"\n", "update:input/net/a keep:input/net/b etcdv3:/datakit/confd/a=applied"},
			{"etcdv3", "confd/a", "[[inputs.net]]\nurl = \"x\"\n", "restart:input/net/a keep:input/net/b etcdv3:/datakit/confd/a=applied"},
			{"etcdv3", "confd/a", "", "stop:input/net/a keep:input/net etcdv3:/datakit/confd/a=empty"},
			{"redis", "confd/a", a, "keep:input/net/a keep:input/net/b redis:/datakit/confd/a=duplicate"},
			{"redis", "confd/c", "[[inputs.cpu]]\n", "start:input/cpu keep:input/net/a keep:input/net/b redis:/datakit/confd/c=applied"},
			{"", "confd/a", "[[inputs.net]]\nurl = 1\n", "keep:input/net/a keep:input/net/b etcdv3:/datakit/confd/a=kept"},
			{"", "confd/c", "[[inputs.net]]\nmode = \"refuse\"\n", "keep:input/net/a keep:input/net/b etcdv3:/datakit/confd/c=rejected"},
			{"", "confd/c", strings.Repeat("#", store.MaxValue+1), "keep:input/net/a keep:input/net/b etcdv3:/datakit/confd/c=rejected"},
			{"none", "confd/c", "[[inputs.cpu]]\n", "start:input/cpu keep:input/net/a keep:input/net/b none:/datakit/confd/c=applied"},
		} {
			if got := shown(w.loop.Try(test.source, []store.Entry{{Key: test.key, Value: test.value}})); got != test.want {
				t.Errorf("%s %s %.40q\ngot  %s\nwant %s", test.source, test.key, test.value, got, test.want)
			}
		}
		if steps := w.log.steps(); len(steps) > 0 {
			t.Errorf("a trial did %q", steps)
		}
		if s := w.loop.Status(); !s.Converged || len(s.Units) != 2 || s.Units[0].Starts != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestTrialOfDeletions(t *testing.T) {
	const a, b = "[[inputs.net]]\nurl = \"a\"\n", "[[inputs.net]]\nurl = \"b\"\n"
	faketime.Test(t, func(t *testing.T) {
		w := started(t, "etcdv3:confd/a", a, "etcdv3:confd/b", b, "redis:confd/a", a)
		defer w.close()
		w.log.steps()
		for _, test := range []struct {
			source string
			put    []store.Entry
			remove []string
			want   string
		}{
			{"etcdv3", nil, []string{"confd/b"}, "stop:input/net/b keep:input/net"},
			{"etcdv3", nil, []string{"confd/a"}, "keep:input/net/a keep:input/net/b"}, // redis has the same
			{"redis", nil, []string{"confd/b"}, "keep:input/net/a keep:input/net/b"},  // is in another store
			{"etcdv3", nil, []string{"confd/nosuch", ""}, "keep:input/net/a keep:input/net/b"},
			{"etcdv3", []store.Entry{{Key: "confd/c", Value: b}}, []string{"confd/b"}, "keep:input/net/c keep:input/net/a etcdv3:/datakit/confd/c=applied"}, // runs on
		} {
			if got := shown(w.loop.Try(test.source, test.put, test.remove...)); got != test.want {
				t.Errorf("%s without %q\ngot  %s\nwant %s", test.source, test.remove, got, test.want)
			}
		}
		if steps := w.log.steps(); len(steps) > 0 {
			t.Errorf("a trial did %q", steps)
		}
	})
}

// Each key of each store is told by its own name, with what of it runs.
func TestKeysOfOneStoreAndTheirLastGoodValues(t *testing.T) {
	const good, bad = "[[inputs.net]]\nurl = \"a\"\n", "[[inputs.net]]\nurl = 1\n"
	faketime.Test(t, func(t *testing.T) {
		w := started(t, "etcdv3:confd/a", good, "redis:confd/a", good)
		defer w.close()
		if _, err := w.stores["etcdv3"].Put(t.Context(), "confd/a", bad, store.Cond{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		keys := w.loop.Keys("etcdv3")
		if k := keys["confd/a"]; len(keys) != 1 || k.State != status.Kept || !strings.Contains(k.Error, ":2:") {
			t.Errorf("etcdv3 has %+v", keys)
		}
		if k := w.loop.Keys("redis")["confd/a"]; k.Store != "redis" || k.State != status.Duplicate {
			t.Errorf("redis has %+v", k)
		}
		if keys := w.loop.Keys("nosuch"); len(keys) != 0 {
			t.Errorf("no such store has %v", keys)
		}
		if g, ok := w.loop.Good("etcdv3", "confd/a"); !ok || g.Value != good {
			t.Errorf("%v %+v runs", ok, g)
		}
		if g, ok := w.loop.Good("etcdv3", "confd/b"); ok {
			t.Errorf("%+v runs", g)
		}
	})
}

// Before its first turn, too, the loop can be asked.
func TestStatusBeforeTheFirstTurn(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		w := newWorld(t.TempDir())
		w.order, w.stores["etcdv3"] = []string{"etcdv3"}, memory.New()
		release := w.stores["etcdv3"].Hang()
		defer w.close()
		if err := w.start(); err != nil {
			t.Fatal(err)
		}
		s := w.loop.Status()
		if s.Converged || s.Generation != 0 || len(s.Stores) != 1 || s.Stores[0].State != status.Connecting || s.Keys == nil || s.Units == nil || s.Stores[0].Nodes == nil {
			t.Errorf("%+v", s)
		}
		release()
		time.Sleep(time.Second)
		synctest.Wait()
		if s := w.loop.Status(); !s.Converged || s.Generation == 0 || s.Stores[0].ReadAt.IsZero() {
			t.Errorf("%+v", s)
		}
	})
}

// Upstream reads and writes its table of inputs without its lock while the status
// is asked for; the race detector holds us to better.
func TestStatusWhileKeysChange(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		w := started(t, "etcdv3:confd/a", "[[inputs.net]]\nurl = \"a\"\n", "redis:confd/b", "[[inputs.cpu]]\n")
		defer w.close()
		var readers sync.WaitGroup
		end := make(chan struct{})
		for range 4 {
			readers.Go(func() {
				for tick := time.NewTicker(100 * time.Millisecond); ; {
					select {
					case <-tick.C:
					case <-end:
						return
					}
					s := w.loop.Status()
					for i := range s.Units { // what was given out is the asker's own
						s.Units[i].ID, s.Stores[0].Nodes = "", nil
					}
					clear(s.Keys)
				}
			})
		}
		for i := range 50 {
			value := fmt.Sprintf("[[inputs.net]]\nurl = \"%d\"\n", i)
			if _, err := w.stores["etcdv3"].Put(t.Context(), "confd/a", value, store.Cond{}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Second)
		}
		close(end)
		readers.Wait()
		s := w.loop.Status()
		if !s.Converged || len(s.Units) != 2 || s.Units[0].ID != "input/cpu" || s.Units[0].Starts != 1 || s.Units[1].ID != "input/net" || s.Units[1].Starts != 51 || s.Keys[0].Key == "" {
			t.Errorf("%+v", s)
		}
	})
}
