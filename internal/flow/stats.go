package flow

import (
	"strings"
	"sync"
	"time"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/output"
	"datakit.dev/internal/spec"
)

// Stats is what a flow has done since it began.
type Stats struct {
	Points      uint64 // that inputs have written
	StagePanics uint64
	Unclaimed   uint64 // points written while there was no output
	Outputs     []OutputStats
}

// OutputStats is the state of one output.
type OutputStats struct {
	Name         string
	QueuedPoints int // the batch under way included
	QueuedBytes  int // an estimate, of memory
	Written      uint64
	Dropped      uint64 // points pushed out of a full queue, or left at the end
	Rejected     uint64 // points that the destination refused
	Retries      uint64 // writes that failed and were tried again
	Panics       uint64
	Failing      bool   // the last write failed
	LastError    string // one line, without secrets; it stays when the output recovers
	LastErrorAt  time.Time
}

// Stats returns the counters of the flow and of its outputs, in their order.
func (f *Flow) Stats() Stats {
	s := Stats{
		Points:      f.stats.points.Load(),
		StagePanics: f.stats.panics.Load(),
		Unclaimed:   f.stats.unclaimed.Load(),
	}
	for _, o := range *f.outlets.Load() {
		s.Outputs = append(s.Outputs, o.stats())
	}
	return s
}

func (o *outlet) stats() OutputStats {
	bytes, points, dropped := o.queue.size()
	o.mu.Lock()
	defer o.mu.Unlock()
	return OutputStats{
		Name: o.name, QueuedPoints: points, QueuedBytes: bytes,
		Written: o.written.Load(), Dropped: dropped + o.lost.Load(), Rejected: o.rejected.Load(),
		Retries: o.retries.Load(), Panics: o.panics.Load(),
		Failing: o.failing, LastError: o.lastErr, LastErrorAt: o.errAt,
	}
}

// remember keeps err for the status.
func (o *outlet) remember(err error, failing bool) string {
	text := redact(err.Error())
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failing, o.lastErr, o.errAt = failing, text, time.Now()
	return text
}

func (o *outlet) failed(err error) {
	text := o.remember(err, true)
	if n, ok := o.failures.speak(1, time.Now()); ok {
		o.log.Warn("the output takes no points, they wait", "error", text, "failures", n)
		o.mu.Lock()
		o.told = true
		o.mu.Unlock()
	}
}

func (o *outlet) refused(err error, b output.Batch) {
	text := o.remember(err, false)
	if n, ok := o.refusals.speak(len(b.Points), time.Now()); ok {
		o.log.Error("the output refused points, they are dropped", "error", text, "points", n, "category", string(b.Category))
	}
}

// recovered says so only after a failure that was in the log: an output that
// fails every other time must not fill it.
func (o *outlet) recovered() {
	o.mu.Lock()
	told := o.told
	o.failing, o.told = false, false
	o.mu.Unlock()
	if told {
		o.log.Info("the output takes points again")
	}
}

// loudness lets one log line of a kind through each [errorInterval], with the
// number of those that it kept quiet.
type loudness struct {
	mu   sync.Mutex
	last time.Time
	n    int
}

// speak adds n, and returns what has gathered where it is time to say so.
func (l *loudness) speak(n int, now time.Time) (int, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n += n
	if !l.last.IsZero() && now.Sub(l.last) < errorInterval {
		return 0, false
	}
	n, l.n, l.last = l.n, 0, now
	return n, true
}

// maxError bounds the text of an error: a destination may answer with a page.
const maxError = 400

// redact makes a text fit for a log line and a status: one line, no secret.
func redact(s string) string {
	s = diag.OneLine(spec.RedactURL(s))
	if len(s) > maxError {
		s = strings.ToValidUTF8(s[:maxError], "") + "…"
	}
	return s
}
