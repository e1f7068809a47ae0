package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
)

// The pauses between two tries at a store that cannot be read.
const (
	pauseMin = 250 * time.Millisecond
	pauseMax = 10 * time.Second
)

// follower keeps the view of one store.
type follower struct {
	opts   Options
	log    *slog.Logger
	notify func()
	kick   chan struct{} // capacity 1: read now

	mu   sync.Mutex
	view View
	held *held

	store   store.Store
	pending chan result // a read that outlived its timeout
}

type result struct {
	snap store.Snapshot
	err  error
}

func newFollower(src Source, opts Options, log *slog.Logger, notify func()) *follower {
	f := &follower{
		opts: opts, notify: notify, kick: make(chan struct{}, 1),
		log:  log.With("store", src.ID),
		view: View{Source: src, State: status.Connecting},
	}
	if src.Known != nil {
		f.view.Snapshot, f.view.Known = *src.Known, true
	}
	if src.Disabled {
		f.view.State, f.view.Snapshot, f.view.Known = status.Disabled, store.Snapshot{}, true
	}
	return f
}

func (f *follower) get() View {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.view
}

// refresh makes the follower read now.
func (f *follower) refresh() {
	select {
	case f.kick <- struct{}{}:
	default:
	}
}

// accept applies a held deletion as soon as a read still shows it.
func (f *follower) accept() bool {
	f.mu.Lock()
	waiting := f.held != nil
	if waiting {
		f.held.until = time.Time{}
	}
	f.mu.Unlock()
	f.refresh()
	return waiting
}

// run follows the store until ctx ends.
func (f *follower) run(ctx context.Context) {
	if f.get().Source.Disabled {
		return
	}
	defer f.close()
	pause := pauseMin
	for ctx.Err() == nil {
		snap, err := f.settle(ctx)
		if err == nil {
			pause = pauseMin
			f.offer(snap)
			err = f.follow(ctx, snap.Revision)
		}
		if err != nil && ctx.Err() == nil {
			f.fail(err)
			f.sleep(ctx, jitter(pause, 0.2))
			pause = min(2*pause, pauseMax)
		}
	}
}

func (f *follower) close() {
	if f.store != nil {
		if err := f.store.Close(); err != nil {
			f.log.Warn("closing the store", "error", err)
		}
	}
}

// settle reads the store once its changes have come to rest: it publishes
// nothing that a burst of writes has only half written. The first read after a
// start or an outage does not wait.
func (f *follower) settle(ctx context.Context) (store.Snapshot, error) {
	snap, err := f.read(ctx)
	if err != nil || f.opts.Debounce <= 0 || !f.begin(snap) {
		return snap, err
	}
	deadline := time.Now().Add(max(f.opts.DebounceMax, f.opts.Debounce))
	for {
		quiet := min(f.opts.Debounce, time.Until(deadline))
		if quiet <= 0 {
			return snap, nil
		}
		switch err := f.wait(ctx, snap.Revision, quiet); {
		case errors.Is(err, errElapsed):
			return snap, nil
		case err != nil:
			return snap, err
		}
		if snap, err = f.read(ctx); err != nil {
			return snap, err
		}
		// A store that is written without pause would otherwise be read without
		// pause too, by every agent.
		f.rest(ctx, min(f.opts.Debounce/8, time.Until(deadline)))
	}
}

// begin reports whether snap is news to a view that was read before, which then
// is settling.
func (f *follower) begin(snap store.Snapshot) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.view.settling = f.view.Read && f.view.Fresh() && f.view.Snapshot.Revision != snap.Revision
	return f.view.settling
}

// read reads the store within the timeout, also where the backend ignores it: a
// read that hangs is left behind, and the next try waits for it first so that
// hung reads do not pile up.
func (f *follower) read(ctx context.Context) (store.Snapshot, error) {
	if err := f.open(); err != nil {
		return store.Snapshot{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, f.opts.Timeout)
	if f.pending == nil {
		st, out := f.store, make(chan result, 1)
		f.pending = out
		go func() {
			defer cancel()
			snap, err := safely(func() (store.Snapshot, error) { return st.Read(ctx) })
			out <- result{snap, err}
		}()
	} else {
		defer cancel()
	}
	select {
	case r := <-f.pending:
		f.pending = nil
		return r.snap, r.err
	case <-ctx.Done():
	}
	select { // a read that ended with its context has the better error
	case r := <-f.pending:
		f.pending = nil
		return r.snap, r.err
	default:
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return store.Snapshot{}, fmt.Errorf("%w: no answer within %v", store.ErrUnavailable, f.opts.Timeout)
	}
	return store.Snapshot{}, ctx.Err()
}

// safely turns a panic of a backend into an error.
func safely(read func() (store.Snapshot, error)) (snap store.Snapshot, err error) {
	defer func() {
		if p := recover(); p != nil {
			snap, err = store.Snapshot{}, fmt.Errorf("%w: the backend panicked: %v", store.ErrUnavailable, p)
		}
	}()
	return read()
}

func (f *follower) open() error {
	if f.store != nil {
		return nil
	}
	st, err := f.get().Source.Open()
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	f.store = st
	return nil
}

// errElapsed says that a wait took its time without a change.
var errElapsed = errors.New("nothing changed in time")

// wait blocks until the store may differ from rev; errElapsed after limit.
func (f *follower) wait(ctx context.Context, rev store.Revision, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_, err := safely(func() (store.Snapshot, error) { return store.Snapshot{}, f.store.Wait(ctx, rev) })
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errElapsed
	}
	return err
}

// follow returns once the store should be read again: it changed, a held
// deletion is due, somebody asked, or it is time to resync.
func (f *follower) follow(ctx context.Context, rev store.Revision) error {
	limit := jitter(f.opts.Resync, 0.1)
	f.mu.Lock()
	if f.held != nil {
		limit = min(limit, max(time.Until(f.held.until), time.Millisecond))
	}
	f.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	over := make(chan struct{})
	go func() { // ends with this call, one way or the other
		defer close(over)
		select {
		case <-f.kick:
			cancel()
		case <-ctx.Done():
		}
	}()
	err := f.wait(ctx, rev, limit)
	asked := ctx.Err() != nil
	cancel()
	<-over
	if errors.Is(err, errElapsed) || asked && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// offer takes a complete read into the view.
func (f *follower) offer(snap store.Snapshot) {
	f.mu.Lock()
	v := &f.view
	lost := f.withhold(snap)
	was := *v
	v.State, v.Error = status.Watching, ""
	if p, ok := f.store.(store.Poller); ok && p.Polling() {
		v.State = status.Polling
	}
	next := snap
	if lost != nil {
		next = restore(snap, lost)
		v.State = status.Held
		v.Error = fmt.Sprintf("%d of %d keys are gone: held until %s, or until `datakit confd accept`",
			len(lost), len(v.Snapshot.Entries), f.held.until.UTC().Format(time.RFC3339))
	}
	v.Snapshot, v.Known, v.Read, v.ReadAt, v.settling = next, true, true, time.Now(), false
	news := !was.Read || was.settling || was.State != v.State || was.Snapshot.Revision != snap.Revision || len(was.Snapshot.Entries) != len(next.Entries)
	f.mu.Unlock()
	if lost != nil && was.State != status.Held {
		f.log.Warn("a mass deletion is held", "gone", len(lost))
	}
	if news {
		f.notify()
	}
}

// withhold returns the entries that snap lacks and that must stay for now.
func (f *follower) withhold(snap store.Snapshot) []store.Entry {
	lost := gone(f.view.Snapshot, snap)
	// Keys that come back one by one must not make a deletion that is held
	// small enough to count: the rest of them is still on its way.
	mass := isMass(len(lost), len(f.view.Snapshot.Entries)) || f.held != nil && len(lost) > 0
	if f.opts.Hold <= 0 || !f.view.Known || !mass {
		f.held = nil
		return nil
	}
	switch {
	case f.held == nil:
		f.held = &held{gone: lost, until: time.Now().Add(f.opts.Hold)}
	case !time.Now().Before(f.held.until):
		f.held = nil
		return nil
	case grew(f.held.gone, lost):
		f.held = &held{gone: lost, until: time.Now().Add(f.opts.Hold)}
	default:
		f.held.gone = lost
	}
	return lost
}

// fail notes that the store cannot be read. What is known of it stays.
func (f *follower) fail(err error) {
	state := status.Stale
	if errors.Is(err, store.ErrDenied) {
		state = status.Denied
	}
	text := diag.OneLine(spec.RedactURL(err.Error()))
	f.mu.Lock()
	was := f.view
	f.view.State, f.view.Error, f.view.settling = state, text, false
	f.mu.Unlock()
	if was.State != state || was.Error != text {
		f.log.Warn("the store cannot be read; what runs stays", "error", text)
		f.notify()
	} else if was.settling {
		f.notify()
	}
}

// sleep waits for d, or until somebody asks for a read.
func (f *follower) sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-f.kick:
	case <-ctx.Done():
	}
}

func (f *follower) rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// jitter spreads a fleet: d ± share.
func jitter(d time.Duration, share float64) time.Duration {
	return d + time.Duration((rand.Float64()*2-1)*share*float64(d))
}
