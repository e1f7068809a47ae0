package storetest

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
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
		if got, err = st.Read(Deadline(t, patience(t))); err != nil {
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
		snap, err := st.Read(Deadline(t, patience(t)))
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
	if err := st.Wait(Deadline(t, patience(t)), since); err != nil {
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

// patience is Patience, or less where the tests have less time in all: enough of
// it has to be left to say what did not come.
func patience(t testing.TB) time.Duration {
	t.Helper()
	most := Patience
	if all, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		if end, ok := all.Deadline(); ok {
			most = max(min(most, time.Until(end)-time.Second), tick)
		}
	}
	return most
}

// Until calls try until it returns nil; what names it in the failure.
func Until(t testing.TB, what string, try func() error) {
	t.Helper()
	end := time.Now().Add(patience(t))
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(tick)
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

// Logger returns a logger into l that leaves nothing out.
func (l *Log) Logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Keeps fails if the log or one of errs tells the secret, as it is or in one of
// the forms that requests hold it in.
func (l *Log) Keeps(t testing.TB, secret string, errs ...error) {
	t.Helper()
	var out strings.Builder
	out.WriteString(l.String())
	for _, err := range errs {
		fmt.Fprintf(&out, "\n%v %+v %#v", err, err, err)
	}
	told := out.String()
	coded := base64.StdEncoding.EncodeToString([]byte(secret))
	for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), url.UserPassword("", secret).String()[1:], coded[:len(coded)-4]} {
		if strings.Contains(told, form) {
			t.Errorf("the secret is in: %s", told)
			return
		}
	}
}
