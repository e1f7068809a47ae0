package storetest

import (
	"context"
	"errors"
	"testing"

	"datakit.dev/internal/store"
)

// A Static server holds what it was opened with for as long as the store is
// open: nobody can change the environment of a process from outside.
type Static interface {
	// OpenOn returns a store on a root that holds just these keys and values.
	OpenOn(t *testing.T, tree map[string]string) store.Store
}

// RunStatic runs the part of the suite that a store can pass whose content never
// changes.
func RunStatic(t *testing.T, srv Static) {
	t.Helper()
	for name, run := range map[string]func(*testing.T, Static){
		"an empty root reads as an empty snapshot":        staticHolds(nil),
		"a read shows every key with its value":           staticHolds(map[string]string{"confd/cpu": "[[inputs.cpu]]\n", "pipeline/metric/cpu.p": "x = 1\n", "confd/empty": ""}),
		"equal content has one revision":                  staticRevision,
		"Wait blocks until its context ends":              staticWait,
		"Wait returns at once for an unknown revision":    staticUnknown,
		"Close ends a Wait, and every Read and Wait then": staticClose,
		"a cancelled read returns":                        staticCancelled,
	} {
		t.Run(name, func(t *testing.T) { run(t, srv) })
	}
}

func openOn(t *testing.T, srv Static, tree map[string]string) (store.Store, store.Snapshot) {
	t.Helper()
	st := srv.OpenOn(t, tree)
	t.Cleanup(func() { _ = st.Close() })
	snap, err := st.Read(t.Context())
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	check(t, snap)
	return st, snap
}

func staticHolds(tree map[string]string) func(*testing.T, Static) {
	return func(t *testing.T, srv Static) {
		if _, snap := openOn(t, srv, tree); !holds(tree)(snap) {
			t.Fatalf("Read shows %s", show(snap))
		}
	}
}

func staticRevision(t *testing.T, srv Static) {
	tree := map[string]string{"confd/a": "1", "confd/b": "2"}
	_, one := openOn(t, srv, tree)
	_, same := openOn(t, srv, tree)
	_, other := openOn(t, srv, map[string]string{"confd/a": "1", "confd/b": "3"})
	if one.Revision != same.Revision || one.Revision == other.Revision {
		t.Errorf("the tree is at %q, then %q; another is at %q", one.Revision, same.Revision, other.Revision)
	}
	if revision(t, one, "confd/a") != revision(t, other, "confd/a") || revision(t, one, "confd/b") == revision(t, other, "confd/b") {
		t.Error("the revisions of the keys do not move with their values")
	}
}

func staticWait(t *testing.T, srv Static) {
	st, snap := openOn(t, srv, map[string]string{"confd/a": "1"})
	ctx, cancel := context.WithTimeout(t.Context(), quiet)
	defer cancel()
	if err := st.Wait(ctx, snap.Revision); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Wait: %v", err)
	}
}

func staticUnknown(t *testing.T, srv Static) {
	st, _ := openOn(t, srv, nil)
	if err := st.Wait(deadline(t, patience), "a revision that never was"); err != nil {
		t.Errorf("Wait: %v", err)
	}
}

func staticClose(t *testing.T, srv Static) {
	st, snap := openOn(t, srv, map[string]string{"confd/a": "1"})
	b := &bench{st: st}
	one, two := b.background(t.Context(), snap.Revision), b.background(t.Context(), snap.Revision)
	stays(t, "Wait", one)
	if err := errors.Join(st.Close(), st.Close()); err != nil {
		t.Fatal(err)
	}
	for _, done := range []<-chan error{one, two} {
		if err := receive(t, "Wait", done); !errors.Is(err, store.ErrClosed) {
			t.Errorf("Wait: %v", err)
		}
	}
	if _, err := st.Read(t.Context()); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Read: %v", err)
	}
	if err := st.Wait(t.Context(), "unknown"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Wait of a closed store: %v", err)
	}
}

func staticCancelled(t *testing.T, srv Static) {
	st, snap := openOn(t, srv, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := st.Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Read: %v", err)
	}
	if err := st.Wait(ctx, snap.Revision); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v", err)
	}
}
