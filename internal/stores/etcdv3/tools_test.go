package etcdv3_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"datakit.dev/internal/store"
)

// readUntil reads until the tree is want: "key=value key=value", where an empty
// value stands for any. Errors on the way are what an outage brings.
func readUntil(t *testing.T, st store.Store, want string) store.Snapshot {
	t.Helper()
	var got store.Snapshot
	until(t, "Read", func() (err error) {
		if got, err = st.Read(deadline(t, patience)); err != nil {
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

// readUntilAway reads until the store says that it is unavailable. Whatever it
// shows before is what it showed last: nothing may look deleted.
func readUntilAway(t *testing.T, st store.Store) {
	t.Helper()
	until(t, "a failing Read", func() error {
		snap, err := st.Read(deadline(t, patience))
		switch {
		case err == nil && len(snap.Entries) == 0:
			t.Fatal("without a server Read shows an empty tree")
		case err == nil:
			return errors.New("Read still answers")
		case !errors.Is(err, store.ErrUnavailable):
			t.Fatalf("Read: %v, which is not store.ErrUnavailable", err)
		}
		return nil
	})
}

func wait(t testing.TB, st store.Store, since store.Revision) {
	t.Helper()
	if err := st.Wait(deadline(t, patience), since); err != nil {
		t.Fatalf("Wait: %v", err)
	}
}

func deadline(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func until(t testing.TB, what string, try func() error) {
	t.Helper()
	end := time.Now().Add(patience)
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

// client returns a client of the test's own, for what an operator does.
func client(t testing.TB, nodes ...string) *clientv3.Client {
	t.Helper()
	cli, err := clientv3.New(clientv3.Config{Endpoints: nodes, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cli.Close() })
	return cli
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
