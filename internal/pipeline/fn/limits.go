package fn

import (
	"errors"
	"math"
	"time"
)

// Limits bound what one run may use, so that a script that loops for ever, or
// doubles a string for ever, ends itself and not the agent. A zero means the
// default.
type Limits struct {
	Steps int           // operations and statements, roughly
	Bytes int           // allocated by strings, lists and maps, freed or not
	Time  time.Duration // looked at only after many steps: a short script never meets it
	Wait  time.Duration // for what is outside of the agent, which does not count as Time
}

// The default limits. Real scripts take some hundred steps for a point.
const (
	DefaultSteps = 10_000_000
	DefaultBytes = 32 << 20
	DefaultTime  = 60 * time.Millisecond
	DefaultWait  = 20 * time.Second
)

// The errors of a script that goes over its limits.
var (
	ErrSteps = errors.New("the script takes too many steps for one point")
	ErrTime  = errors.New("the script takes too long for one point")
	ErrWait  = errors.New("the script waits too long for what is outside")
	ErrBytes = errors.New("the script takes too much memory for one point")
)

// stepSlice is how many steps pass between two looks at the clock: 10 to 100 µs
// of work, so that a look costs nothing.
const stepSlice = 4096

func (l Limits) orDefault() Limits {
	if l.Steps == 0 {
		l.Steps = DefaultSteps
	}
	if l.Bytes == 0 {
		l.Bytes = DefaultBytes
	}
	if l.Time == 0 {
		l.Time = DefaultTime
	}
	if l.Wait == 0 {
		l.Wait = DefaultWait
	}
	return l
}

func (r *Run) fill(l Limits) {
	r.bytes = l.Bytes
	r.nSteps = l.Steps
	r.steps = 0
	r.waited = 0
	r.grant()
}

// grant moves a slice of the steps that are left to the counter.
func (r *Run) grant() {
	n := min(r.nSteps, stepSlice)
	r.steps += n
	r.nSteps -= n
}

// Step charges n steps. A function whose work grows with its input charges for
// it, so that a loop of expensive calls ends too.
func (r *Run) Step(n int) error {
	r.steps -= n
	if r.steps >= 0 {
		return nil
	}
	return r.slice()
}

// slice ends a slice of steps: the clock is looked at, and the next one begun.
func (r *Run) slice() error {
	if err := r.Look(); err != nil {
		return err
	}
	for r.steps < 0 && r.nSteps > 0 {
		r.grant()
	}
	if r.steps < 0 {
		return ErrSteps
	}
	return nil
}

// Look looks at the clock, in work that takes its time within one call: an error
// ends the script. The time begins with the first look.
func (r *Run) Look() error {
	switch limit := r.Env.Limits.orDefault().Time; {
	case r.began.IsZero():
		r.began = time.Now()
	case time.Since(r.began) > limit:
		r.steps = math.MinInt / 2
		return ErrTime
	}
	return nil
}

// Alloc charges n bytes that a value is about to take. It MUST be called before
// the bytes are allocated.
func (r *Run) Alloc(n int) error {
	r.bytes -= n
	if r.bytes >= 0 && n >= 0 { // a product of sizes may overflow where an int has 32 bits
		return nil
	}
	return ErrBytes
}

// Sizes of what values are made of, for [Run.Alloc].
const (
	ValueSize = 24 // an element of a list
	EntrySize = 64 // a key with its value in a map
)
