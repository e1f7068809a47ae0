package storetest

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"datakit.dev/internal/store"
)

var faultCases = []testCase{
	{"a change made while the line was cut is seen", with[Line], cutLine},
	{"a cut without a change moves no revision", with[Line], func(t *testing.T, b *bench) {
		srv := b.Server.(Line)
		b.Put(t, "confd/a", "1")
		before := b.read(t, is("confd/a", "1"))
		srv.Cut(t)
		b.fails(t)
		srv.Mend(t)
		if after := b.readAgain(t, is("confd/a", "1")); after.Revision != before.Revision {
			t.Errorf("the revision moved from %s to %s with no write", before.Revision, after.Revision)
		}
	}},
	{"a frozen server is not a quiet one", with[Freezer], frozen},
	{"data restored from an older backup is seen", with[Rewinder], rewinds},
}

// fails reads until that fails, as it has to without a server.
func (b *bench) fails(t *testing.T) {
	t.Helper()
	Until(t, "a failing Read", func() error {
		_, err := b.look(Deadline(t, patience(t)), t)
		switch {
		case err == nil:
			return errNotYet
		case !isAway(err):
			t.Fatalf("Read: %v, which is not store.ErrUnavailable", err)
		}
		return nil
	})
}

// cutLine changes, adds and removes keys that the store cannot be told of.
func cutLine(t *testing.T, b *bench) {
	srv := b.Server.(Line)
	want := map[string]string{"confd/a": "1", "confd/b": "1"}
	for k, v := range want {
		b.Put(t, k, v)
	}
	since := b.read(t, holds(want)).Revision
	for n := range 3 {
		srv.Cut(t)
		if n > 0 { // the first time the store may not even have noticed
			b.fails(t)
		}
		b.Put(t, "confd/a", fmt.Sprint("new ", n))
		b.Put(t, "confd/"+strconv.Itoa(n), "1")
		want["confd/a"], want["confd/"+strconv.Itoa(n)] = fmt.Sprint("new ", n), "1"
		if n == 0 {
			b.Delete(t, "confd/b")
			delete(want, "confd/b")
		}
		srv.Mend(t)
		ctx := Deadline(t, patience(t))
		if err := again(ctx, func() error { return b.st.Wait(ctx, since) }); err != nil {
			t.Fatalf("Wait: %v", err)
		}
		since = b.readAgain(t, holds(want)).Revision
	}
}

// frozen stops a server in the midst of its work: reads end with their context,
// and whoever waits hears that nobody knows any more.
func frozen(t *testing.T, b *bench) {
	srv := b.Server.(Freezer)
	b.Put(t, "confd/a", "1")
	since := b.read(t, is("confd/a", "1")).Revision
	waits := b.background(Deadline(t, patience(t)), since)
	srv.Pause(t)
	thawed := false
	thaw := func() {
		if !thawed {
			thawed = true
			srv.Resume(t)
		}
	}
	defer thaw()
	Until(t, "a failing Read", func() error {
		read := make(chan error, 1)
		ctx := Deadline(t, 3*time.Second)
		go func() {
			_, err := b.st.Read(ctx)
			read <- err
		}()
		if err := receive(t, "Read of a frozen server", read); err == nil {
			return errNotYet // it has not been frozen for long
		}
		return nil
	})
	if err := receive(t, "Wait on a frozen server", waits); !isAway(err) {
		t.Errorf("Wait: %v, which is not store.ErrUnavailable", err)
	}
	thaw()
	b.Put(t, "confd/a", "2")
	b.readAgain(t, is("confd/a", "2"))
}

// rewinds sets the server back, and lets it live through the same number of
// writes again: the revisions that it then reaches have meant something else.
func rewinds(t *testing.T, b *bench) {
	srv := b.Server.(Rewinder)
	old := map[string]string{"confd/a": "old", "confd/b": "old"}
	for k, v := range old {
		b.Put(t, k, v)
	}
	b.read(t, holds(old))
	srv.Save(t)
	b.Delete(t, "confd/b")
	var since store.Revision
	for n := range 4 {
		b.Put(t, "confd/a", fmt.Sprint("new ", n))
		since = b.readAgain(t, holds(map[string]string{"confd/a": fmt.Sprint("new ", n)})).Revision
	}
	ctx := Deadline(t, patience(t))
	waits := make(chan error, 1)
	go func() { waits <- again(ctx, func() error { return b.st.Wait(ctx, since) }) }()
	srv.Rewind(t)
	if err := receive(t, "Wait", waits); err != nil {
		t.Fatalf("Wait: %v", err)
	}
	b.readAgain(t, holds(old))
	for n := range 8 {
		since := b.readAgain(t, is("confd/b", "old")).Revision
		b.Put(t, "confd/a", fmt.Sprint("again ", n))
		if err := again(ctx, func() error { return b.st.Wait(ctx, since) }); err != nil {
			t.Fatalf("Wait: %v", err)
		}
		b.readAgain(t, is("confd/a", fmt.Sprint("again ", n)))
	}
}
