package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"datakit.dev/internal/plan"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
)

// pool are the values that the properties write; true are bad ones.
var pool = map[string]bool{
	cpu: false, cpu5: false, cpuP: false, mem: false, netA: false, netB: false, netA + netB: false, netB + cpu + netA: false,
	"# nothing\n": false, "": false, "# a\n" + netA: false, netA + "interval = \"5s\"\n": false,
	wrong: true, "x": true, "[[inputs.nope]]\n": true, netA + wrong: true,
}

// tree is what the properties edit: the values of each source's keys.
type tree map[Ref]string

func sources() []string { return []string{"etcdv3", "redis", LocalSource} }

// draw edits one key.
func (tr tree) draw(t *rapid.T, values []string) {
	ref := Ref{
		rapid.SampledFrom(sources()).Draw(t, "source"),
		rapid.SampledFrom([]string{"confd/a", "confd/b", "confd/sub/a", "c"}).Draw(t, "key"),
	}
	if rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
		delete(tr, ref)
		return
	}
	tr[ref] = rapid.SampledFrom(values).Draw(t, "value")
}

func (tr tree) source(id string) Source {
	s := named(id)
	for ref, value := range tr {
		if ref.Source == id {
			s.Entries = append(s.Entries, entry(ref.Key, value))
		}
	}
	slices.SortFunc(s.Entries, func(a, b store.Entry) int { return cmp.Compare(a.Key, b.Key) })
	return s
}

func (tr tree) request(cat *Catalog) Request {
	return Request{
		Catalog: cat, Defaults: []string{"cpu", "mem"}, CheckScript: checkScript,
		Local: tr.source(LocalSource), Stores: []Source{tr.source("etcdv3"), tr.source("redis")},
	}
}

func values(bad bool) []string {
	all := slices.Sorted(maps.Keys(pool))
	return slices.DeleteFunc(all, func(v string) bool { return pool[v] && !bad })
}

// shown is a unit without what cannot be compared.
type shown struct {
	ID, Kind, Origin, Hash, Fixed string
	Ref                           Ref
}

func show(units map[string]plan.Unit) map[string]shown {
	out := map[string]shown{}
	for id, u := range units {
		out[id] = shown{u.ID, u.Kind, u.Origin, u.Hash, u.Fixed, u.Body.(*Desired).Ref}
	}
	return out
}

func same(t *rapid.T, what string, got, want any) {
	t.Helper()
	if d := gocmp.Diff(want, got); d != "" {
		t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

// However a tree came about, it asks for the same.
func TestIncrementalEqualsFromScratch(t *testing.T) {
	cat := catalog()
	rapid.Check(t, func(t *rapid.T) {
		tr, state := tree{}, (*State)(nil)
		for range rapid.IntRange(1, 12).Draw(t, "edits") {
			tr.draw(t, values(false))
			var got Result
			got, state = Compile(state, tr.request(cat))
			want, _ := Compile(nil, tr.request(cat))
			same(t, "units", show(got.Units), show(want.Units))
			got.Units, want.Units = nil, nil
			same(t, "result", got, want)
		}
	})
}

// With bad values in it, a tree runs what it would run with each of them put
// back to the key's last good value.
func TestBadValuesChangeNothing(t *testing.T) {
	cat := catalog()
	rapid.Check(t, func(t *rapid.T) {
		tr, good, state := tree{}, tree{}, (*State)(nil)
		for range rapid.IntRange(1, 16).Draw(t, "edits") {
			tr.draw(t, values(true))
			maps.DeleteFunc(good, func(ref Ref, _ string) bool { _, ok := tr[ref]; return !ok })
			for ref, v := range tr {
				if !pool[v] {
					good[ref] = v
				}
			}
			var got Result
			got, state = Compile(state, tr.request(cat))
			want, _ := Compile(nil, good.request(cat))
			same(t, "units", show(got.Units), show(want.Units))
			bad := 0
			for _, k := range got.Keys {
				if k.State == status.Kept || k.State == status.Rejected {
					bad++
				}
			}
			wantBad := 0
			for _, v := range tr {
				if pool[v] {
					wantBad++
				}
			}
			if bad != wantBad || got.Pending != (bad > 0) || len(got.Keys) != len(tr) {
				t.Fatalf("%d of %d keys are told bad, want %d: %+v", bad, len(got.Keys), wantBad, got.Keys)
			}
		}
	})
}

// Upstream's winner among two keys of a singleton changes with every unrelated
// event. Ours is the first one in the fixed order, whatever happened before.
func TestSingletonWinnerDoesNotFlap(t *testing.T) {
	cat := catalog()
	rapid.Check(t, func(t *rapid.T) {
		tr, state := tree{}, (*State)(nil)
		for range rapid.IntRange(1, 12).Draw(t, "edits") {
			tr.draw(t, values(false))
			var r Result
			r, state = Compile(state, tr.request(cat))
			want := ""
			for _, id := range sources()[:2] {
				for _, e := range tr.source(id).Entries {
					if want == "" && strings.Contains(e.Value, "[[inputs.cpu]]") {
						want = id + ":/datakit/" + e.Key
					}
				}
			}
			if want == "" { // the local files go in their order, then the default
				for _, e := range tr.source(LocalSource).Entries {
					if want == "" && strings.Contains(e.Value, "[[inputs.cpu]]") {
						want = "local:conf.d" + strings.TrimPrefix(e.Key, "confd")
						if !strings.HasPrefix(e.Key, "confd") {
							want = "local:conf.d" + e.Key
						}
					}
				}
			}
			if want == "" {
				want = defaultSource
			}
			var got []string
			for _, u := range r.Units {
				if u.Kind == "cpu" {
					got = append(got, u.Origin)
				}
			}
			if len(got) != 1 || got[0] != want {
				t.Fatalf("cpu runs from %q, want %s\n%v", got, want, tr)
			}
		}
	})
}

// No two units are equal, no two share an ID, and a singleton runs once.
func TestWhatRunsIsConsistent(t *testing.T) {
	cat := catalog()
	rapid.Check(t, func(t *rapid.T) {
		tr := tree{}
		for range rapid.IntRange(1, 12).Draw(t, "edits") {
			tr.draw(t, values(true))
		}
		r, _ := Compile(nil, tr.request(cat))
		hashes, kinds := map[string]bool{}, map[string]int{}
		for id, u := range r.Units {
			if id != u.ID || hashes[u.Hash] {
				t.Fatalf("%s runs twice, or is under %s", u.ID, id)
			}
			hashes[u.Hash] = true
			kinds[u.Kind]++
		}
		if kinds["cpu"] != 1 || kinds["mem"] != 1 {
			t.Fatalf("kinds %v", kinds)
		}
		for _, k := range r.Keys {
			if (k.Error == "") != (k.State == status.Applied || k.State == status.Empty) && k.State != status.Applied {
				t.Fatalf("%+v", k)
			}
		}
	})
}

// The last state and the request may be used again: a trial compiles twice.
func TestCompileChangesNoneOfItsInputs(t *testing.T) {
	cat := catalog()
	rapid.Check(t, func(t *rapid.T) {
		tr := tree{}
		for range rapid.IntRange(1, 8).Draw(t, "edits") {
			tr.draw(t, values(true))
		}
		_, prev := Compile(nil, tr.request(cat))
		was := fmt.Sprintf("%+v", render(prev))
		tr.draw(t, values(true))
		req, again := tr.request(cat), tr.request(cat)
		first, _ := Compile(prev, req)
		second, _ := Compile(prev, req)
		if got := fmt.Sprintf("%+v", render(prev)); got != was {
			t.Fatalf("the state was %s\nis %s", was, got)
		}
		same(t, "stores", req.Stores, again.Stores)
		same(t, "local", req.Local, again.Local)
		same(t, "units", show(second.Units), show(first.Units))
		same(t, "keys", second.Keys, first.Keys)
	})
}

func render(s *State) []string {
	var out []string
	for ref, m := range s.keys {
		line := []any{ref, m.seen, m.bad, m.refused, m.idle}
		for _, v := range []*version{m.version, m.good} {
			if v != nil {
				line = append(line, v.entry, v.script)
				for _, in := range v.instances {
					line = append(line, in.hash, in.Values)
				}
			}
		}
		out = append(out, fmt.Sprint(line...))
	}
	slices.Sort(out)
	return out
}
