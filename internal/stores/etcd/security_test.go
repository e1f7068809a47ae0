package etcd_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

func TestTLS(t *testing.T) {
	t.Parallel()
	ca := testserver.NewCA(t)
	stranger, ours, theirs := ca.Two(t)
	e := start(t, testserver.WithEtcdTLS(ca, true))
	e.PutV2(t, root+"/confd/a", "1")
	files := storetest.Certificates{
		CA: ca.File, Cert: ours.Cert, Key: ours.Key,
		Stranger: stranger.File, TheirCert: theirs.Cert, TheirKey: theirs.Key,
	}
	storetest.TLS(t, files, func(t *testing.T, v spec.Values) store.Store {
		v["nodes"] = []string{strings.TrimPrefix(e.Endpoint, "https://")}
		return openValues(t, nil, v)
	})
}

// A role for what is below our root is enough: for the list, the polls and the
// writes.
func TestRoleForJustOurKeys(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.EnableAuthV2(t, "agent", "right", root+"/*")
	st := openValues(t, nil, login(e, "right"))
	e.PutV2(t, root+"/confd/a", "1")
	since := storetest.ReadUntil(t, st, "confd/a=1").Revision
	if _, err := st.(store.Writer).Put(t.Context(), "confd/b", "2", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	storetest.Wait(t, st, since)
	storetest.ReadUntil(t, st, "confd/a=1 confd/b=2")
}

// Who may not read is told so, and does not take it for an empty tree.
func TestWithoutPermission(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.EnableAuthV2(t, "agent", "right", "/other/*")
	e.PutV2(t, root+"/confd/a", "1")
	for name, v := range map[string]spec.Values{
		"a role for other keys": login(e, "right"),
		"no login":              {"nodes": []string{e.Endpoint}},
		"no such user":          {"nodes": []string{e.Endpoint}, "username": "nobody", "password": "right"},
	} {
		t.Run(name, func(t *testing.T) {
			st := openValues(t, nil, v)
			if snap, err := st.Read(storetest.Deadline(t, storetest.Patience)); !errors.Is(err, store.ErrDenied) {
				t.Errorf("Read: %v, %v", snap, err)
			}
			if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "1", store.Cond{}); !errors.Is(err, store.ErrDenied) {
				t.Errorf("Put: %v", err)
			}
			if err := st.(store.Writer).Delete(t.Context(), "confd/a", store.Cond{}); !errors.Is(err, store.ErrDenied) {
				t.Errorf("Delete: %v", err)
			}
		})
	}
}

// A wrong password is no reason to give up: the operator sets it right on the
// server, and the store goes on. And when it is taken back, that is no deletion.
func TestPasswordIsSetRight(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-of-the-agent"
	var logged storetest.Log
	e := start(t)
	e.EnableAuthV2(t, "agent", "another", root+"/*")
	e.PutV2(t, root+"/confd/a", "1")
	st := openValues(t, slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})), login(e, secret))
	_, err := st.Read(storetest.Deadline(t, storetest.Patience))
	if !errors.Is(err, store.ErrDenied) {
		t.Fatalf("Read: %v", err)
	}
	_, werr := st.(store.Writer).Put(t.Context(), "confd/a", "1", store.Cond{})
	if !errors.Is(werr, store.ErrDenied) {
		t.Fatalf("Put: %v", werr)
	}
	e.SetPasswordV2(t, "agent", secret)
	storetest.ReadUntil(t, st, "confd/a=1")
	e.SetPasswordV2(t, "agent", "another")
	storetest.Until(t, "a denied Read", func() error {
		snap, err := st.Read(storetest.Deadline(t, storetest.Patience))
		if err == nil && len(snap.Entries) == 0 {
			t.Fatal("who is denied reads an empty tree")
		}
		if !errors.Is(err, store.ErrDenied) {
			return fmt.Errorf("Read is not denied: %w", err)
		}
		return nil
	})
	if told := fmt.Sprintf("%+v %+v %s", err, werr, logged.String()); strings.Contains(told, secret) || strings.Contains(told, "Basic ") {
		t.Fatalf("the password is in %s", told)
	}
}
