package fn

import (
	"time"

	"datakit.dev/internal/point"
)

// Env is what a run takes from its surroundings. The zero Env is usable.
type Env struct {
	Category point.Category
	Now      func() time.Time // nil: the clock of the machine
	Location *time.Location   // of times without a zone; nil: UTC
	Limits   Limits
	Services Services
}

// A Run is one point on its way through one script. It belongs to one
// goroutine.
type Run struct {
	Point *point.Point
	Env   *Env

	Dropped       bool    // drop() was called; the script goes on all the same
	Exited        bool    // exit() was called: the script ends after this statement
	KeepStatus    bool    // setopt(status_mapping=false): the final steps leave status alone
	Created       []Point // by create_point
	JSON          Memory  // what the JSON functions know of the text that they read last
	stack         []slot  // variables of all scripts that use one another
	slots         []slot  // those of the one that runs
	frame         Frame
	steps, nSteps int // left in this slice, and in the whole run
	bytes         int // left
	began         time.Time
	kept          []kept
	waited        time.Duration // for what is outside
}

// A Point is one that a script made, with the category that it goes to.
type Point struct {
	Category point.Category
	Point    *point.Point
}

type slot struct {
	value point.Value
	set   bool
}

// A Memory is what functions keep from one call to the next while a point runs.
// It is used again for other points: Forget keeps room, and nothing of the point.
type Memory interface{ Forget() }

// Start makes r ready to run a script on p; what a former run left is gone.
func (r *Run) Start(p *point.Point, env *Env) {
	r.Point, r.Env = p, env
	r.Dropped, r.Exited, r.KeepStatus, r.Created = false, false, false, nil
	r.frame, r.slots = Frame{}, nil
	r.began = time.Time{}
	r.kept = r.kept[:0]
	r.fill(env.Limits.orDefault())
}

// Create adds a point that the script made, after running the script after on
// it; nil: none. What that script says of dropping is of no account: the new
// point is what the first script asked for.
func (r *Run) Create(category point.Category, p point.Point, after Eval) error {
	made := &p
	if after != nil {
		own, dropped := r.Point, r.Dropped
		r.Point = made
		_, err := after(r)
		r.Point, r.Dropped = own, dropped
		if err != nil {
			return err
		}
	}
	r.Created = append(r.Created, Point{category, made})
	return nil
}

// Now returns the time, by the clock of the environment.
func (r *Run) Now() time.Time {
	if r.Env.Now != nil {
		return r.Env.Now()
	}
	return time.Now()
}

// Location returns the time zone for times that name none.
func (r *Run) Location() *time.Location {
	if r.Env.Location != nil {
		return r.Env.Location
	}
	return time.UTC
}

// A Frame is the variables of a script that uses another one, while that runs.
type Frame struct{ from, n int }

// Enter begins a script with n variables, none of them set, and returns the
// frame of the script that runs it.
func (r *Run) Enter(n int) Frame {
	old := r.frame
	from := old.from + old.n
	for len(r.stack) < from+n {
		r.stack = append(r.stack, slot{})
	}
	r.frame = Frame{from, n}
	r.slots = r.stack[from : from+n]
	return old
}

// Leave forgets the variables of the script that ends, and goes back to old.
func (r *Run) Leave(old Frame) {
	clear(r.slots)
	r.frame = old
	r.slots = r.stack[old.from : old.from+old.n]
}

// Var returns the variable in slot i, and whether it is set.
func (r *Run) Var(i int) (point.Value, bool) {
	s := &r.slots[i]
	return s.value, s.set
}

// Int returns the int in slot i, and whether the variable is set to one.
func (r *Run) Int(i int) (int64, bool) {
	s := &r.slots[i]
	n, ok := s.value.AsInt()
	return n, ok && s.set
}

// SetInt sets the variable in slot i to an int.
func (r *Run) SetInt(i int, n int64) { r.slots[i] = slot{point.IntOf(n), true} }

// IsSet reports whether the variable in slot i is set.
func (r *Run) IsSet(i int) bool { return r.slots[i].set }

// SetVar sets the variable in slot i.
func (r *Run) SetVar(i int, v point.Value) { r.slots[i] = slot{v, true} }

// Unset forgets the variables in slots from up to to: their block is entered
// anew.
func (r *Run) Unset(from, to int) { clear(r.slots[from:to]) }

// Release lets go of what the run has seen, so that r can wait in a pool without
// keeping a point alive.
func (r *Run) Release() {
	if r.frame != (Frame{}) { // a script that panicked has left its variables
		clear(r.stack)
	}
	if r.JSON != nil {
		r.JSON.Forget()
	}
	clear(r.kept)
	r.kept = r.kept[:0]
	r.Point, r.Env, r.Created = nil, nil, nil
}
