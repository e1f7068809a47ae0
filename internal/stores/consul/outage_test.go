package consul_test

import (
	"errors"
	"testing"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

// Data that vanished while we were away is an empty tree, but only because a
// server said so.
func TestWipedWhileAway(t *testing.T) {
	t.Parallel()
	c := testserver.StartConsul(t)
	c.Put(t, dir+"confd/a", "1")
	st := openNodes(t, c.Endpoint)
	before := storetest.ReadUntil(t, st, "confd/a=1")
	c.Stop(t)
	c.Wipe(t)
	storetest.ReadUntilAway(t, st)
	c.Start(t)
	after := storetest.ReadUntil(t, st, "")
	if after.Revision == before.Revision {
		t.Fatalf("revision %s stands for two contents", after.Revision)
	}
	c.Put(t, dir+"confd/a", "2")
	if snap := storetest.ReadUntil(t, st, "confd/a=2"); snap.Revision == before.Revision {
		t.Fatalf("revision %s stands for two contents", snap.Revision)
	}
}

// On most machines an agent of Consul's own stands between: it answers even where
// no server is left.
func TestAgentBetween(t *testing.T) {
	t.Parallel()
	c := testserver.StartConsul(t)
	st := openNodes(t, testserver.StartConsulAgent(t, c).Endpoint)
	since := storetest.ReadUntil(t, st, "").Revision
	c.Put(t, dir+"confd/a", "1")
	storetest.Wait(t, st, since)
	before := storetest.ReadUntil(t, st, "confd/a=1")
	c.Stop(t)
	storetest.ReadUntilAway(t, st)
	c.Start(t)
	if after := storetest.ReadUntil(t, st, "confd/a=1"); after.Revision != before.Revision {
		t.Errorf("the revision moved from %s to %s with no write", before.Revision, after.Revision)
	}
	backup := c.Save(t)
	c.Put(t, dir+"confd/a", "2")
	storetest.ReadUntil(t, st, "confd/a=2")
	c.Restore(t, backup)
	storetest.ReadUntil(t, st, "confd/a=1")
}

// One cluster goes through it all: no node at the first address, the leader
// killed, another one frozen, and most of the servers gone.
func TestCluster(t *testing.T) {
	t.Parallel()
	servers := testserver.StartConsulCluster(t, 3)
	addresses := []string{"127.0.0.1:1"}
	for _, s := range servers {
		addresses = append(addresses, s.Endpoint)
	}
	st := openNodes(t, addresses...)
	leader, others := split(t, servers)
	others[0].Put(t, dir+"confd/a", "1")
	storetest.ReadUntil(t, st, "confd/a=1")

	leader.Stop(t)
	putSoon(t, st, "confd/a", "2")
	storetest.ReadUntil(t, st, "confd/a=2")
	leader.Start(t)

	leader, others = split(t, servers)
	leader.Pause(t)
	putSoon(t, st, "confd/a", "3")
	storetest.ReadUntil(t, st, "confd/a=3")
	leader.Resume(t)
	storetest.ReadUntil(t, st, "confd/a=3")

	since := storetest.ReadUntil(t, st, "confd/a=3").Revision
	waiting := make(chan error, 1)
	go func() { waiting <- st.Wait(t.Context(), since) }()
	for _, s := range others {
		s.Stop(t)
	}
	storetest.ReadUntilAway(t, st) // one server is left, which answers, but knows nothing new
	if err := <-waiting; !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Wait: %v, which is not store.ErrUnavailable", err)
	}
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "4", store.Cond{}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Put: %v, which is not store.ErrUnavailable", err)
	}
	for _, s := range others {
		s.Start(t)
	}
	putSoon(t, st, "confd/a", "5")
	storetest.ReadUntil(t, st, "confd/a=5")
}

// split returns the leader of a cluster and the others.
func split(t *testing.T, servers []*testserver.Consul) (leader *testserver.Consul, others []*testserver.Consul) {
	t.Helper()
	for _, s := range servers {
		if leader == nil && s.IsLeader(t) {
			leader = s
		} else {
			others = append(others, s)
		}
	}
	if leader == nil {
		t.Fatal("the cluster has no leader")
	}
	return leader, others
}

// putSoon writes a key as soon as the cluster has a leader again.
func putSoon(t *testing.T, st store.Store, key, value string) {
	t.Helper()
	storetest.Until(t, "put", func() error {
		_, err := st.(store.Writer).Put(t.Context(), key, value, store.Cond{})
		return err
	})
}
