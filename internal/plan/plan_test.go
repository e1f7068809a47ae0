package plan

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// units draws a set of units from a small world, so that equal IDs, equal
// configurations under other IDs and in-place differences all come up often.
func units(t *rapid.T, label string) map[string]Unit {
	m := map[string]Unit{}
	for _, id := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-e]`), 0, 5, rapid.ID[string]).Draw(t, label) {
		kind := rapid.SampledFrom([]string{"cpu", "net"}).Draw(t, "kind")
		fixed := kind + rapid.SampledFrom([]string{"x", "y"}).Draw(t, "fixed")
		m[id] = Unit{ID: id, Kind: kind, Fixed: fixed, Hash: fixed + rapid.SampledFrom([]string{"1", "2"}).Draw(t, "live")}
	}
	return m
}

// apply does what a supervisor does with the steps.
func apply(t *rapid.T, running map[string]Unit, steps []Step) map[string]Unit {
	left, out := maps.Clone(running), map[string]Unit{}
	for _, s := range steps {
		if s.Verb != Start {
			if _, ok := left[s.Was]; !ok {
				t.Fatalf("%v works on a unit that is not there", s)
			}
			delete(left, s.Was)
		}
		if s.Verb != Stop {
			out[s.Unit.ID] = s.Unit
		}
	}
	maps.Copy(out, left)
	return out
}

func TestDiffConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		running, desired := units(t, "running"), units(t, "desired")
		if got := apply(t, running, Diff(running, desired)); !maps.Equal(got, desired) {
			t.Fatalf("got %v, want %v", got, desired)
		}
		for _, s := range Diff(desired, desired) {
			if s.Touches() {
				t.Fatalf("not idempotent: %v", s)
			}
		}
	})
}

// As many units run on as there are equal configurations on both sides,
// whatever their IDs: nothing is stopped that could have stayed.
func TestDiffKeepsAllThatCanStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		running, desired := units(t, "running"), units(t, "desired")
		count := func(m map[string]Unit) map[string]int {
			n := map[string]int{}
			for _, u := range m {
				n[u.Hash]++
			}
			return n
		}
		want, have := 0, count(running)
		for h, n := range count(desired) {
			want += min(n, have[h])
		}
		kept := len(desired)
		for _, s := range Diff(running, desired) {
			if s.Touches() && s.Verb != Stop {
				kept--
			}
		}
		if kept != want {
			t.Fatalf("kept %d, could keep %d", kept, want)
		}
	})
}

func TestDiffPicksTheGentlestVerb(t *testing.T) {
	unit := func(id, kind, fixed, live string) Unit {
		return Unit{ID: id, Kind: kind, Fixed: kind + fixed, Hash: kind + fixed + live}
	}
	set := func(us ...Unit) map[string]Unit {
		m := map[string]Unit{}
		for _, u := range us {
			m[u.ID] = u
		}
		return m
	}
	for _, c := range []struct {
		name             string
		running, desired map[string]Unit
		want             []string
	}{
		{"tags change in place", set(unit("a", "cpu", "x", "1")), set(unit("a", "cpu", "x", "2")), []string{"update a->a"}},
		{"an option restarts", set(unit("a", "cpu", "x", "1")), set(unit("a", "cpu", "y", "1")), []string{"restart a->a"}},
		{"a value moves to another key", set(unit("a", "cpu", "x", "1")), set(unit("b", "cpu", "x", "1")), []string{"keep a->b"}},
		{"two keys swap their values", set(unit("a", "cpu", "x", "1"), unit("b", "cpu", "y", "1")), set(unit("a", "cpu", "y", "1"), unit("b", "cpu", "x", "1")), []string{"keep b->a", "keep a->b"}},
		{"a key changes its kind", set(unit("a", "cpu", "x", "1")), set(unit("a", "net", "x", "1")), []string{"stop a->a", "start ->a"}},
		{"stops go first", set(unit("z", "cpu", "x", "1")), set(unit("a", "net", "x", "1")), []string{"stop z->z", "start ->a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, s := range Diff(c.running, c.desired) {
				got = append(got, fmt.Sprintf("%s %s->%s", s.Verb, s.Was, s.Unit.ID))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
