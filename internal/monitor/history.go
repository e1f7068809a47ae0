package monitor

import (
	"time"

	"datakit.dev/internal/status"
)

// A rate is that of the last rateWindow, so that a unit which gathers every ten
// seconds shows a steady one. A sample is kept every sampleEvery.
const (
	rateWindow  = time.Minute
	sampleEvery = 5 * time.Second
)

// sample is the counters at one time, by what counts: "unit/input/cpu".
type sample struct {
	at       time.Time
	counters map[string]uint64
}

// history is the samples of the last rateWindow, oldest first. The newest one
// always counts; those before it are sampleEvery apart.
type history struct {
	started time.Time // of the agent
	samples []sample
}

// add takes the counters of s. Another start of the agent is another history.
func (h *history) add(s status.Status, at time.Time) {
	if !h.started.Equal(s.StartedAt.Time) {
		*h = history{started: s.StartedAt.Time}
	}
	n := len(h.samples)
	if n > 0 && !at.After(h.samples[n-1].at) {
		return // a clock that was set back: no time has passed that could divide
	}
	if n > 1 && h.samples[n-1].at.Sub(h.samples[n-2].at) < sampleEvery {
		h.samples = h.samples[:n-1]
	}
	for len(h.samples) > 1 && at.Sub(h.samples[0].at) > rateWindow {
		h.samples = h.samples[1:]
	}
	h.samples = append(h.samples, sample{at, counters(s)})
}

func counters(s status.Status) map[string]uint64 {
	c := make(map[string]uint64, len(s.Units)+len(s.Outputs)+1)
	for _, u := range s.Units {
		c["unit/"+u.ID] = u.Points
		c[""] += u.Points
	}
	for _, o := range s.Outputs {
		c["output/"+o.Name] = o.Written
	}
	for _, sc := range s.Scripts {
		c["script/"+scriptID(sc)] += sc.Runs
	}
	return c
}

// rate returns how much the counter grew a second, and false while that is not
// known: it takes two samples, and one that went back began anew in between.
func (h *history) rate(counter string) (float64, bool) {
	n := len(h.samples)
	if n < 2 {
		return 0, false
	}
	last := h.samples[n-1]
	now, ok := last.counters[counter]
	if !ok {
		return 0, false
	}
	base, from := now, last.at
	for i := n - 2; i >= 0; i-- {
		was, ok := h.samples[i].counters[counter]
		if !ok || was > base {
			break
		}
		base, from = was, h.samples[i].at
	}
	passed := last.at.Sub(from).Seconds()
	if passed <= 0 {
		return 0, false
	}
	return float64(now-base) / passed, true
}
