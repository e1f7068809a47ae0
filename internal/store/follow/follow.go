// Package follow is the part that all stores with a cheap watch share: a copy of
// the tree in memory, kept complete by what the server pushes, so that a change
// costs a large fleet no read.
//
// The copy is answered from only while the connection that feeds it is known to
// be alive; otherwise the tree is listed again, or the read fails. Every broken
// connection ends in a new list: what was missed meanwhile cannot be told, and a
// server that was restored from a backup has an older revision, at which a
// resumed watch would stay silent for ever.
package follow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

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
	// steady is how long a connection lasts that was worth its list. One that
	// ends sooner is made again after a pause, so that a server which ends them
	// all at once is not listed without end.
	steady = time.Second

	minPause = 100 * time.Millisecond
	maxPause = 5 * time.Second
)

// A Source reads one server and follows it. Follow and Ask are called from
// different goroutines.
type Source interface {
	// Follow connects, reads the whole tree, hands it to [Copy.Replace], and
	// then calls Replace or [Copy.Apply] at every change, until ctx ends or it
	// can no longer vouch for the copy. After nil it is called again at once,
	// after an error when a pause is over. The errors wrap those of package
	// store; one of another kind counts as [store.ErrUnavailable].
	Follow(ctx context.Context, c *Copy) error

	// Ask returns nil once the server has given a sign of life from which it is
	// sure that every change made before the call is in the copy. It is called
	// where nothing was heard for a second; after an error, or 2 s, the tree is
	// listed anew.
	Ask(ctx context.Context) error

	// Close is called once, when Follow has ended for good.
	Close() error
}

// A Store answers from a copy that its source keeps complete. It implements
// [store.Store].
type Store struct {
	name string
	src  Source
	log  *slog.Logger

	ctx   context.Context //nolint:containedctx // ends everything when the store is closed
	stop  context.CancelFunc
	runs  sync.WaitGroup
	begin sync.Once
	end   sync.Once
	ended error         // what the source's Close returned
	wake  chan struct{} // makes the loop list again now

	mu     sync.Mutex
	closed bool
	moved  chan struct{} // closed at every change of what is below
	mirror mirror
	synced bool               // a source keeps mirror complete
	cancel context.CancelFunc // ends the connection there is
	heard  time.Time          // the last sign of life
	listed time.Time
	tries  int   // lists that have ended, well or not
	busy   bool  // a list is running
	kicked bool  // the connection was ended to list again
	err    error // of the last try, nil while it is good
}

// New returns a store on src, which is called with the first use only. name is
// for errors: "etcd".
func New(name string, src Source, log *slog.Logger) *Store {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Store{name: name, src: src, log: log, wake: make(chan struct{}, 1), moved: make(chan struct{})}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// start starts the loop with the first use, so that a store which only writes
// lists nothing.
func (s *Store) start() {
	s.begin.Do(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.closed {
			s.runs.Go(s.loop)
		}
	})
}

// Read implements [store.Store].
func (s *Store) Read(ctx context.Context) (store.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return store.Snapshot{}, fmt.Errorf("read %s: %w", s.name, err)
	}
	s.start()
	if err := s.fresh(ctx); err != nil {
		return store.Snapshot{}, fmt.Errorf("read %s: %w", s.name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mirror.snapshot()
}

// fresh returns nil once the copy is known to be that of a living server.
func (s *Store) fresh(ctx context.Context) error {
	s.mu.Lock()
	synced, quietFor, age, tries := s.synced, time.Since(s.heard), time.Since(s.listed), s.tries
	s.mu.Unlock()
	if synced && age < relist && (quietFor < alive || s.answers(ctx, tries)) {
		return nil
	}
	return s.again(ctx)
}

// answers asks the server for a sign of life on the connection of list number
// tries.
func (s *Store) answers(ctx context.Context, tries int) bool {
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)() //nolint:contextcheck // closing the store ends its questions
	if err := s.src.Ask(ctx); err != nil {
		s.log.Debug("the store gives no sign of life", "error", err)
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.synced || s.tries != tries {
		return false
	}
	s.heard = time.Now()
	return true
}

// again lets the loop list and returns how that ended.
func (s *Store) again(ctx context.Context) error {
	s.mu.Lock()
	tries := s.tries
	switch {
	case s.synced:
		s.kicked = true
		s.cancel()
	case !s.busy:
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
	s.mu.Unlock()
	for {
		s.mu.Lock()
		done, err, moved := s.tries > tries, s.err, s.moved
		s.mu.Unlock()
		if done {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ctx.Done():
			return store.ErrClosed
		}
	}
}

// Wait implements [store.Store].
func (s *Store) Wait(ctx context.Context, since store.Revision) error {
	s.start()
	for {
		s.mu.Lock()
		synced, label, err, moved := s.synced, s.mirror.label, s.err, s.moved
		s.mu.Unlock()
		switch {
		case s.ctx.Err() != nil:
			return store.ErrClosed
		case err != nil:
			return fmt.Errorf("watch %s: %w", s.name, err)
		case synced && label != since:
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ctx.Done():
			return store.ErrClosed
		}
	}
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.runs.Wait()
	s.end.Do(func() { s.ended = s.src.Close() })
	return s.ended
}

// loop keeps the copy complete until the store is closed.
func (s *Store) loop() {
	pause := minPause
	for s.ctx.Err() == nil {
		began := time.Now()
		synced, err := s.session()
		if synced {
			pause = minPause
		}
		if err == nil && time.Since(began) > steady {
			continue
		}
		// Spread over half to all of the pause, or a whole fleet would come back
		// in the same instant.
		t := time.NewTimer(pause/2 + rand.N(pause/2))
		select {
		case <-t.C:
		case <-s.wake:
		case <-s.ctx.Done():
		}
		t.Stop()
		pause = min(pause*2, maxPause)
	}
}

// session is one connection: a list and what follows it. It reports whether it
// got that far, and why it ended.
func (s *Store) session() (synced bool, err error) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	c := &Copy{store: s}
	s.change(func() {
		s.busy, s.kicked, s.cancel = true, false, cancel
		select {
		case <-s.wake: // whoever asked for a list gets this one
		default:
		}
	})
	err = safely(func() error { return s.src.Follow(ctx, c) })
	s.change(func() {
		synced, s.synced = s.synced, false
		if s.kicked {
			err = nil
		}
	})
	if synced || s.ctx.Err() != nil {
		if err != nil && s.ctx.Err() == nil {
			s.log.Debug("the store is no longer followed", "error", err)
		}
		return synced, err
	}
	err = lasting(err)
	s.change(func() { s.busy, s.err, s.tries = false, err, s.tries+1 })
	s.log.Debug("the store cannot be read", "error", err)
	return false, err
}

// errEarly says that a source ended without a word.
var errEarly = errors.New("the connection has ended before the tree was read")

// lasting gives every error its place among those of package store.
func lasting(err error) error {
	switch {
	case err == nil:
		return fmt.Errorf("%w: %w", store.ErrUnavailable, errEarly)
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrDenied), errors.Is(err, ErrBound):
		return err
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
}

// safely turns a panic of a source into an error: what a server sends may never
// end the agent.
func safely(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: the backend panicked: %v", store.ErrUnavailable, p)
		}
	}()
	return f()
}

// change changes what mu guards and tells everyone who waits for that.
func (s *Store) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.moved)
	s.moved = make(chan struct{})
}
