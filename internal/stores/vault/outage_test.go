package vault_test

import (
	"errors"
	"strings"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

// A server that was restarted is sealed until an operator unseals it: the store
// is away, and nothing is deleted.
func TestSealed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Put(t, "confd/a", "1")
	st := s.open(t, readWrite)
	before := storetest.ReadUntil(t, st, "confd/a=1")
	sealed := func(what string) {
		t.Helper()
		if _, err := st.Read(t.Context()); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "sealed") {
			t.Errorf("%s: Read: %v", what, err)
		}
		if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "2", store.Cond{}); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: Put: %v", what, err)
		}
	}
	s.Seal(t)
	sealed("sealed by hand")
	s.Unseal(t)
	if after := storetest.ReadUntil(t, st, "confd/a=1"); after.Revision != before.Revision {
		t.Errorf("the revision moved from %s to %s", before.Revision, after.Revision)
	}
	s.Stop(t)
	s.StartSealed(t)
	sealed("restarted")
	s.Unseal(t)
	storetest.ReadUntil(t, st, "confd/a=1")
}

// A sealed node, and one that is not there, are passed over.
func TestNextNodeIsUsed(t *testing.T) {
	t.Parallel()
	sealed, s := testserver.StartVault(t), newSite(t)
	sealed.Seal(t)
	s.Put(t, "confd/a", "1")
	st := openStore(t, s.root(), nil, spec.Values{
		"nodes":      []string{"127.0.0.1:1", sealed.Endpoint, s.Endpoint},
		"auth_token": s.Root, "circle_interval": int64(1),
	})
	storetest.ReadUntil(t, st, "confd/a=1")
	if _, err := st.(store.Writer).Put(t.Context(), "confd/b", "2", store.Cond{Absent: true}); err != nil {
		t.Fatal(err)
	}
	storetest.ReadUntil(t, st, "confd/a=1 confd/b=2")
}

// A node that stands by passes requests on, or sends us to the active one; when
// that one goes it takes over.
func TestStandbyTakesOver(t *testing.T) {
	t.Parallel()
	nodes := testserver.StartVaultCluster(t, 3)
	s := &site{server: server{Vault: nodes[0], mount: "secret", folder: "datakit"}}
	s.mounted(t, 2)
	s.Put(t, "confd/a", "1")
	var endpoints []string
	for i := range nodes {
		endpoints = append(endpoints, nodes[len(nodes)-1-i].Endpoint) // the active one last
	}
	st := openStore(t, s.root(), nil, spec.Values{"nodes": endpoints, "auth_token": s.Root, "circle_interval": int64(1)})
	storetest.ReadUntil(t, st, "confd/a=1")
	nodes[0].Stop(t)
	storetest.ReadUntil(t, st, "confd/a=1")
	storetest.Until(t, "Put", func() error {
		_, err := st.(store.Writer).Put(t.Context(), "confd/a", "2", store.Cond{})
		return err
	})
	storetest.ReadUntil(t, st, "confd/a=2")
}

func TestTLS(t *testing.T) {
	t.Parallel()
	ca := testserver.NewCA(t)
	stranger, ours, theirs := ca.Two(t)
	s := newSite(t, testserver.WithVaultTLS(ca, true))
	s.Put(t, "confd/a", "1")
	files := storetest.Certificates{
		CA: ca.File, Cert: ours.Cert, Key: ours.Key,
		Stranger: stranger.File, TheirCert: theirs.Cert, TheirKey: theirs.Key,
	}
	storetest.TLS(t, files, func(t *testing.T, v spec.Values) store.Store {
		v["nodes"], v["auth_token"] = []string{strings.TrimPrefix(s.Endpoint, "https://")}, s.Root
		return openStore(t, s.root(), nil, v)
	})
}

// A restored server begins again with versions that meant something else.
func TestRestoredFromAnOlderSnapshot(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Put(t, "confd/a", "old")
	st := openStore(t, s.root(), nil, spec.Values{"nodes": []string{s.Endpoint}, "auth_token": s.Root, "circle_interval": int64(1)})
	storetest.ReadUntil(t, st, "confd/a=old")
	s.Vault.Stop(t)
	backup := s.Vault.Save(t)
	s.Vault.Start(t)
	s.Put(t, "confd/a", "lost")
	s.Put(t, "confd/b", "lost")
	before := storetest.ReadUntil(t, st, "confd/a=lost confd/b=lost")
	s.Vault.Stop(t)
	s.Restore(t, backup)
	s.Vault.Start(t)
	storetest.ReadUntil(t, st, "confd/a=old")
	s.Put(t, "confd/a", "again")
	after := storetest.ReadUntil(t, st, "confd/a=again")
	if after.Entries[0].Revision != before.Entries[0].Revision {
		t.Errorf("version %s is now %s: this test tests nothing", before.Entries[0].Revision, after.Entries[0].Revision)
	}
}
