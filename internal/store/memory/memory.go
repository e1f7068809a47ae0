// Package memory is a config store in memory, for the tests of what follows
// stores: it can be made to fail, to hang and to panic at will, which no real
// server can. Unlike a real one it takes any value, and looks at no context where
// it does not wait; the suite of [datakit.dev/internal/store/storetest] has a
// memory of its own.
package memory

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"sync"

	"datakit.dev/internal/store"
)

// Store is one tree. The zero value is not ready: use [New].
type Store struct {
	mu      sync.Mutex
	entries map[string]store.Entry
	rev     int
	changed chan struct{} // closed at each change, then made anew
	closed  bool
	fault   error
	hang    chan struct{} // not nil: reads wait until it is closed
	panics  bool
	reads   int
}

// New returns an empty store.
func New() *Store {
	return &Store{entries: map[string]store.Entry{}, changed: make(chan struct{})}
}

// Fail makes every Read and Wait return err; nil ends that.
func (s *Store) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = err
	s.wake()
}

// Hang makes every Read ignore its context and block until the returned
// function is called.
func (s *Store) Hang() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hang := make(chan struct{})
	s.hang = hang
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hang = nil
		close(hang)
	}
}

// Panic makes every Read panic, until it is called with false.
func (s *Store) Panic(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.panics = on
	s.wake()
}

// Wipe removes every key at once.
func (s *Store) Wipe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.entries)
	s.bump()
}

// Reads returns how often the store was read.
func (s *Store) Reads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

func (s *Store) bump() {
	s.rev++
	s.wake()
}

func (s *Store) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Read implements [store.Store].
func (s *Store) Read(context.Context) (store.Snapshot, error) {
	s.mu.Lock()
	s.reads++
	if hang := s.hang; hang != nil {
		s.mu.Unlock()
		<-hang
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return store.Snapshot{}, fmt.Errorf("read: %w", store.ErrClosed)
	case s.panics:
		panic("made to panic")
	case s.fault != nil:
		return store.Snapshot{}, fmt.Errorf("read: %w", s.fault)
	}
	list := make([]store.Entry, 0, len(s.entries))
	for e := range maps.Values(s.entries) {
		list = append(list, e)
	}
	return store.NewSnapshot(s.revision(), list)
}

func (s *Store) revision() store.Revision { return store.Revision(strconv.Itoa(s.rev)) }

// Wait implements [store.Store].
func (s *Store) Wait(ctx context.Context, since store.Revision) error {
	for {
		s.mu.Lock()
		changed, closed, fault, now := s.changed, s.closed, s.fault, s.revision()
		s.mu.Unlock()
		switch {
		case closed:
			return fmt.Errorf("wait: %w", store.ErrClosed)
		case fault != nil:
			return fmt.Errorf("wait: %w", fault)
		case now != since:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Put implements [store.Writer].
func (s *Store) Put(_ context.Context, key, value string, cond store.Cond) (store.Revision, error) {
	if err := store.CheckKey(key); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check(key, cond); err != nil {
		return "", err
	}
	s.rev++
	s.entries[key] = store.Entry{Key: key, Value: value, Revision: s.revision()}
	s.wake()
	return s.revision(), nil
}

// Delete implements [store.Writer].
func (s *Store) Delete(_ context.Context, key string, cond store.Cond) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.entries[key]; !ok {
		return fmt.Errorf("delete %s: %w", key, store.ErrNotFound)
	}
	if err := s.check(key, cond); err != nil {
		return err
	}
	delete(s.entries, key)
	s.bump()
	return nil
}

func (s *Store) check(key string, cond store.Cond) error {
	have, ok := s.entries[key]
	if s.closed {
		return fmt.Errorf("write %s: %w", key, store.ErrClosed)
	}
	if cond.Absent && ok || cond.Revision != "" && cond.Revision != have.Revision {
		return fmt.Errorf("write %s: %w", key, store.ErrConflict)
	}
	return nil
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		s.wake()
	}
	return nil
}
