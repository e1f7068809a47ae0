package api

import (
	"net/http"
	"sync"
	"time"

	"datakit.dev/internal/status"
)

// The bounds of ticks. All readers are told the same sample, so that many pages
// cost hardly more than one, and none at all costs nothing.
const (
	tickEvery    = 2 * time.Second
	maxTickUnits = 500 // that one tick names; the totals count all of them
)

// The data of a tick: what grows without anything else happening.
type (
	tick struct {
		Time status.Time `json:"time"`
		// The totals of all units and of all outputs.
		Gathers     uint64          `json:"gathers"`
		Points      uint64          `json:"points"`
		Errors      uint64          `json:"errors"`
		Written     uint64          `json:"written"`
		Dropped     uint64          `json:"dropped"`
		QueuePoints int             `json:"queue_points"`
		Stores      []tickStore     `json:"stores"`
		Units       []tickUnit      `json:"units"` // that have done something since the last tick of this stream
		Outputs     []status.Output `json:"outputs"`
		Recent      *status.Recent  `json:"recent"` // null where no points are kept
	}
	tickStore struct {
		ID     string      `json:"id"`   // as changes name it: etcdv3#2
		Root   string      `json:"root"` // before each key
		ReadAt status.Time `json:"read_at"`
	}
	tickUnit struct {
		ID         string      `json:"id"`
		Gathers    uint64      `json:"gathers"`
		Points     uint64      `json:"points"`
		Errors     uint64      `json:"errors"`
		Missed     uint64      `json:"missed"`
		LastGather status.Time `json:"last_gather"`
		NextGather status.Time `json:"next_gather"`
	}
)

// sampler makes a sample of the agent no more often than tickEvery.
type sampler struct {
	mu    sync.Mutex
	at    time.Time
	last  tick
	units []tickUnit
}

// sample returns the totals, and every unit.
func (s *sampler) sample(a Agent, now time.Time) (tick, []tickUnit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at.IsZero() || now.Sub(s.at) >= tickEvery/2 {
		s.at = now
		s.last, s.units = sampleOf(a.Status(), now)
	}
	return s.last, s.units
}

func sampleOf(st status.Status, now time.Time) (tick, []tickUnit) {
	t := tick{Time: status.At(now), Stores: []tickStore{}, Outputs: append([]status.Output{}, st.Outputs...), Recent: st.Recent}
	units := make([]tickUnit, len(st.Units))
	for i, u := range st.Units {
		units[i] = tickUnit{u.ID, u.Gathers, u.Points, u.Errors, u.Missed, u.LastGather, u.NextGather}
		t.Gathers, t.Points, t.Errors = t.Gathers+u.Gathers, t.Points+u.Points, t.Errors+u.Errors
	}
	for _, o := range st.Outputs {
		t.Written, t.Dropped, t.QueuePoints = t.Written+o.Written, t.Dropped+o.Dropped, t.QueuePoints+o.QueuePoints
	}
	for _, x := range st.Stores {
		t.Stores = append(t.Stores, tickStore{x.ID, x.Root, x.ReadAt})
	}
	return t, units
}

// ticks are those of one stream.
type ticks struct {
	C      <-chan time.Time // nil, which never comes, where none are wanted
	server *Server
	known  map[string]tickUnit
}

// ticksFor returns the ticks that req asks for.
func (s *Server) ticksFor(req *http.Request) (t *ticks, stop func()) {
	t = &ticks{server: s, known: map[string]tickUnit{}}
	if want := req.URL.Query().Get("ticks"); want != "true" && want != "1" {
		return t, func() {}
	}
	ticker := time.NewTicker(tickEvery)
	t.C = ticker.C
	return t, ticker.Stop
}

// next returns the totals, and the units that have done something since.
func (t *ticks) next() tick {
	out, units := t.server.sampler.sample(t.server.opts.Agent, time.Now())
	out.Units = []tickUnit{}
	for _, u := range units {
		if len(out.Units) == maxTickUnits {
			break // the others come with the next ticks
		}
		if t.known[u.ID] != u {
			t.known[u.ID] = u
			out.Units = append(out.Units, u)
		}
	}
	if len(t.known) > len(units) {
		t.forget(units)
	}
	return out
}

// forget drops what is known of units that are gone.
func (t *ticks) forget(units []tickUnit) {
	there := make(map[string]bool, len(units))
	for _, u := range units {
		there[u.ID] = true
	}
	for id := range t.known {
		if !there[id] {
			delete(t.known, id)
		}
	}
}
