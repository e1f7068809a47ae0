package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"datakit.dev/internal/store"
)

// Patience is how long a test waits for what has to happen, on a slow machine.
const Patience = 40 * time.Second

// ReadUntil reads until the tree is want: "key=value key=value", where an empty
// value stands for any. Errors on the way are what an outage brings.
func ReadUntil(t testing.TB, st store.Store, want string) store.Snapshot {
	t.Helper()
	var got store.Snapshot
	Until(t, "Read", func() (err error) {
		if got, err = st.Read(Deadline(t, Patience)); err != nil {
			return err
		}
		if !matches(got, strings.Fields(want)) {
			return fmt.Errorf("the tree is %v, not %q", got.Entries, want)
		}
		return nil
	})
	return got
}

func matches(snap store.Snapshot, want []string) bool {
	if len(snap.Entries) != len(want) {
		return false
	}
	for i, e := range snap.Entries {
		key, value, _ := strings.Cut(want[i], "=")
		if e.Key != key || value != "" && e.Value != value {
			return false
		}
	}
	return true
}

// ReadUntilAway reads until the store says that it is unavailable. Whatever it
// shows before is what it showed last: nothing may look deleted.
func ReadUntilAway(t testing.TB, st store.Store) {
	t.Helper()
	Until(t, "a failing Read", func() error {
		snap, err := st.Read(Deadline(t, Patience))
		switch {
		case err == nil && len(snap.Entries) == 0:
			t.Fatal("without a server Read shows an empty tree")
		case err == nil:
			return errors.New("it still answers")
		case !errors.Is(err, store.ErrUnavailable):
			t.Fatalf("Read: %v, which is not store.ErrUnavailable", err)
		}
		return nil
	})
}

// Wait waits until the tree of st may differ from since.
func Wait(t testing.TB, st store.Store, since store.Revision) {
	t.Helper()
	if err := st.Wait(Deadline(t, Patience), since); err != nil {
		t.Fatalf("Wait: %v", err)
	}
}

// Deadline returns a context that ends after d, or with the test.
func Deadline(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// Until calls try until it returns nil; what names it in the failure.
func Until(t testing.TB, what string, try func() error) {
	t.Helper()
	end := time.Now().Add(Patience)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// A Log keeps what a store logs.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements [io.Writer].
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

// String returns everything logged so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
