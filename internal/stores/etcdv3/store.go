package etcdv3

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"datakit.dev/internal/store"
)

const (
	// alive is how long a message of the server proves that the watch works.
	alive = time.Second
	// answer is how long the server may take to give a sign of life.
	answer = 2 * time.Second
	// relist is the age at which the copy is compared with the server even if
	// nothing seems wrong. It is below the usual resync.
	relist = 4 * time.Minute

	minPause = 100 * time.Millisecond
	maxPause = 5 * time.Second
)

// etcd is the store.
type etcd struct {
	settings
	log *slog.Logger

	ctx   context.Context //nolint:containedctx // ends everything when the store is closed
	stop  context.CancelFunc
	runs  sync.WaitGroup
	begin sync.Once
	wake  chan struct{} // makes the loop list again now

	mu     sync.Mutex
	closed bool
	moved  chan struct{} // closed at every change of what is below
	mirror mirror
	stream *stream   // the watch that keeps mirror complete, nil where none does
	heard  time.Time // the last message of stream
	listed time.Time
	tries  int   // lists that have ended, well or not
	busy   bool  // a list is running
	kicked bool  // stream was ended to list again
	err    error // of the last try, nil while it is good

	writing chan struct{} // holds the right to use writer
	writer  *clientv3.Client
}

func newStore(s settings, log *slog.Logger) *etcd {
	e := &etcd{
		settings: s, log: log, wake: make(chan struct{}, 1), moved: make(chan struct{}),
		mirror: mirror{prefix: s.prefix}, writing: make(chan struct{}, 1),
	}
	e.ctx, e.stop = context.WithCancel(context.Background())
	return e
}

// start starts the loop with the first use, so that a store which only writes
// lists nothing.
func (e *etcd) start() {
	e.begin.Do(func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if !e.closed {
			e.runs.Go(e.loop)
		}
	})
}

// Read implements [store.Store].
func (e *etcd) Read(ctx context.Context) (store.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return store.Snapshot{}, fmt.Errorf("read etcd: %w", err)
	}
	e.start()
	if err := e.fresh(ctx); err != nil {
		return store.Snapshot{}, fmt.Errorf("read etcd: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.mirror.snapshot()
}

// fresh returns nil once the copy is known to be that of a living server.
func (e *etcd) fresh(ctx context.Context) error {
	e.mu.Lock()
	s, quietFor, age := e.stream, time.Since(e.heard), time.Since(e.listed)
	e.mu.Unlock()
	if s != nil && age < relist {
		if quietFor < alive || e.answers(ctx, s) {
			return nil
		}
	}
	return e.again(ctx)
}

// answers asks the server for a sign of life on stream s.
func (e *etcd) answers(ctx context.Context, s *stream) bool {
	asked := time.Now()
	if s.ask() != nil {
		return false
	}
	late := time.NewTimer(answer)
	defer late.Stop()
	for {
		e.mu.Lock()
		same, heard, moved := e.stream == s, e.heard, e.moved
		e.mu.Unlock()
		if !same || heard.After(asked) {
			return same
		}
		select {
		case <-moved:
		case <-late.C:
			return false
		case <-ctx.Done():
			return false
		case <-e.ctx.Done():
			return false
		}
	}
}

// again lets the loop list and returns how that ended.
func (e *etcd) again(ctx context.Context) error {
	e.mu.Lock()
	tries := e.tries
	switch {
	case e.stream != nil:
		e.kicked = true
		e.stream.cancel()
	case !e.busy:
		select {
		case e.wake <- struct{}{}:
		default:
		}
	}
	e.mu.Unlock()
	for {
		e.mu.Lock()
		done, err, moved := e.tries > tries, e.err, e.moved
		e.mu.Unlock()
		if done {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		case <-e.ctx.Done():
			return store.ErrClosed
		}
	}
}

// Wait implements [store.Store].
func (e *etcd) Wait(ctx context.Context, since store.Revision) error {
	e.start()
	for {
		e.mu.Lock()
		synced, label, err, moved := e.stream != nil, e.mirror.label, e.err, e.moved
		e.mu.Unlock()
		switch {
		case e.ctx.Err() != nil:
			return store.ErrClosed
		case err != nil:
			return fmt.Errorf("watch etcd: %w", err)
		case synced && label != since:
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		case <-e.ctx.Done():
			return store.ErrClosed
		}
	}
}

// Close implements [store.Store].
func (e *etcd) Close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.stop()
	e.runs.Wait()
	e.closeWriter()
	return nil
}

// loop keeps the copy complete until the store is closed.
func (e *etcd) loop() {
	pause := minPause
	for e.ctx.Err() == nil {
		synced, err := e.session()
		if synced {
			pause = minPause
		}
		if errors.Is(err, errAgain) {
			continue
		}
		// Spread over half to all of the pause, or a whole fleet would come back
		// in the same instant.
		t := time.NewTimer(pause/2 + rand.N(pause/2))
		select {
		case <-t.C:
		case <-e.wake:
		case <-e.ctx.Done():
		}
		t.Stop()
		pause = min(pause*2, maxPause)
	}
}

// session is one connection: a list and the watch that goes on from there. It
// reports whether it got that far, and why it ended.
func (e *etcd) session() (synced bool, err error) {
	e.change(func() {
		e.busy = true
		select {
		case <-e.wake: // whoever asked for a list gets this one
		default:
		}
	})
	cli, err := e.dial(e.ctx)
	if err == nil {
		defer func() { _ = cli.Close() }() // of no more use, whatever it says
		synced, err = e.sync(cli)
	}
	if synced || e.ctx.Err() != nil {
		return synced, err
	}
	if errors.Is(err, errAgain) { // once is nothing, but it must not spin
		err = fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	err = classify(e.ctx, err)
	e.change(func() { e.busy, e.err, e.tries = false, err, e.tries+1 })
	e.log.Debug("etcd cannot be read", "error", err)
	return false, err
}

// sync lists the tree, takes it, and follows it until the watch breaks.
func (e *etcd) sync(cli *clientv3.Client) (synced bool, err error) {
	rev, entries, err := list(e.ctx, cli.KV, e.prefix)
	if err != nil {
		return false, err
	}
	s, err := follow(e.ctx, cli, e.prefix, rev+1)
	if err != nil {
		return false, err
	}
	defer s.cancel()
	e.change(func() {
		e.mirror.replace(rev, entries)
		e.stream, e.kicked, e.busy, e.err, e.tries = s, false, false, nil, e.tries+1
		e.heard, e.listed = time.Now(), time.Now()
	})
	defer e.change(func() { e.stream = nil })
	return true, e.receive(s)
}

func (e *etcd) receive(s *stream) error {
	for {
		resp, err := s.Recv()
		if err == nil {
			err = ended(resp)
		}
		e.change(func() {
			switch {
			case err == nil:
				e.heard = time.Now()
				if len(resp.Events) > 0 {
					err = e.mirror.apply(resp.Events)
				}
			case e.kicked:
				err = errAgain
			}
		})
		if err != nil {
			return err
		}
	}
}

// change changes what mu guards and tells everyone who waits for that.
func (e *etcd) change(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
	close(e.moved)
	e.moved = make(chan struct{})
}
