// Package status is what the agent shows of itself: the shapes of /v1/status,
// the words for every state, and a ring of recent events.
package status

import (
	"encoding/json"
	"time"
)

// A Status is the answer of GET /v1/status. Lists are never null.
type Status struct {
	Version    string `json:"version"`
	Hostname   string `json:"hostname"`
	StartedAt  Time   `json:"started_at"`
	Generation uint64 `json:"generation"` // applied snapshots since the start
	// Converged says that what runs is what every store and file asks for: each
	// store was read, each key was taken and each unit runs.
	Converged bool     `json:"converged"`
	Stores    []Store  `json:"stores"`
	Keys      []Key    `json:"keys"`
	Units     []Unit   `json:"units"`
	Scripts   []Script `json:"scripts"`
	Outputs   []Output `json:"outputs"`
	Errors    []string `json:"errors"` // what is wrong with the agent itself: the backup, a local file
	// Recent is what queries can see, nil where no points are kept.
	Recent *Recent `json:"recent,omitempty"`
}

// Recent is what is kept of the last points.
type Recent struct {
	Points       int64  `json:"points"`
	Series       int64  `json:"series"`
	Measurements int    `json:"measurements"`
	Bytes        int64  `json:"bytes"`
	MaxBytes     int64  `json:"max_bytes"`
	Refused      uint64 `json:"refused"` // points that were too old when they came
}

// MarshalJSON implements [json.Marshaler]: a list that was never filled is
// empty, so that a reader may loop over it.
func (s Status) MarshalJSON() ([]byte, error) {
	type plain Status // without this method
	s.Stores, s.Keys, s.Units = list(s.Stores), list(s.Keys), list(s.Units)
	s.Scripts, s.Outputs, s.Errors = list(s.Scripts), list(s.Outputs), list(s.Errors)
	return json.Marshal(plain(s))
}

func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// A StoreState says how a store is followed.
type StoreState string

// The states of a store.
const (
	Connecting StoreState = "connecting" // not read yet
	Watching   StoreState = "watching"   // read, and told of changes
	Polling    StoreState = "polling"    // read, and looked at every interval
	Stale      StoreState = "stale"      // unreadable: its last-known-good runs
	Held       StoreState = "held"       // a mass deletion waits for a second look
	Denied     StoreState = "denied"     // refuses us: its last-known-good runs
	Disabled   StoreState = "disabled"   // enable = false
)

// A Store is one [[confds]].
type Store struct {
	// ID and Root are what keys and origins name the store by; the answer leaves
	// them out.
	ID   string `json:"-"` // "etcdv3", "etcdv3#2"
	Root string `json:"-"` // before each key: "/datakit"

	Backend  string     `json:"backend"`
	Nodes    []string   `json:"nodes"`
	State    StoreState `json:"state"`
	Revision string     `json:"revision"`
	ReadAt   Time       `json:"read_at"` // of the last complete read
	Error    string     `json:"error"`
	Keys     int        `json:"keys"`
}

// MarshalJSON implements [json.Marshaler].
func (s Store) MarshalJSON() ([]byte, error) {
	type plain Store
	s.Nodes = list(s.Nodes)
	return json.Marshal(plain(s))
}

// A KeyState says what became of a key.
type KeyState string

// The states of a key.
const (
	Applied   KeyState = "applied"
	Kept      KeyState = "kept"      // its new value is bad, its last good one runs
	Rejected  KeyState = "rejected"  // bad, and there is no good one
	Duplicate KeyState = "duplicate" // an equal input runs already
	Shadowed  KeyState = "shadowed"  // one that goes first has taken its place
	Singleton KeyState = "singleton" // its kind runs once, and another key was first
	Empty     KeyState = "empty"     // asks for nothing
	Ignored   KeyState = "ignored"   // not one of our keys
)

// A Key is one key of a store, or one local file.
type Key struct {
	Store    string   `json:"store"` // the backend's name; "local" for files under conf.d
	Key      string   `json:"key"`
	Revision string   `json:"revision"`
	State    KeyState `json:"state"`
	Error    string   `json:"error"` // why it is not simply applied
}

// A UnitState says how a unit does.
type UnitState string

// The states of a unit.
const (
	Starting UnitState = "starting"
	Running  UnitState = "running"
	Failed   UnitState = "failed" // waits for its next try, or hangs
	Stopping UnitState = "stopping"
)

// A Unit is one thing that runs.
type Unit struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`
	Origin  string    `json:"origin"`
	State   UnitState `json:"state"`
	Since   Time      `json:"since"`   // in this state
	Starts  uint64    `json:"starts"`  // 1 unless it was restarted
	Updates uint64    `json:"updates"` // changes taken in place
	Gathers uint64    `json:"gathers"`
	// LastGather is when the last collection ended, NextGather when the next tick
	// is, or the next try of a unit that failed. Both are zero where the input
	// paces itself.
	LastGather Time   `json:"last_gather"`
	NextGather Time   `json:"next_gather"`
	Missed     uint64 `json:"missed"` // ticks that a slow gather left out
	Points     uint64 `json:"points"`
	Errors     uint64 `json:"errors"`
	LastError  string `json:"last_error"`
}

// A Script is one pipeline script.
type Script struct {
	Category  string `json:"category"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Origin    string `json:"origin"`
	State     string `json:"state"` // active kept shadowed rejected
	Runs      uint64 `json:"runs"`
	Drops     uint64 `json:"drops"`
	Errors    uint64 `json:"errors"`
	// Nanoseconds is the time that all runs took together.
	Nanoseconds uint64 `json:"ns"`
	Error       string `json:"error"`
}

// An Output is one destination and the queue before it.
type Output struct {
	Name        string `json:"name"`
	QueuePoints int    `json:"queue_points"`
	QueueBytes  int    `json:"queue_bytes"`
	Written     uint64 `json:"written"` // points
	Dropped     uint64 `json:"dropped"` // points
	Retries     uint64 `json:"retries"`
	LastError   string `json:"last_error"`
}

// A Time is a time in UTC that is "" in JSON where it is zero.
type Time struct{ time.Time }

// At returns t as a Time.
func At(t time.Time) Time { return Time{t.UTC()} }

// MarshalJSON implements [json.Marshaler].
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte(`""`), nil
	}
	return t.Time.UTC().MarshalJSON()
}

// UnmarshalJSON implements [json.Unmarshaler].
func (t *Time) UnmarshalJSON(b []byte) error {
	if string(b) == `""` {
		*t = Time{}
		return nil
	}
	return t.Time.UnmarshalJSON(b)
}
