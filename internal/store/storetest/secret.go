package storetest

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"datakit.dev/internal/store"
)

var secretCases = []testCase{
	{"a wrong password is denied and told to nobody", with[Guard], wrongPassword},
	{"a secret that works is told to nobody", with[Login], rightSecret},
	{"what has expired is renewed", with[Expiring], renews},
}

func wrongPassword(t *testing.T, b *bench) {
	const secret = "pa55-Wor:d/@%-that-nobody-may-see"
	var logged Log
	st := b.Server.(Guard).OpenWith(t, secret, logged.Logger())
	t.Cleanup(func() { _ = st.Close() })
	ctx := Deadline(t, patience(t))
	_, err := st.Read(ctx)
	if !errors.Is(err, store.ErrDenied) {
		t.Errorf("Read: %v, which is not store.ErrDenied", err)
	}
	werr := st.Wait(ctx, "")
	if werr == nil {
		t.Error("Wait returned as if there were something to read")
	}
	errs := []error{err, werr}
	if w, ok := st.(store.Writer); ok {
		_, perr := w.Put(ctx, "confd/a", "1", store.Cond{})
		derr := w.Delete(ctx, "confd/a", store.Cond{})
		if !errors.Is(perr, store.ErrDenied) || !errors.Is(derr, store.ErrDenied) {
			t.Errorf("Put: %v, Delete: %v, which are not both store.ErrDenied", perr, derr)
		}
		errs = append(errs, perr, derr)
	}
	logged.Keeps(t, secret, errs...)
	logged.Keeps(t, "that-nobody-may-see", errs...)
}

// rightSecret does with a store whatever may write to the log or return an error.
func rightSecret(t *testing.T, b *bench) {
	var logged Log
	st, secret := b.Server.(Login).OpenLogin(t, logged.Logger())
	t.Cleanup(func() { _ = st.Close() })
	ctx := Deadline(t, patience(t))
	snap, err := st.Read(ctx)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = st.Read(gone)
	errs := []error{err, st.Wait(gone, snap.Revision)}
	if w, ok := st.(store.Writer); ok {
		if _, err := w.Put(ctx, "confd/a", "1", store.Cond{}); err != nil {
			t.Fatalf("Put: %v", err)
		}
		_, err = w.Put(ctx, "confd/a", "2", store.Cond{Absent: true})
		errs = append(errs, err, w.Delete(ctx, "confd/none", store.Cond{}), w.Delete(gone, "confd/a", store.Cond{}))
	}
	errs = append(errs, st.Close())
	_, err = st.Read(ctx)
	logged.Keeps(t, secret, append(errs, err)...)
}

// renews lets what the store has logged in with end, twice: it has to log in
// again by itself, and must take the refusal neither for an empty tree nor for a
// wrong password.
func renews(t *testing.T, b *bench) {
	srv := b.Server.(Expiring)
	b.close(t)
	b.st, b.seen = srv.OpenExpiring(t), map[store.Revision]string{}
	b.Put(t, "confd/stays", "1")
	for n := range 2 {
		b.Put(t, "confd/a", strconv.Itoa(n))
		since := b.readAgain(t, is("confd/a", strconv.Itoa(n))).Revision
		srv.Expire(t)
		b.readAgain(t, func(snap store.Snapshot) bool {
			if len(snap.Entries) != 2 {
				t.Fatalf("after the end of a login Read shows %s", show(snap))
			}
			return true
		})
		b.Delete(t, "confd/a")
		ctx := Deadline(t, patience(t))
		if err := again(ctx, func() error { return b.st.Wait(ctx, since) }); err != nil {
			t.Fatalf("Wait: %v", err)
		}
		b.readAgain(t, holds(map[string]string{"confd/stays": "1"}))
		srv.Expire(t)
		if w, ok := b.st.(store.Writer); ok {
			if _, err := w.Put(ctx, "confd/stays", "1", store.Cond{}); err != nil {
				t.Errorf("Put after the end of a login: %v", err)
			}
		}
	}
}
