package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"datakit.dev/internal/store"
)

const (
	// quiet is how long a Wait that must block is watched.
	quiet = 60 * time.Millisecond
	// interval is longer than the shortest time between two looks of a store that
	// polls.
	interval = 1300 * time.Millisecond
	tick     = 5 * time.Millisecond
)

// read returns the tree once ok holds for it. Only a store that mirrors or polls
// may need a moment: for any other the first read after a write has to show it.
func (b *bench) read(t *testing.T, ok func(store.Snapshot) bool) store.Snapshot {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience(t))
	defer cancel()
	for {
		snap, err := b.look(ctx, t)
		if err != nil {
			t.Fatalf("Read: %v", err)
		}
		switch {
		case ok(snap):
			return snap
		case b.traits.Watches && !b.traits.Mirrors:
			t.Fatalf("Read shows %s, which is not what was written", show(snap))
		}
		select {
		case <-ctx.Done():
			t.Fatalf("Read still shows %s, which is not what was written", show(snap))
		case <-time.After(tick):
		}
	}
}

// interval is how long Wait is watched, for the store to look at its server at
// least once.
func (b *bench) interval() time.Duration {
	if b.traits.Watches {
		return quiet
	}
	return interval
}

// rounds is how often something is done that waits for a change each time.
func (b *bench) rounds(most int) int {
	if b.traits.Watches {
		return most
	}
	return min(most, 5)
}

// look reads once, and holds the snapshot against what every snapshot promises.
func (b *bench) look(ctx context.Context, t *testing.T) (store.Snapshot, error) {
	t.Helper()
	snap, err := b.st.Read(ctx)
	if err != nil {
		return snap, err
	}
	content := sha256.New()
	for i, e := range snap.Entries {
		if i > 0 && snap.Entries[i-1].Key >= e.Key {
			t.Fatalf("keys %q and %q are out of order or twice there", snap.Entries[i-1].Key, e.Key)
		}
		if e.Revision == "" {
			t.Fatalf("key %q has no revision", e.Key)
		}
		if len(e.Value) > store.MaxValue || e.TooLarge > 0 && e.Value != "" {
			t.Fatalf("key %q: a value of %d bytes, TooLarge %d", e.Key, len(e.Value), e.TooLarge)
		}
		fmt.Fprintf(content, "%q %q %d\n", e.Key, e.Value, e.TooLarge)
	}
	sum := string(content.Sum(nil))
	if was, ok := b.seen[snap.Revision]; ok && was != sum {
		t.Fatalf("revision %q has already stood for another content", snap.Revision)
	}
	b.seen[snap.Revision] = sum
	return snap, nil
}

// holds returns a condition: the tree is just these keys and values.
func holds(want map[string]string) func(store.Snapshot) bool {
	return func(snap store.Snapshot) bool {
		if len(snap.Entries) != len(want) {
			return false
		}
		for _, e := range snap.Entries {
			if v, ok := want[e.Key]; !ok || v != e.Value {
				return false
			}
		}
		return true
	}
}

func is(key, value string) func(store.Snapshot) bool {
	return func(snap store.Snapshot) bool {
		e, ok := snap.Get(key)
		return ok && e.Value == value
	}
}

func lacks(key string) func(store.Snapshot) bool {
	return func(snap store.Snapshot) bool {
		_, ok := snap.Get(key)
		return !ok
	}
}

// show is a snapshot for a failure message, bounded.
func show(snap store.Snapshot) string {
	var out bytes.Buffer
	fmt.Fprintf(&out, "revision %q, %d keys", snap.Revision, len(snap.Entries))
	for _, e := range snap.Entries[:min(5, len(snap.Entries))] {
		fmt.Fprintf(&out, ", %q=%.40q", e.Key, e.Value)
	}
	return out.String()
}

// wait lets Wait return for something that did happen.
func (b *bench) wait(t *testing.T, since store.Revision) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience(t))
	defer cancel()
	if err := b.st.Wait(ctx, since); err != nil {
		t.Fatalf("Wait: %v", err)
	}
}

// background starts Wait and returns its outcome.
func (b *bench) background(ctx context.Context, since store.Revision) <-chan error {
	done := make(chan error, 1)
	st := b.st // which is another one after a change, where the store reads once
	go func() { done <- st.Wait(ctx, since) }()
	return done
}

// receive returns what comes from done.
func receive(t *testing.T, what string, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(patience(t)):
		t.Fatalf("%s does not return", what)
		return nil
	}
}

// stays fails if done has something within quiet.
func stays(t *testing.T, what string, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		t.Fatalf("%s returned (%v), nothing has changed", what, err)
	case <-time.After(quiet):
	}
}

var errNotYet = errors.New("not yet")
