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
	ca, stranger := testserver.NewCA(t), testserver.NewCA(t)
	e := testserver.StartEtcd(t, testserver.WithEtcdTLS(ca, true))
	e.Put(t, root+"/confd/a", "1")
	ours, theirs := ca.Issue(t, "agent"), stranger.Issue(t, "agent")
	host := strings.TrimPrefix(e.Endpoint, "https://")
	for name, c := range map[string]struct {
		options spec.Values
		works   bool
	}{
		"both sides known":             {spec.Values{"client_ca_keys": ca.File, "client_cert": ours.Cert, "client_key": ours.Key}, true},
		"without checking the server":  {spec.Values{"client_insecure": true, "client_cert": ours.Cert, "client_key": ours.Key}, true},
		"without a certificate":        {spec.Values{"client_ca_keys": ca.File}, false},
		"with a stranger's":            {spec.Values{"client_ca_keys": ca.File, "client_cert": theirs.Cert, "client_key": theirs.Key}, false},
		"a server signed by who knows": {spec.Values{"client_ca_keys": stranger.File, "client_cert": ours.Cert, "client_key": ours.Key}, false},
		"the system's authorities":     {spec.Values{"scheme": "https", "client_cert": ours.Cert, "client_key": ours.Key}, false},
		"a file that is missing":       {spec.Values{"client_ca_keys": "/no/such/ca.pem"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.options["nodes"] = []string{host}
			st := openValues(t, nil, c.options)
			if c.works {
				storetest.ReadUntil(t, st, "confd/a=1")
				return
			}
			snap, err := st.Read(storetest.Deadline(t, storetest.Patience))
			if !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrDenied) {
				t.Fatalf("Read: %v, %v", snap, err)
			}
		})
	}
}

// A certificate file that comes later is taken without a restart.
func TestCertificateComesLater(t *testing.T) {
	t.Parallel()
	ca := testserver.NewCA(t)
	e := testserver.StartEtcd(t, testserver.WithEtcdTLS(ca, true))
	e.Put(t, root+"/confd/a", "1")
	pair := ca.Issue(t, "agent")
	dir := t.TempDir()
	st := openValues(t, nil, spec.Values{
		"nodes": []string{e.Endpoint}, "client_ca_keys": ca.File, "client_cert": dir + "/cert.pem", "client_key": dir + "/key.pem",
	})
	_, err := st.Read(storetest.Deadline(t, storetest.Patience))
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "client_cert") {
		t.Fatalf("Read: %v, which does not name client_cert", err)
	}
	copyFile(t, pair.Cert, dir+"/cert.pem")
	copyFile(t, pair.Key, dir+"/key.pem")
	storetest.ReadUntil(t, st, "confd/a=1")
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
