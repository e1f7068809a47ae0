package e2e

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/status"
)

// `make soak` sets these; without a time the soak is skipped.
var (
	soakFor    = flag.Duration("soak", 0, "how long the soak changes keys")
	soakEvery  = flag.Duration("soak-every", 70*time.Second, "time between two changes")
	soakStores = flag.String("soak-stores", "etcdv3,redis,zookeeper,file", "stores that the agents follow, all at once")
)

const (
	soakAgents = 5
	soakKeys   = 8 // of each store

	recentPoints = 32e6 // bytes that these may fill, in the course of an hour
)

// A field is what the soak has written: what has to run at the end.
type field struct {
	places []place
	good   map[string]int // the value that runs, by key; absent where nothing does
	there  map[string]bool
	writes int
}

// name is how a key is called: each store has its own, so that none overlays
// another's.
func soakKey(p place, n int) string { return fmt.Sprintf("/datakit/confd/%s-%d", p.backend, n) }

// change writes, breaks or removes one key somewhere.
func (f *field) change(t *testing.T) {
	p := f.places[rand.IntN(len(f.places))]
	key := soakKey(p, rand.IntN(soakKeys))
	f.writes++
	switch roll := rand.IntN(10); {
	case roll == 0 && f.there[key]:
		p.remove(t, key)
		delete(f.good, key)
		delete(f.there, key)
	case roll == 1: // a bad value keeps what runs, and a new key of it runs nothing
		p.put(t, key, fmt.Sprintf("[[inputs.null]]\n  pointss = %d\n", f.writes))
		f.there[key] = true
	case roll == 2:
		p.put(t, "/datakit/pipeline/metric/null.p", fmt.Sprintf("add_key(soaked, %d)\n", f.writes))
	default:
		p.put(t, key, soakValue(key, f.writes))
		f.good[key], f.there[key] = f.writes, true
	}
}

// soakValue is one input; every second change of it asks for a restart, the
// others change its tags in place.
func soakValue(key string, n int) string {
	return fmt.Sprintf("[[inputs.null]]\n  interval = \"1s\"\n  fields = %d\n  [inputs.null.tags]\n    key = %q\n    write = \"%d\"\n", 1+n/2%10, key, n)
}

// TestSoak has five agents follow several real stores that change all the time,
// and asks at the end whether every one of them runs what was written last, and
// is no larger than after the first tenth.
func TestSoak(t *testing.T) {
	if *soakFor == 0 {
		t.Skip("a soak: run `make soak`")
	}
	f := &field{good: map[string]int{}, there: map[string]bool{}}
	for name := range strings.SplitSeq(*soakStores, ",") {
		start, ok := starters()[name]
		if !ok {
			t.Fatalf("-soak-stores: no %q", name)
		}
		f.places = append(f.places, start(t))
	}
	agents := make([]*agent, soakAgents)
	for i := range agents {
		agents[i] = newAgent(t, atOnce(f.places...)).start()
	}
	began := time.Now()
	f.changeFor(t, *soakFor/10)
	before := weigh(t, agents)
	f.changeFor(t, *soakFor-time.Since(began))
	for i, a := range agents {
		f.check(t, a)
		w := weigh(t, agents[i:i+1])[0]
		t.Logf("agent %d after %d changes in %v: %v, and %v after a tenth", i, f.writes, time.Since(began).Round(time.Second), w, before[i])
		if w.goroutines > before[i].goroutines+20 || w.files > before[i].files+20 || w.heap > 2*before[i].heap+recentPoints+16e6 {
			t.Errorf("agent %d has grown", i)
		}
	}
}

func (f *field) changeFor(t *testing.T, d time.Duration) {
	tick := time.NewTicker(*soakEvery)
	defer tick.Stop()
	for end := time.Now().Add(d); time.Now().Before(end); <-tick.C {
		f.change(t)
	}
}

// check waits until a runs what was written last, and nothing else.
func (f *field) check(t *testing.T, a *agent) {
	t.Helper()
	want := slices.Sorted(maps.Keys(f.good))
	a.until("every key that is good runs", func(s status.Status) bool {
		var got []string
		for _, u := range s.Units {
			_, key, _ := strings.Cut(u.Origin, ":")
			if u.State == status.Running {
				got = append(got, key)
			}
		}
		slices.Sort(got)
		return slices.Equal(got, want)
	})
	for key, n := range f.good {
		a.untilPoint(fmt.Sprintf("%s as written %d", key, n), tagged("null", "write", strconv.Itoa(n)))
	}
}

// A weight is what an agent holds.
type weight struct{ goroutines, files, heap, rss float64 }

func (w weight) String() string {
	return fmt.Sprintf("%.0f goroutines, %.0f files, %.1f MB heap in use, RSS %.1f MB", w.goroutines, w.files, w.heap/1e6, w.rss/1e6)
}

func weigh(t *testing.T, agents []*agent) []weight {
	out := make([]weight, len(agents))
	for i, a := range agents {
		out[i] = weight{goroutines: a.gauge("go_goroutines"), heap: a.gauge("go_memstats_heap_inuse_bytes")}
		pid := a.cmd.Process.Pid
		if files, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "fd")); err == nil {
			out[i].files = float64(len(files))
		}
		out[i].rss, _ = usage(t, pid)
	}
	return out
}
