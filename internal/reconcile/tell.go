package reconcile

import (
	"regexp"
	"time"

	"datakit.dev/internal/config"
	"datakit.dev/internal/diag"
	"datakit.dev/internal/plan"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/status"
	"datakit.dev/internal/status/changes"
	"datakit.dev/internal/supervise"
	"datakit.dev/internal/watch"
)

// turn is one turn, done: what was before it, what is now, and how it came.
type turn struct {
	was, is    config.Result
	keys       []config.KeyChange   // between the two
	running    map[string]plan.Unit // before it
	reports    []supervise.Report
	swapped    time.Duration // what replacing the scripts took
	news       bool          // it made a generation
	generation uint64
}

// maxWarned bounds the warnings of one turn: ten thousand bad keys are told by
// the status, and fill no disk.
const maxWarned = 100

// warn logs the keys that are bad now, once for each of their values: who looks
// into the log because nothing changed has to find why.
func (r *Reconciler) warn(t turn) {
	bad := 0
	for _, k := range t.keys {
		if k.Removed || k.Key.State != status.Kept && k.Key.State != status.Rejected {
			continue
		}
		if bad++; bad <= maxWarned {
			r.opts.Log.Warn("a key is bad", "key", diag.OneLine(k.Ref.Source+":"+k.Key.Key), "state", k.Key.State, "error", reason(k.Key))
		}
	}
	if bad > maxWarned {
		r.opts.Log.Warn("more keys are bad; the status names them", "keys", bad-maxWarned)
	}
}

// tell writes the turn into the journal: each key that changed with what that did,
// then the stores that went into another state, then the generation.
func (r *Reconciler) tell(t turn, views []watch.View) {
	if r.opts.Changes == nil {
		return
	}
	entries := append(t.entries(r.opts.Catalog), r.storesTold(views)...)
	if t.news {
		entries = append(entries, changes.Entry{Kind: changes.Generation, Generation: t.generation})
	}
	r.opts.Changes.Add(time.Now(), entries...)
}

// storesTold returns the stores whose state is not what was told last.
func (r *Reconciler) storesTold(views []watch.View) (out []changes.Entry) {
	told := make(map[string]status.StoreState, len(views))
	for _, v := range views {
		now := v.Status()
		told[v.Source.ID] = now.State
		if last, ok := r.told[v.Source.ID]; !ok || last != now.State {
			out = append(out, changes.Entry{Kind: changes.Store, Store: &changes.StoreState{
				ID: v.Source.ID, State: now.State, Error: shown(now.Error),
			}})
		}
	}
	r.told = told
	return out
}

// entries returns what the turn made of each key. Of more keys than the journal
// keeps only the last are worth their differences.
func (t turn) entries(cat *config.Catalog) []changes.Entry {
	steps := t.steps()
	keys := t.keys
	told := make(map[config.Ref]bool, len(keys))
	for _, k := range keys {
		told[k.Ref] = true
	}
	keys = keys[max(len(keys)-changes.MaxChanges, 0):]
	out := make([]changes.Entry, 0, len(keys))
	for _, k := range keys {
		c := &changes.Change{
			Store: k.Ref.Source, Key: k.Key.Key, Revision: k.Key.Revision, Generation: t.generation,
			State: k.Key.State, Was: k.Was, Error: reason(k.Key), Diff: k.Diff(cat), Steps: t.all(steps, k.Ref),
		}
		if k.Removed {
			c.State, c.Error = changes.Removed, ""
		}
		out = append(out, changes.Entry{Kind: changes.Key, Change: c})
	}
	return append(out, t.others(steps, told)...)
}

// step is one step of the turn and the keys that it is about: the one that the
// new unit comes from, and the one that the old unit came from.
type step struct {
	changes.Step
	new, old config.Ref
}

// concerns reports whether the step is about the key ref.
func (s step) concerns(ref config.Ref) bool { return s.new == ref || s.old == ref }

func (t turn) steps() []step {
	out := make([]step, 0, len(t.reports))
	for _, rep := range t.reports {
		s := step{Step: changes.Step{Verb: string(rep.Step.Verb), Unit: rep.Step.Unit.ID, Nanoseconds: rep.Took.Nanoseconds()}}
		if rep.Err != nil {
			s.Error = shown(rep.Err.Error())
		}
		if rep.Step.Verb != plan.Stop {
			s.new = refOf(rep.Step.Unit)
		}
		if was, ok := t.running[rep.Step.Was]; ok {
			s.old = refOf(was)
		}
		out = append(out, s)
	}
	return append(out, t.scripts()...)
}

func refOf(u plan.Unit) config.Ref {
	if d, ok := u.Body.(*config.Desired); ok {
		return d.Ref
	}
	return config.Ref{}
}

// scripts returns what became of the scripts: they are swapped in place, all at
// once.
func (t turn) scripts() (out []step) {
	add := func(verb plan.Verb, s config.Script, now, old config.Ref) {
		out = append(out, step{changes.Step{
			Verb: string(verb), Unit: "script/" + string(s.Category) + "/" + s.Name, Nanoseconds: t.swapped.Nanoseconds(),
		}, now, old})
	}
	type name struct{ category, name string }
	old := map[name]config.Script{}
	for _, s := range t.was.Scripts {
		old[name{string(s.Category), s.Name}] = s
	}
	for _, s := range t.is.Scripts {
		id := name{string(s.Category), s.Name}
		was, known := old[id]
		delete(old, id)
		switch {
		case !known:
			add(plan.Start, s, s.Ref, config.Ref{})
		case was.Text != s.Text:
			add(plan.Update, s, s.Ref, was.Ref)
		case was.Ref != s.Ref:
			add(plan.Keep, s, s.Ref, was.Ref)
		}
	}
	for _, s := range t.was.Scripts {
		if _, gone := old[name{string(s.Category), s.Name}]; gone {
			add(plan.Stop, s, config.Ref{}, s.Ref)
		}
	}
	return out
}

// all returns the steps that are about the key ref.
func (turn) all(steps []step, ref config.Ref) []changes.Step {
	out := []changes.Step{}
	for _, s := range steps {
		if s.concerns(ref) {
			out = append(out, s.Step)
		}
	}
	return out
}

// others returns entries for the steps that no changed key tells: of default
// inputs, and of keys that took a place which another one left.
func (t turn) others(steps []step, told map[config.Ref]bool) (out []changes.Entry) {
	at, index := map[config.Ref]*changes.Change{}, map[config.Ref]status.Key{}
	for i, ref := range t.is.Refs {
		index[ref] = t.is.Keys[i]
	}
	for _, s := range steps {
		ref := s.new
		if ref == (config.Ref{}) {
			ref = s.old
		}
		if told[s.new] || told[s.old] || ref == (config.Ref{}) {
			continue
		}
		c := at[ref]
		if c == nil {
			c = &changes.Change{Store: ref.Source, Key: ref.Key, Generation: t.generation, State: status.Applied}
			if k, ok := index[ref]; ok {
				c.Key, c.Revision, c.State, c.Was = k.Key, k.Revision, k.State, k.State
			}
			at[ref] = c
			out = append(out, changes.Entry{Kind: changes.Key, Change: c})
		}
		c.Steps = append(c.Steps, s.Step)
	}
	return out
}

// got matches what a script has where something else was expected, which the error
// of its compiler quotes: that may be a password.
var got = regexp.MustCompile(`got "(?:[^"\\]|\\.)*"`)

// reason returns why a key is in its state, as one line without passwords.
func reason(k status.Key) string {
	if _, _, ok := scriptOf(k.Key); ok {
		return got.ReplaceAllString(shown(k.Error), `got "…"`)
	}
	return shown(k.Error)
}

// shown returns an error as one line without passwords.
func shown(text string) string { return diag.OneLine(spec.RedactURL(text)) }
