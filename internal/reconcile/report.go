package reconcile

import (
	"maps"
	"slices"
	"strings"

	"datakit.dev/internal/config"
	"datakit.dev/internal/plan"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
	"datakit.dev/internal/watch"
)

// Status returns what the loop knows: stores, keys, units, and whether they
// have come together.
func (r *Reconciler) Status() status.Status {
	views := r.opts.Watch.Views()
	units := r.opts.Supervisor.Units()
	running := r.opts.Supervisor.Running()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := status.Status{
		Generation: r.generation,
		Stores:     make([]status.Store, len(views)),
		Keys:       append([]status.Key{}, r.result.Keys...),
		Units:      units,
		Scripts:    r.scripts(),
		Outputs:    []status.Output{},
		Errors:     append([]string{}, r.local.Errors...),
	}
	for i, v := range views {
		s.Stores[i] = v.Status()
	}
	if r.backupErr != nil {
		s.Errors = append(s.Errors, r.backupErr.Error())
	}
	s.Converged = r.generation > 0 && !r.result.Pending && matches(running, r.result.Units) &&
		slices.Equal(revisions(views), r.seen) &&
		!slices.ContainsFunc(views, func(v watch.View) bool { return !v.Fresh() }) &&
		!slices.ContainsFunc(units, func(u status.Unit) bool { return u.State != status.Running })
	return s
}

// scripts returns the scripts, with what became of the keys that ask for them;
// r.mu is held.
func (r *Reconciler) scripts() []status.Script {
	out := []status.Script{}
	if r.opts.Scripts == nil {
		return out
	}
	out = append(out, r.opts.Scripts.Status()...)
	for _, k := range r.result.Keys {
		category, name, ok := scriptOf(k.Key)
		if !ok || k.State != status.Kept && k.State != status.Rejected {
			continue
		}
		origin := k.Store + ":" + k.Key
		i := slices.IndexFunc(out, func(s status.Script) bool { return s.Origin == origin })
		if i < 0 {
			out = append(out, status.Script{Category: category, Name: name, Namespace: "confd", Origin: origin, State: string(status.Rejected), Error: k.Error})
			continue
		}
		out[i].State, out[i].Error = string(k.State), k.Error
	}
	return out
}

// scriptOf returns the category and name of the script that a key holds.
func scriptOf(key string) (category, name string, ok bool) {
	parts := strings.Split(key, "/")
	n := len(parts)
	if n < 3 || parts[n-3] != "pipeline" {
		return "", "", false
	}
	return parts[n-2], parts[n-1], true
}

// matches reports whether what runs is what is desired.
func matches(running, desired map[string]plan.Unit) bool {
	if len(running) != len(desired) {
		return false
	}
	for id, u := range desired {
		if r, ok := running[id]; !ok || r.Hash != u.Hash {
			return false
		}
	}
	return true
}

// A Trial is a change that is not made: what it would do.
type Trial struct {
	Steps []TrialStep  `json:"steps"`
	Keys  []status.Key `json:"keys"` // of the keys that were tried
}

// A TrialStep is one step of a trial.
type TrialStep struct {
	Verb   plan.Verb `json:"verb"`
	Unit   string    `json:"unit"`
	Kind   string    `json:"kind"`
	Origin string    `json:"origin"`
	Error  string    `json:"error,omitempty"` // why it could not be done
}

// Keys returns what became of the keys of one source, by their names below the
// root.
func (r *Reconciler) Keys(source string) map[string]status.Key {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]status.Key{}
	for i, ref := range r.result.Refs {
		if ref.Source == source {
			out[ref.Key] = r.result.Keys[i]
		}
	}
	return out
}

// Good returns the newest value of a key, below the root, that was taken.
func (r *Reconciler) Good(source, key string) (config.Good, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range r.result.Goods {
		if g.Source == source && g.Short == key {
			return g, true
		}
	}
	return config.Good{}, false
}

// Try says what would start, restart, stop and stay if the keys of entries,
// below the root, had these values in the store with the ID source (the first
// one where it is ""), and those of removed were gone. Instances are made and
// dropped, so that one that cannot start is told too; nothing that runs is
// touched.
func (r *Reconciler) Try(source string, entries []store.Entry, removed ...string) Trial {
	r.turn.Lock()
	defer r.turn.Unlock()
	views := r.opts.Watch.Views()
	r.mu.Lock()
	req, state := r.request(views), r.state
	r.mu.Unlock()
	src := overlay(&req, source, entries, removed)
	req.Refused = map[config.Ref]config.Refusal{}
	res, _, steps := r.compile(req, state)
	r.opts.Supervisor.Discard()

	t := Trial{Steps: []TrialStep{}, Keys: []status.Key{}}
	told := map[string]bool{}
	for _, st := range steps {
		t.Steps = append(t.Steps, TrialStep{Verb: st.Verb, Unit: st.Unit.ID, Kind: st.Unit.Kind, Origin: st.Unit.Origin})
		told[st.Unit.ID] = st.Verb != plan.Stop
	}
	for _, id := range slices.Sorted(maps.Keys(res.Units)) {
		if u := res.Units[id]; !told[id] {
			t.Steps = append(t.Steps, TrialStep{Verb: plan.Keep, Unit: id, Kind: u.Kind, Origin: u.Origin})
		}
	}
	for i, ref := range res.Refs {
		if ref.Source == src.ID && slices.ContainsFunc(entries, func(e store.Entry) bool { return e.Key == ref.Key }) {
			t.Keys = append(t.Keys, res.Keys[i])
		}
	}
	return t
}

// overlay puts entries over those of one store of the request, takes removed away,
// and returns the store.
func overlay(req *config.Request, source string, entries []store.Entry, removed []string) config.Source {
	i := slices.IndexFunc(req.Stores, func(s config.Source) bool { return source == "" || s.ID == source })
	if i < 0 {
		// A store that was not read yet, or none at all: try it as the first.
		req.Stores = slices.Insert(req.Stores, 0, config.Source{ID: source, Backend: source, Root: "/datakit"})
		i = 0
	}
	all := slices.Concat(req.Stores[i].Entries, entries)
	slices.SortStableFunc(all, func(a, b store.Entry) int { return strings.Compare(a.Key, b.Key) })
	var out []store.Entry
	for j, e := range all {
		if j+1 < len(all) && all[j+1].Key == e.Key || slices.Contains(removed, e.Key) {
			continue
		}
		if len(e.Value) > store.MaxValue { // as a read of the store would say
			e.TooLarge, e.Value = len(e.Value), ""
		}
		out = append(out, e)
	}
	req.Stores = slices.Clone(req.Stores)
	req.Stores[i].Entries = out
	return req.Stores[i]
}
