package zookeeper_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-zookeeper/zk"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

// The server's own TLS port, with both sides asked for a certificate.
func TestTLS(t *testing.T) {
	t.Parallel()
	ca := testserver.NewCA(t)
	stranger, ours, theirs := ca.Two(t)
	z := testserver.StartZooKeeper(t, testserver.WithZooKeeperTLS(ca, true))
	z.Put(t, root+"/confd/a", "1")
	files := storetest.Certificates{
		CA: ca.File, Cert: ours.Cert, Key: ours.Key,
		Stranger: stranger.File, TheirCert: theirs.Cert, TheirKey: theirs.Key,
	}
	storetest.TLS(t, files, func(t *testing.T, v spec.Values) store.Store {
		v["nodes"] = []string{z.SecureAddress}
		return openValues(t, nil, root, v)
	})
}

// Every case about permissions has a root of its own on one server.
func TestPermissions(t *testing.T) {
	t.Parallel()
	onOneServer(t, map[string]func(*testing.T, *testserver.ZooKeeper, string){
		"a login reads and writes":                           loginWorks,
		"no login where one is needed":                       loginMissing,
		"one node that is not ours is no hole in the tree":   oneNodeDenied,
		"a new root belongs to who makes it":                 newRoot,
		"a new key has the permissions of its folder":        inherits,
		"permissions that are hidden cannot be passed on":    hidden,
		"reading and following needs the permission to read": readOnly,
	})
}

func loginWorks(t *testing.T, z *testserver.ZooKeeper, root string) {
	z.Put(t, root+"/confd/a", "1")
	z.Protect(t, root, "agent", "pass:word")
	st := openValues(t, nil, root, login(z.Address, "pass:word"))
	since := storetest.ReadUntil(t, st, "confd/a=1").Revision
	put(t, st, "confd/b", "2", store.Cond{})
	wait(t, st, since)
	storetest.ReadUntil(t, st, "confd/a=1 confd/b=2")
	if err := st.(store.Writer).Delete(t.Context(), "confd/a", store.Cond{}); err != nil {
		t.Error(err)
	}
	storetest.ReadUntil(t, st, "confd/b=2")
}

func loginMissing(t *testing.T, z *testserver.ZooKeeper, root string) {
	z.Put(t, root+"/confd/a", "1")
	z.Protect(t, root, "agent", "right")
	st := openValues(t, nil, root, spec.Values{"nodes": []string{z.Address}})
	denied(t, st)
	for _, key := range []string{"confd/a", "confd/new"} {
		if _, err := st.(store.Writer).Put(t.Context(), key, "2", store.Cond{}); !errors.Is(err, store.ErrDenied) {
			t.Errorf("Put: %v", err)
		}
	}
	if err := st.(store.Writer).Delete(t.Context(), "confd/a", store.Cond{}); !errors.Is(err, store.ErrDenied) {
		t.Errorf("Delete: %v", err)
	}
}

func denied(t *testing.T, st store.Store) {
	t.Helper()
	storetest.Until(t, "a denied Read", func() error {
		snap, err := st.Read(storetest.Deadline(t, storetest.Patience))
		if err == nil {
			return fmt.Errorf("it shows %v", snap.Entries)
		}
		if !errors.Is(err, store.ErrDenied) {
			t.Fatalf("Read: %v, which is not store.ErrDenied", err)
		}
		return nil
	})
}

func oneNodeDenied(t *testing.T, z *testserver.ZooKeeper, root string) {
	z.Put(t, root+"/confd/a", "1")
	z.Put(t, root+"/confd/theirs", "1")
	z.Protect(t, root+"/confd/theirs", "somebody", "else")
	st := openValues(t, nil, root, login(z.Address, "right"))
	denied(t, st)
	_, err := st.Read(t.Context())
	if !strings.Contains(err.Error(), root+"/confd/theirs") {
		t.Errorf("the error does not name the node: %v", err)
	}
	z.SetACL(t, root+"/confd/theirs", zk.WorldACL(zk.PermAll))
	storetest.ReadUntil(t, st, "confd/a=1 confd/theirs=1")
}

// The server tells nobody that permissions have changed, and tells those who
// have none any more of no change either: until the next list the store may show
// what it had, and then says that it is denied.
func takenAway(t *testing.T, z *testserver.ZooKeeper, root string) {
	z.Put(t, root+"/confd/a", "1")
	z.Put(t, root+"/confd/b", "1")
	relay := testserver.StartRelay(t, z.Address)
	st := openValues(t, nil, root, login(relay.Address, "right"))
	storetest.ReadUntil(t, st, "confd/a=1 confd/b=1")
	z.Protect(t, root, "agent", "another")
	z.Delete(t, root+"/confd/b")
	z.Put(t, root+"/confd/a", "2")
	relay.Cut()
	storetest.ReadUntilAway(t, st)
	relay.Heal()
	storetest.Until(t, "a denied Read", func() error {
		if snap, err := st.Read(storetest.Deadline(t, storetest.Patience)); !errors.Is(err, store.ErrDenied) {
			return fmt.Errorf("%v, %w", snap.Entries, err)
		}
		return nil
	})
	z.Protect(t, root, "agent", "right")
	storetest.ReadUntil(t, st, "confd/a=2")
}

func newRoot(t *testing.T, z *testserver.ZooKeeper, root string) {
	st := openValues(t, nil, root, login(z.Address, "right"))
	put(t, st, "confd/a", "1", store.Cond{})
	storetest.ReadUntil(t, st, "confd/a=1")
	denied(t, openValues(t, nil, root, spec.Values{"nodes": []string{z.Address}}))
	open := openValues(t, nil, root+"-open", spec.Values{"nodes": []string{z.Address}})
	put(t, open, "confd/a", "1", store.Cond{})
	storetest.ReadUntil(t, openValues(t, nil, root+"-open", login(z.Address, "whoever")), "confd/a=1")
}

func inherits(t *testing.T, z *testserver.ZooKeeper, root string) {
	z.Put(t, root+"/confd/a", "1")
	readers := append(zk.DigestACL(zk.PermAll, "agent", "right"), zk.DigestACL(zk.PermRead, "reader", "reads")...)
	z.SetACL(t, root, readers)
	put(t, openValues(t, nil, root, login(z.Address, "right")), "confd/deep/b", "2", store.Cond{})
	v := login(z.Address, "reads")
	v["username"] = "reader"
	storetest.ReadUntil(t, openValues(t, nil, root, v), "confd/a=1 confd/deep/b=2")
}

func hidden(t *testing.T, z *testserver.ZooKeeper, root string) {
	z.Put(t, root+"/confd/a", "1")
	z.SetACL(t, root, append(zk.DigestACL(zk.PermAll&^zk.PermAdmin, "agent", "right"), zk.DigestACL(zk.PermRead, "reader", "reads")...))
	st := openValues(t, nil, root, login(z.Address, "right"))
	put(t, st, "confd/a", "2", store.Cond{}) // what is there can be written
	_, err := st.(store.Writer).Put(t.Context(), "confd/b", "1", store.Cond{})
	if !errors.Is(err, store.ErrDenied) || !strings.Contains(err.Error(), "ADMIN") {
		t.Errorf("Put: %v", err)
	}
	storetest.ReadUntil(t, st, "confd/a=2")
}

func readOnly(t *testing.T, z *testserver.ZooKeeper, root string) {
	z.Put(t, root+"/confd/a", "1")
	z.SetACL(t, root, zk.DigestACL(zk.PermRead, "agent", "right"))
	st := openValues(t, nil, root, login(z.Address, "right"))
	since := storetest.ReadUntil(t, st, "confd/a=1").Revision
	z.Put(t, root+"/confd/a", "2")
	wait(t, st, since)
	storetest.ReadUntil(t, st, "confd/a=2")
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "3", store.Cond{}); !errors.Is(err, store.ErrDenied) {
		t.Errorf("Put: %v", err)
	}
}

// Neither an error nor the log of a store holds its password, whatever goes
// wrong.
func passwordToldToNobody(t *testing.T, z *testserver.ZooKeeper, root string) {
	const secret = "s3cr3t-of-the-agent"
	var logged storetest.Log
	z.Put(t, root+"/confd/a", "1")
	z.Protect(t, root, "agent", "another")
	relay := testserver.StartRelay(t, z.Address)
	st := openValues(t, logged.Logger(), root, login(relay.Address, secret))
	var errs []error
	for _, cut := range []func(){func() {}, relay.Cut} {
		cut()
		_, err := st.Read(storetest.Deadline(t, storetest.Patience))
		_, werr := st.(store.Writer).Put(storetest.Deadline(t, storetest.Patience), "confd/b", "1", store.Cond{})
		if err == nil || werr == nil {
			t.Fatalf("Read: %v, Put: %v", err, werr)
		}
		errs = append(errs, err, werr)
	}
	logged.Keeps(t, secret, errs...)
}
