// Package flow carries points from inputs to outputs: it stamps and tags them,
// runs them through the scripts, and keeps a bounded queue before each output,
// so that a slow destination costs neither the inputs nor the other outputs
// their points.
//
// Delivery is at least once, and in order within one category of one output.
package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"datakit.dev/internal/output"
	"datakit.dev/internal/point"
)

// ErrClosed is what a write to a closed sink, or through a closed flow, returns.
// Nothing of such a write is emitted.
var ErrClosed = errors.New("the sink is closed")

var errDrained = errors.New("a removed output had no more time")

// A Stage changes points on their way: the scripts. It owns the points it is
// given, may drop or add some, and returns what goes on. It is called from many
// goroutines at once.
type Stage interface {
	// own is what the instance says of its points: a name to a script, or to
	// "-" for none. made are points that scripts have made, which go on as they
	// are.
	Process(category point.Category, own map[string]string, pts []point.Point) (kept []point.Point, made []output.Batch)
}

// Options is what a flow needs to run.
type Options struct {
	Log  *slog.Logger
	Tags map[string]string // the agent's tags, added to every point that lacks them
	// Observe sees every batch that goes to the outputs: the recent points. It
	// must be quick, and neither keep nor change the points. It may be nil.
	Observe func(category point.Category, pts []point.Point)
}

// An Output is one destination with its name and the bounds of its queue.
type Output struct {
	Name   string // unique; a queue lives on under its name when the output is replaced
	Output output.Output
	// Linger is how long points gather before a write, so that a remote
	// destination gets fewer, larger ones. 0 writes as soon as it is idle.
	Linger    time.Duration
	MaxBytes  int // of memory; 16 MiB where 0
	MaxPoints int // 1 Mi where 0
}

// A Flow is the way of every point of one agent.
type Flow struct {
	log     *slog.Logger
	observe func(point.Category, []point.Point)
	tags    atomic.Pointer[tagSet]
	stage   atomic.Pointer[Stage]
	outlets atomic.Pointer[[]*outlet]
	closing chan struct{}
	scripts loudness // of the panics of the stage
	stats   counters

	mu      sync.Mutex // held by SetOutputs and Close, never by a write
	retired []*outlet  // removed, still draining
}

type counters struct {
	points    atomic.Uint64
	panics    atomic.Uint64
	unclaimed atomic.Uint64
}

// New returns a flow without a stage or an output.
func New(o Options) *Flow {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	f := &Flow{log: o.Log, observe: o.Observe, closing: make(chan struct{})}
	f.SetTags(o.Tags)
	f.outlets.Store(new([]*outlet))
	return f
}

// SetTags replaces the agent's tags; points written from now on carry them.
func (f *Flow) SetTags(tags map[string]string) { f.tags.Store(newTagSet(tags)) }

// SetStage replaces the stage; nil takes it away. No point waits for it.
func (f *Flow) SetStage(s Stage) {
	if s == nil {
		f.stage.Store(nil)
		return
	}
	f.stage.Store(&s)
}

// SetOutputs makes outs the outputs of the flow. The queue of an output whose
// name stays is kept, with all that is in it, and the new value writes from
// then on; an output that is gone gets a while to deliver what it holds. The
// flow closes the values that it no longer uses. It fails, and changes nothing,
// where a name is used twice or the flow is closed; outs then stay the caller's
// to close.
func (f *Flow) SetOutputs(outs ...Output) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed() {
		return fmt.Errorf("set outputs: %w", ErrClosed)
	}
	for i, o := range outs {
		if slices.ContainsFunc(outs[:i], func(p Output) bool { return p.Name == o.Name }) {
			return fmt.Errorf("set outputs: the name %q is used twice", o.Name)
		}
	}
	old := *f.outlets.Load()
	now := make([]*outlet, len(outs))
	for i, o := range outs {
		if j := slices.IndexFunc(old, func(have *outlet) bool { return have.name == o.Name }); j >= 0 {
			now[i] = old[j]
			now[i].replace(o)
			continue
		}
		now[i] = newOutlet(o, f.log)
		ctx, cancel := context.WithCancel(context.Background())
		now[i].cancel = cancel
		go now[i].run(ctx)
	}
	f.outlets.Store(&now)
	f.retired = slices.DeleteFunc(f.retired, (*outlet).ended)
	for _, o := range old {
		if !slices.Contains(now, o) {
			o.retire(drainTime)
			f.retired = append(f.retired, o)
		}
	}
	return nil
}

// Close ends the flow: later writes fail, and what is queued is written. When
// ctx ends first the rest is given up, and the error is a [LostError]. Close
// the sinks, or stop the inputs, before.
func (f *Flow) Close(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed() {
		return nil
	}
	close(f.closing)
	f.retired = slices.DeleteFunc(f.retired, (*outlet).ended) // what those lost they have told
	all := slices.Concat(*f.outlets.Load(), f.retired)
	for _, o := range all {
		o.retire(0)
	}
	lost := 0
	for _, o := range all {
		lost += o.wait(ctx)
	}
	if lost > 0 {
		return &LostError{Points: lost, Cause: cmp.Or(context.Cause(ctx), errDrained)}
	}
	return nil
}

func (f *Flow) closed() bool {
	select {
	case <-f.closing:
		return true
	default:
		return false
	}
}

// A LostError says how many points were given up at the end.
type LostError struct {
	Points int // summed over the outputs
	Cause  error
}

// Error names the number and the reason.
func (e *LostError) Error() string {
	return fmt.Sprintf("%d points were not delivered before the end: %v", e.Points, e.Cause)
}

// Unwrap returns the reason.
func (e *LostError) Unwrap() error { return e.Cause }

// same reports whether a and b are the same value, without the panic that ==
// would be for a type that cannot be compared.
func same(a, b output.Output) bool {
	return a != nil && reflect.TypeOf(a).Comparable() && a == b
}
