package e2e

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
	"datakit.dev/internal/stores/all"
	"datakit.dev/internal/testserver"
	"datakit.dev/internal/watch"
)

const fleetSize = 100

// TestMeasureFleet counts what one change costs a store that a hundred agents
// follow. The agents are the part that talks to the store, in one process.
func TestMeasureFleet(t *testing.T) {
	measured(t)
	for _, name := range []string{"etcdv3", "etcd", "redis", "consul", "zookeeper", "nacos"} {
		start, ok := starters()[name]
		if !ok {
			continue
		}
		t.Run(name, func(t *testing.T) { measureFleet(t, start(t)) })
	}
}

func measureFleet(t *testing.T, p place) {
	node := p.values.Strings("nodes")[0]
	_, address, found := strings.Cut(node, "://")
	if !found {
		address = node
	}
	relay := testserver.StartRelay(t, address)
	values := maps.Clone(p.values)
	values["nodes"] = []string{relay.Address}
	for n := range 10 {
		p.put(t, fmt.Sprintf("/datakit/confd/key%d", n), fmt.Sprintf("[[inputs.null]]\n  fields = %d\n", n+1))
	}
	fleet := make([]*watch.Set, fleetSize)
	for i := range fleet {
		fleet[i] = followOnly(t, p.backend, values)
	}
	shown := func(value string) {
		t.Helper()
		for deadline := time.Now().Add(patience); ; pause() {
			behind := slices.IndexFunc(fleet, func(s *watch.Set) bool {
				return !slices.ContainsFunc(s.Views()[0].Snapshot.Entries, func(e store.Entry) bool {
					return strings.HasSuffix(e.Key, "/key3") && strings.Contains(e.Value, value)
				})
			})
			if behind < 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("agent %d does not show it: %s", behind, fleet[behind].Views()[0].Error)
			}
		}
	}
	shown("fields = 4")
	const quiet = 10 * time.Second
	time.Sleep(time.Second)
	before := relay.Traffic()
	time.Sleep(quiet) // what following costs while nothing changes
	idle := relay.Traffic().Minus(before)
	before, began := relay.Traffic(), time.Now()
	p.put(t, "/datakit/confd/key3", "[[inputs.null]]\n  fields = 9\n")
	shown("fields = 9")
	took := time.Since(began)
	time.Sleep(time.Second) // for what an agent does after it has seen the change
	cost := relay.Traffic().Minus(before)
	t.Logf("%s, %d agents, 10 keys: one change seen by all in %v: %d requests, %d bytes up, %d bytes down; %v of quiet: %d requests, %d bytes",
		p.backend, fleetSize, took.Round(time.Millisecond), cost.Requests, cost.Up, cost.Down, quiet, idle.Requests, idle.Up+idle.Down)
}

// followOnly follows a store as an agent does, without running anything.
func followOnly(t *testing.T, backend string, values spec.Values) *watch.Set {
	t.Helper()
	b, err := store.Find(all.All(), backend)
	if err != nil {
		t.Fatal(err)
	}
	v := spec.Defaults(store.Fields())
	maps.Copy(v, values)
	s := watch.NewSet(slog.New(slog.DiscardHandler))
	s.Replace([]watch.Source{{ID: backend, Open: func() (store.Store, error) {
		return b.Open(store.Options{Root: store.RootOf(v), Values: v, Log: slog.New(slog.DiscardHandler)})
	}}}, watch.Options{Timeout: time.Minute, Resync: 5 * time.Minute})
	t.Cleanup(s.Close)
	return s
}

// TestMeasureStores takes the time from a put to the collector that runs it, in
// every store, without debounce. Stores that are polled are looked at every 5 s.
func TestMeasureStores(t *testing.T) {
	measured(t)
	const samples = 20
	for _, name := range slices.Sorted(maps.Keys(starters())) {
		t.Run(name, func(t *testing.T) {
			p := starters()[name](t)
			a := newAgent(t, atOnce(p)).start()
			a.until("the store is followed", func(s status.Status) bool { return s.Converged })
			var took []time.Duration
			for i := range samples + 1 {
				begin := time.Now()
				p.put(t, "/datakit/confd/one", fmt.Sprintf("[[inputs.null]]\n  interval = \"1h\"\n  points = %d\n", i+1))
				a.started("null", uint64(i+1))
				if i > 0 { // the first one starts, the others change
					took = append(took, time.Since(begin))
				}
			}
			t.Logf("put to applied, %s: %s", name, spread(took))
		})
	}
}
