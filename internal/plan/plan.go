// Package plan says what must change so that what runs becomes what is
// desired. It is pure: no clock, no goroutine, no I/O.
package plan

import (
	"maps"
	"slices"
)

// A Unit is one thing that runs: an input, an output.
type Unit struct {
	ID     string // "input/cpu"; unique among the desired units
	Kind   string // "cpu"
	Origin string // the store and key, or the file, that asks for it
	Hash   string // of its whole decoded configuration and its kind
	Fixed  string // of that configuration without what changes in place
	Body   any    // what starting it takes; not compared
}

// A Verb is what to do with one unit.
type Verb string

// The verbs, in the order in which a plan applies them.
const (
	Stop    Verb = "stop"
	Restart Verb = "restart"
	Update  Verb = "update" // in place: nothing stops
	Start   Verb = "start"
	Keep    Verb = "keep" // runs on under another ID or origin
)

// A Step is one verb on one unit. Was is the ID of the running unit that the
// step works on; it is empty for Start and equals Unit.ID for Stop.
type Step struct {
	Verb Verb
	Unit Unit
	Was  string
}

// Touches reports whether the step does anything to what runs.
func (s Step) Touches() bool { return s.Verb != Keep }

// Diff returns the steps from running to desired, both by ID: every stop first,
// so that a port or a file is free before its new owner starts; then by verb
// and ID. A unit that is simply the same has no step.
//
// A running unit is paired with the desired one of the same whole
// configuration, then with the one that differs only in what changes in place,
// then with the one of the same kind and origin, then with the one of the same
// ID; within a round the same ID goes first. So a configuration that moves to
// another key or another store runs on.
func Diff(running, desired map[string]Unit) []Step {
	d := open(running, desired)
	changed := slices.Sorted(maps.Keys(d.desired))
	d.pairByID(func(r, w Unit) bool { return r.Hash == w.Hash })
	d.pairBy(func(u Unit) string { return u.Hash })
	d.pairByID(func(r, w Unit) bool { return r.Fixed == w.Fixed })
	d.pairBy(func(u Unit) string { return u.Fixed })
	d.pairBy(func(u Unit) string { return u.Kind + "\x00" + u.Origin })
	d.pairByID(func(r, w Unit) bool { return r.Kind == w.Kind })

	steps := make([]Step, 0, len(d.running)+len(changed))
	for _, id := range slices.Sorted(maps.Keys(d.running)) {
		steps = append(steps, Step{Stop, d.running[id], id})
	}
	verbs := make(map[string]Verb, len(changed))
	for _, id := range changed {
		verbs[id] = verb(running, desired[id], d.pairs)
	}
	for _, v := range []Verb{Restart, Update, Start} {
		for _, id := range changed {
			if verbs[id] == v {
				steps = append(steps, Step{v, desired[id], d.pairs[id]})
			}
		}
	}
	for _, id := range changed {
		if verbs[id] == Keep {
			steps = append(steps, Step{Keep, desired[id], d.pairs[id]})
		}
	}
	return steps
}

// same reports whether nothing of a unit is to be done or told.
func same(running, want Unit) bool {
	return running.Hash == want.Hash && running.Origin == want.Origin
}

// open returns what is not simply the same: of ten thousand units, those few
// that change.
func open(running, desired map[string]Unit) differ {
	d := differ{running: map[string]Unit{}, desired: map[string]Unit{}, pairs: map[string]string{}}
	for id, r := range running {
		if want, ok := desired[id]; !ok || !same(r, want) {
			d.running[id] = r
		}
	}
	for id, want := range desired {
		if r, ok := running[id]; !ok || !same(r, want) {
			d.desired[id] = want
		}
	}
	return d
}

func verb(running map[string]Unit, want Unit, pairs map[string]string) Verb {
	was, ok := pairs[want.ID]
	switch {
	case !ok:
		return Start
	case running[was].Hash == want.Hash:
		return Keep
	case running[was].Fixed == want.Fixed:
		return Update
	}
	return Restart
}

// differ holds what is not paired yet.
type differ struct {
	running, desired map[string]Unit
	pairs            map[string]string // desired ID to running ID
}

func (d *differ) pair(desired, running string) {
	d.pairs[desired] = running
	delete(d.desired, desired)
	delete(d.running, running)
}

func (d *differ) pairByID(same func(running, want Unit) bool) {
	for id, want := range d.desired {
		if r, ok := d.running[id]; ok && same(r, want) {
			d.pair(id, id)
		}
	}
}

// pairBy pairs what has the same key, in order of ID where several do.
func (d *differ) pairBy(key func(Unit) string) {
	if len(d.running) == 0 || len(d.desired) == 0 {
		return
	}
	free := map[string][]string{}
	for _, id := range slices.Sorted(maps.Keys(d.running)) {
		k := key(d.running[id])
		free[k] = append(free[k], id)
	}
	for _, id := range slices.Sorted(maps.Keys(d.desired)) {
		k := key(d.desired[id])
		if len(free[k]) > 0 {
			d.pair(id, free[k][0])
			free[k] = free[k][1:]
		}
	}
}
