package flow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"datakit.dev/internal/output"
)

// The times of an outlet.
const (
	writeTimeout  = 10 * time.Minute       // of one write, for an output that has no shorter one of its own
	firstRetry    = 500 * time.Millisecond // doubles up to lastRetry, half of it random
	lastRetry     = 30 * time.Second
	longestDelay  = 5 * time.Minute  // however long a destination asks us to stay away
	drainTime     = 10 * time.Second // for what a removed output still holds
	replaceGrace  = 5 * time.Second  // for a write under way when its output is replaced
	stopGrace     = time.Second      // for an output to return after its context ended
	stalledAfter  = 10 * time.Second // without an answer an output holds nobody back
	errorInterval = time.Minute      // between two log lines of one kind
)

// An outlet is an output with its queue and the goroutine between the two.
type outlet struct {
	name  string
	log   *slog.Logger
	queue *queue
	kick  chan struct{} // ends a pause: the output was replaced or is to stop
	done  chan struct{} // closed when run has returned

	linger    atomic.Int64
	busySince atomic.Int64 // Unix ns when the batch that is held was taken; 0 when none is
	written   atomic.Uint64
	rejected  atomic.Uint64
	retries   atomic.Uint64
	panics    atomic.Uint64
	lost      atomic.Uint64

	drops, failures, refusals loudness

	mu      sync.Mutex
	current output.Output // used only by run; replaced by it, under mu
	next    output.Output // to become current, or nil
	abort   context.CancelFunc
	cancel  context.CancelFunc
	failing bool
	told    bool // of the failure, in the log
	lastErr string
	errAt   time.Time
}

func newOutlet(o Output, log *slog.Logger) *outlet {
	out := &outlet{
		name: o.Name, log: log.With("output", o.Name), queue: newQueue(), current: o.Output,
		kick: make(chan struct{}, 1), done: make(chan struct{}),
	}
	out.linger.Store(int64(o.Linger))
	out.queue.bound(o)
	return out
}

// replace makes o's value the one that writes. A write under way may finish.
func (o *outlet) replace(with Output) {
	o.linger.Store(int64(with.Linger))
	o.queue.bound(with)
	o.mu.Lock()
	defer o.mu.Unlock()
	if same(o.next, with.Output) {
		return
	}
	if o.next != nil {
		o.shut(o.next)
		o.next = nil
	}
	if same(o.current, with.Output) {
		return
	}
	o.next = with.Output
	if o.abort != nil {
		time.AfterFunc(replaceGrace, o.abort)
	}
	signal(o.kick)
}

// retire lets the outlet end when its queue is empty, or after drain where that
// is not 0.
func (o *outlet) retire(drain time.Duration) {
	o.queue.close()
	signal(o.kick)
	if drain > 0 {
		time.AfterFunc(drain, o.giveUp)
	}
}

func (o *outlet) giveUp() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cancel()
}

// wait returns when the outlet has ended, gives up on it when ctx ends, and says
// how many points it could not deliver.
func (o *outlet) wait(ctx context.Context) (lost int) {
	select {
	case <-o.done:
	case <-ctx.Done():
		o.giveUp()
		t := time.NewTimer(stopGrace)
		defer t.Stop()
		select {
		case <-o.done:
		case <-t.C:
			o.log.Warn("the output does not return, it is left behind")
		}
	}
	_, lost, _ = o.queue.size()
	return lost
}

func (o *outlet) ended() bool {
	select {
	case <-o.done:
		return true
	default:
		return false
	}
}

// offer queues e, and tells of what that pushed out.
func (o *outlet) offer(e entry, force bool) verdict {
	v, dropped := o.queue.offer(e, force)
	if dropped > 0 {
		if n, ok := o.drops.speak(dropped, time.Now()); ok {
			o.log.Warn("the queue is full, its oldest points are dropped", "points", n)
		}
	}
	return v
}

// stalled reports that the output has not answered for so long that it must not
// hold back those who write to others too.
func (o *outlet) stalled(now time.Time) bool {
	since := o.busySince.Load()
	return since != 0 && now.Sub(time.Unix(0, since)) >= stalledAfter
}

// run writes what comes, until the outlet is retired and empty, or given up.
func (o *outlet) run(ctx context.Context) {
	defer close(o.done)
	for o.await(ctx) {
		o.adopt()
		if b, ok := o.queue.take(); ok {
			o.busySince.Store(time.Now().UnixNano())
			o.deliver(ctx, b)
			o.busySince.Store(0)
		}
	}
	o.adopt()
	o.shut(o.current)
	if _, left, _ := o.queue.size(); left > 0 {
		o.lost.Add(uint64(left))
		o.log.Warn("the output ended before it had taken all points", "lost", left)
	}
}

// await returns true when there is something to write, or an output to adopt,
// and false when run is to end.
func (o *outlet) await(ctx context.Context) bool {
	linger := time.NewTimer(0)
	defer linger.Stop()
	for ctx.Err() == nil && !o.queue.drained() {
		linger.Stop()
		if wait, some := o.queue.due(time.Now(), time.Duration(o.linger.Load())); some {
			if wait == 0 {
				return true
			}
			linger.Reset(wait)
		}
		select {
		case <-ctx.Done():
		case <-o.kick:
			o.adopt()
		case <-o.queue.ready:
		case <-linger.C:
		}
	}
	return false
}

// adopt makes the output that replace left the current one.
func (o *outlet) adopt() {
	o.mu.Lock()
	old := output.Output(nil)
	if o.next != nil {
		old, o.current, o.next = o.current, o.next, nil
	}
	o.mu.Unlock()
	if old != nil {
		o.shut(old)
	}
}

// deliver writes b until the output takes or refuses it, or ctx ends.
func (o *outlet) deliver(ctx context.Context, b output.Batch) {
	n := uint64(len(b.Points))
	for pause := firstRetry; ; pause = min(2*pause, lastRetry) {
		err := o.write(ctx, b)
		switch {
		case err == nil:
			o.written.Add(n)
			o.recovered()
			o.queue.ack()
			return
		case errors.Is(err, output.ErrRejected):
			o.rejected.Add(n)
			o.refused(err, b)
			o.queue.ack()
			return
		case ctx.Err() != nil:
			return
		}
		o.retries.Add(1)
		o.failed(err)
		if o.pause(ctx, delay(err, pause)) {
			pause = firstRetry / 2
		}
		o.adopt()
	}
}

// pause waits for d and reports whether it was cut short.
func (o *outlet) pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return false
	case <-ctx.Done():
	case <-o.kick:
	}
	return true
}

// delay returns how long to stay away after err: about d, so that a fleet does
// not come back all at once, or as long as the destination asks for.
func delay(err error, d time.Duration) time.Duration {
	d = d/2 + rand.N(d/2)
	var asked interface{ RetryAfter() time.Duration }
	if errors.As(err, &asked) {
		d = max(d, min(asked.RetryAfter(), longestDelay))
	}
	return d
}

// write calls the output once. A panic refuses the batch: it would panic again.
func (o *outlet) write(ctx context.Context, b output.Batch) (err error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	o.mu.Lock()
	out := o.current
	o.abort = cancel
	o.mu.Unlock()
	defer func() {
		if r := recover(); r != nil {
			o.panics.Add(1)
			err = fmt.Errorf("the output panicked: %v: %w", r, output.ErrRejected)
		}
		o.mu.Lock()
		o.abort = nil
		o.mu.Unlock()
	}()
	return out.Write(ctx, b)
}

func (o *outlet) shut(out output.Output) {
	defer func() {
		if r := recover(); r != nil {
			o.panics.Add(1)
			o.log.Error("closing the output panicked", "panic", redact(fmt.Sprint(r)))
		}
	}()
	if err := out.Close(); err != nil {
		o.log.Warn("closing the output failed", "error", redact(err.Error()))
	}
}
