package config

import (
	"slices"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/input"
	"datakit.dev/internal/plan"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
)

// catalog returns the default kinds: net runs any number of times, cpu and mem once.
func catalog() *Catalog {
	return NewCatalog([]input.Plugin{
		{Name: "cpu", Aliases: []string{"host_cpu"}, Singleton: true, Options: []spec.Field{{Name: "percpu", Type: spec.Bool}}},
		{Name: "mem", Singleton: true},
		{Name: "disk"},
		{Name: "diskio"},
		{Name: "swap"},
		{Name: "system"},
		{Name: "processes"},
		{Name: "net", Options: []spec.Field{
			{Name: "url", Type: spec.String},
			{Name: "community", Type: spec.String, Secret: true},
			{Name: "retries", Type: spec.Int, Default: int64(1), Min: int64(0), Max: int64(9)},
			{Name: "ratio", Type: spec.Float},
			{Name: "servers", Type: spec.Strings},
			{Name: "login", Type: spec.Table, Fields: []spec.Field{
				{Name: "user", Type: spec.String}, {Name: "phrase", Type: spec.String, Secret: true},
			}},
		}},
	})
}

// checkScript takes every script but those that say "bad".
func checkScript(_ point.Category, _, text string) diag.List {
	if i := strings.Index(text, "bad"); i >= 0 {
		return diag.List{{Pos: diag.At(text, i), Message: "expected an expression"}}
	}
	return nil
}

// entry returns a key with its value; the value names its own revision.
func entry(key, value string) store.Entry {
	return store.Entry{Key: key, Value: value, Revision: store.Revision("r" + value)}
}

// etcd returns a store whose keys and values are pairs of kv.
func etcd(kv ...string) Source { return named("etcdv3", kv...) }

func named(id string, kv ...string) Source {
	s := Source{ID: id, Backend: id, Root: "/datakit"}
	for pair := range slices.Chunk(kv, 2) {
		s.Entries = append(s.Entries, entry(pair[0], pair[1]))
	}
	return s
}

func files(kv ...string) Source {
	s := named(LocalSource, kv...)
	s.Root = ""
	return s
}

func request(stores ...Source) Request {
	return Request{Catalog: catalog(), Stores: stores, CheckScript: checkScript}
}

// a world is a request with the state that one compilation hands to the next.
type world struct {
	t     *testing.T
	state *State
}

func (w *world) compile(req Request) Result {
	w.t.Helper()
	r, next := Compile(w.state, req)
	w.state = next
	return r
}

func compile(req Request) Result {
	r, _ := Compile(nil, req)
	return r
}

// running renders what should run: "id=origin", sorted.
func running(r Result) string {
	var out []string
	for id, u := range r.Units {
		out = append(out, id+"="+u.Origin)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// states renders what became of the keys, in order.
func states(r Result) string {
	var out []string
	for _, k := range r.Keys {
		out = append(out, k.Key+":"+string(k.State))
	}
	return strings.Join(out, " ")
}

func keyOf(t *testing.T, r Result, key string) status.Key {
	t.Helper()
	i := slices.IndexFunc(r.Keys, func(k status.Key) bool { return k.Key == key })
	if i < 0 {
		t.Fatalf("no key %s in %s", key, states(r))
	}
	return r.Keys[i]
}

func wantRunning(t *testing.T, r Result, want string) {
	t.Helper()
	if got := running(r); got != want {
		t.Errorf("running %q\nwant    %q\nkeys %+v", got, want, r.Keys)
	}
}

func wantStates(t *testing.T, r Result, want string) {
	t.Helper()
	if got := states(r); got != want {
		t.Errorf("keys %q\nwant %q", got, want)
	}
}

// unit returns the only unit of a kind.
func unit(t *testing.T, r Result, kind string) plan.Unit {
	t.Helper()
	for _, u := range r.Units {
		if u.Kind == kind {
			return u
		}
	}
	t.Fatalf("no %s in %s", kind, running(r))
	return plan.Unit{}
}

func interval(u plan.Unit) time.Duration { return u.Body.(*Desired).Pace() }
