package etcdv3_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

func TestTLS(t *testing.T) {
	t.Parallel()
	ca := testserver.NewCA(t)
	stranger, ours, theirs := ca.Two(t)
	e := testserver.StartEtcd(t, testserver.WithEtcdTLS(ca, true))
	e.Put(t, root+"/confd/a", "1")
	files := storetest.Certificates{
		CA: ca.File, Cert: ours.Cert, Key: ours.Key,
		Stranger: stranger.File, TheirCert: theirs.Cert, TheirKey: theirs.Key,
	}
	storetest.TLS(t, files, func(t *testing.T, v spec.Values) store.Store {
		v["nodes"] = []string{strings.TrimPrefix(e.Endpoint, "https://")}
		return openValues(t, nil, v)
	})
}

// A role that grants just our keys is enough; upstream had to read all of them.
func TestAuth(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	e.EnableAuth(t, "agent", "right", root+"/")
	st := openValues(t, nil, login(e, "right"))
	e.Put(t, root+"/confd/a", "1")
	since := storetest.ReadUntil(t, st, "confd/a=1").Revision
	if _, err := st.(store.Writer).Put(t.Context(), "confd/b", "2", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	storetest.Wait(t, st, since)
	storetest.ReadUntil(t, st, "confd/a=1 confd/b=2")
}

func TestNoLoginWhereOneIsNeeded(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	e.EnableAuth(t, "agent", "right", root+"/")
	st := openNodes(t, e.Endpoint)
	if _, err := st.Read(storetest.Deadline(t, storetest.Patience)); !errors.Is(err, store.ErrDenied) {
		t.Errorf("Read: %v", err)
	}
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "1", store.Cond{}); !errors.Is(err, store.ErrDenied) {
		t.Errorf("Put: %v", err)
	}
}

func TestRoleForOtherKeysOnly(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	e.EnableAuth(t, "agent", "right", "/other/")
	st := openValues(t, nil, login(e, "right"))
	if _, err := st.Read(storetest.Deadline(t, storetest.Patience)); !errors.Is(err, store.ErrDenied) {
		t.Errorf("Read: %v", err)
	}
}

// A wrong password is no reason to give up: the operator sets it right on the
// server, and the store goes on.
func TestPasswordIsSetRight(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-of-the-agent"
	var logged storetest.Log
	e := testserver.StartEtcd(t)
	e.EnableAuth(t, "agent", "another", root+"/")
	st := openValues(t, slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})), login(e, secret))
	_, err := st.Read(storetest.Deadline(t, storetest.Patience))
	if !errors.Is(err, store.ErrDenied) {
		t.Fatalf("Read: %v", err)
	}
	_, werr := st.(store.Writer).Put(t.Context(), "confd/a", "1", store.Cond{})
	if !errors.Is(werr, store.ErrDenied) {
		t.Fatalf("Put: %v", werr)
	}
	if told := fmt.Sprintf("%+v %+v %s", err, werr, logged.String()); strings.Contains(told, secret) {
		t.Fatalf("the password is in %s", told)
	}
	e.SetPassword(t, "agent", secret)
	storetest.ReadUntil(t, st, "")
}

// Tokens run out after the server's time; nobody may notice.
func TestTokenRunsOut(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t, testserver.WithEtcdArgs("--auth-token-ttl", "1"))
	e.EnableAuth(t, "agent", "right", root+"/")
	st := openValues(t, nil, login(e, "right"))
	w := st.(store.Writer)
	if _, err := w.Put(t.Context(), "confd/a", "0", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	storetest.ReadUntil(t, st, "confd/a=0")
	for n := 1; n <= 2; n++ {
		// Every use renews a token, so it cannot be asked whether it still works:
		// only time makes it too old.
		<-storetest.Deadline(t, 1500*time.Millisecond).Done()
		since := storetest.ReadUntil(t, st, "confd/a=").Revision
		if _, err := w.Put(t.Context(), "confd/a", strconv.Itoa(n), store.Cond{}); err != nil {
			t.Fatal(err)
		}
		storetest.Wait(t, st, since)
		storetest.ReadUntil(t, st, fmt.Sprintf("confd/a=%d", n))
	}
}

func login(e *testserver.Etcd, password string) spec.Values {
	return spec.Values{"nodes": []string{e.Endpoint}, "basic_auth": true, "username": "agent", "password": password}
}
