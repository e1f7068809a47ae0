// Package changes is the agent's memory of what it did of late: which keys
// changed and what that restarted, which generation came of it, and which units
// and stores went into another state. It is bounded by count and by bytes, and
// holds no secret: whoever adds to it has hidden them.
package changes

import (
	"cmp"
	"slices"
	"sort"
	"sync"
	"time"

	"datakit.dev/internal/status"
)

// Removed is what became of a key that is gone, beside the states that
// [status.KeyState] has for the others.
const Removed status.KeyState = "removed"

// A Kind says what an entry tells.
type Kind string

// The kinds of entries.
const (
	Key        Kind = "change"     // of one key
	Generation Kind = "generation" // a turn was applied
	Unit       Kind = "unit"       // a unit went into another state
	Store      Kind = "store"      // a store went into another state
)

// An Entry is one thing that happened. Exactly one of the pointers is set, as
// Kind says.
type Entry struct {
	ID   uint64      `json:"id"` // grows with time, over restarts of the agent too
	Time status.Time `json:"time"`
	Kind Kind        `json:"kind"`

	Change     *Change     `json:"change,omitempty"`
	Generation uint64      `json:"generation,omitempty"`
	Unit       *UnitState  `json:"unit,omitempty"`
	Store      *StoreState `json:"store,omitempty"`
}

// A Change is what one turn made of one key.
type Change struct {
	Store      string          `json:"store"` // the store's ID: "etcdv3", "etcdv3#2", "local", "default"
	Key        string          `json:"key"`   // with its root
	Revision   string          `json:"revision"`
	Generation uint64          `json:"generation"` // that came of the turn
	State      status.KeyState `json:"state"`      // of the key, or "removed"
	Was        status.KeyState `json:"was"`        // before the turn; "" where there was no such key
	Error      string          `json:"error"`
	Diff       string          `json:"diff"` // unified, without secrets; "" where the value is the same
	Cut        bool            `json:"cut"`  // the difference is longer than what is kept of it
	Steps      []Step          `json:"steps"`
}

// A Step is what a change did to one unit or script.
type Step struct {
	Verb string `json:"verb"` // stop restart update start keep
	Unit string `json:"unit"` // "input/cpu", "script/metric/cpu.p"
	// Nanoseconds is how long the hand-over took, from the first that was done
	// to the old one until the new one runs.
	Nanoseconds int64  `json:"ns"`
	Error       string `json:"error"`
}

// A UnitState is a unit that went into a state.
type UnitState struct {
	ID    string           `json:"id"`
	Kind  string           `json:"kind"`
	State status.UnitState `json:"state"`
	Error string           `json:"error"` // of a failed one
}

// A StoreState is a store that went into a state.
type StoreState struct {
	ID    string            `json:"id"`
	State status.StoreState `json:"state"`
	Error string            `json:"error"`
}

// The bounds of what is kept. Changes of keys have a part of their own, so that
// a unit that fails every second does not push them out.
const (
	MaxChanges = 1000
	MaxStates  = 1000
	maxBytes   = 4 << 20 // of each part
	maxText    = 16 << 10
)

// A Journal keeps the newest entries. Its methods may be called from several
// goroutines; none waits for a reader.
type Journal struct {
	mu      sync.Mutex
	base    uint64 // before the first ID
	last    uint64
	changes ring
	states  ring
	more    chan struct{} // closed, and made anew, when an entry comes
}

// New returns an empty journal. IDs begin with the time, so that those of an
// agent before a restart are known to be of another one, and stay within what
// JavaScript counts exactly.
func New(now time.Time) *Journal {
	base := uint64(max(now.UnixMilli(), 0)) * 1000
	return &Journal{
		base: base, last: base, more: make(chan struct{}),
		changes: ring{limit: MaxChanges, lost: base}, states: ring{limit: MaxStates, lost: base},
	}
}

// Add appends entries and gives them their IDs. Texts over the bound are cut.
func (j *Journal) Add(now time.Time, entries ...Entry) {
	if len(entries) == 0 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range entries {
		j.last++
		e.ID, e.Time = j.last, status.At(now)
		e.bound()
		if e.Kind == Key {
			j.changes.add(e)
		} else {
			j.states.add(e)
		}
	}
	close(j.more)
	j.more = make(chan struct{})
}

// Since returns the entries behind the one with the ID since, oldest first, at
// most limit; those of keys alone where only is set. complete is false where some
// entry behind since is no longer there, or since is of another journal. more is
// closed when a further entry comes.
func (j *Journal) Since(since uint64, limit int, only ...Kind) (entries []Entry, complete bool, more <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	wanted := func(k Kind) bool { return len(only) == 0 || slices.Contains(only, k) }
	complete = since <= j.last
	if !complete {
		since = 0 // of a journal that is not ours
	}
	if wanted(Key) {
		complete = complete && since >= j.changes.lost
		entries = j.changes.since(entries, since, limit, wanted)
	}
	if wanted(Generation) || wanted(Unit) || wanted(Store) {
		complete = complete && since >= j.states.lost
		entries = j.states.since(entries, since, limit, wanted)
	}
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.ID, b.ID) })
	if len(entries) > limit {
		entries = entries[:limit]
	}
	return entries, complete, j.more
}

// Latest returns the last limit changes of keys, oldest first.
func (j *Journal) Latest(limit int) []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := j.changes.entries
	return slices.Clone(all[max(len(all)-limit, 0):])
}

// Before returns the last limit changes of keys ahead of the one with the ID, oldest
// first.
func (j *Journal) Before(id uint64, limit int) []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := j.changes.entries
	end := sort.Search(len(all), func(i int) bool { return all[i].ID >= id })
	return slices.Clone(all[max(end-limit, 0):end])
}

// States returns the last limit entries of units and stores that match wants, oldest
// first.
func (j *Journal) States(limit int, wants func(Entry) bool) []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []Entry
	for _, e := range slices.Backward(j.states.entries) {
		if len(out) == limit {
			break
		}
		if (e.Unit != nil || e.Store != nil) && wants(e) {
			out = append(out, e)
		}
	}
	slices.Reverse(out)
	return out
}

// Last returns the ID of the newest entry; before the first one, a number that
// all IDs are above.
func (j *Journal) Last() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}
