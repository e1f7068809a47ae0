package etcdv3_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

// Data that vanished while we were away is an empty tree, but only because a
// server said so.
func TestWipedWhileAway(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	e.Put(t, root+"/confd/a", "1")
	st := openNodes(t, e.Endpoint)
	before := storetest.ReadUntil(t, st, "confd/a=1")
	e.Stop(t)
	e.Wipe(t)
	storetest.ReadUntilAway(t, st)
	e.Start(t)
	after := storetest.ReadUntil(t, st, "")
	if after.Revision == before.Revision {
		t.Fatalf("revision %s stands for two contents", after.Revision)
	}
	// The new server reaches revisions that the old one had with other content.
	for _, v := range []string{"2", "3"} {
		e.Put(t, root+"/confd/a", v)
		if snap := storetest.ReadUntil(t, st, "confd/a="+v); snap.Revision == before.Revision || snap.Revision == after.Revision {
			t.Fatalf("revision %s stands for two contents", snap.Revision)
		}
	}
}

// A restored backup has an older revision; a watch that is resumed at the newer
// one would be silent until the server got there again, and miss everything
// before.
func TestRestoredToAnOlderRevision(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	e.Put(t, root+"/confd/a", "old")
	e.Stop(t)
	backup := e.Save(t)
	e.Start(t)
	st := openNodes(t, e.Endpoint)
	seen := map[store.Revision]string{storetest.ReadUntil(t, st, "confd/a=old").Revision: "old"}
	for i := range 5 {
		want := fmt.Sprintf("confd/a=new%d", i)
		e.Put(t, root+"/confd/a", fmt.Sprintf("new%d", i))
		seen[storetest.ReadUntil(t, st, want).Revision] = want
	}
	newest := e.Revision(t)
	e.Stop(t)
	e.Restore(t, backup)
	e.Start(t)
	if now := e.Revision(t); now >= newest {
		t.Fatalf("the backup is at revision %d, no older than %d", now, newest)
	}
	storetest.ReadUntil(t, st, "confd/a=old")
	// It now lives through the very revisions that meant something else before.
	for i := range 8 {
		since := storetest.ReadUntil(t, st, "confd/a=").Revision
		e.Put(t, root+"/confd/a", fmt.Sprintf("again%d", i))
		storetest.Wait(t, st, since)
		snap := storetest.ReadUntil(t, st, fmt.Sprintf("confd/a=again%d", i))
		if was, ok := seen[snap.Revision]; ok {
			t.Fatalf("revision %s stands for %q and for again%d", snap.Revision, was, i)
		}
		seen[snap.Revision] = fmt.Sprintf("again%d", i)
	}
}

// While the network is cut the server compacts what we would have to catch up on.
func TestCompactedWhileAway(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	relay := testserver.StartRelay(t, strings.TrimPrefix(e.Endpoint, "http://"))
	st := openNodes(t, relay.Address)
	e.Put(t, root+"/confd/gone", "1")
	e.Put(t, root+"/confd/a", "1")
	since := storetest.ReadUntil(t, st, "confd/a=1 confd/gone=1").Revision
	relay.Cut()
	storetest.ReadUntilAway(t, st)
	e.Delete(t, root+"/confd/gone")
	for i := range 20 {
		e.Put(t, root+"/confd/a", strconv.Itoa(i))
	}
	e.Compact(t)
	e.Put(t, root+"/confd/a", "last")
	relay.Heal()
	storetest.Until(t, "Wait", func() error { return st.Wait(storetest.Deadline(t, storetest.Patience), since) })
	storetest.ReadUntil(t, st, "confd/a=last")
}

// A cut that nothing changed across moves no revision, so nothing restarts.
func TestCutWithoutAChange(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	relay := testserver.StartRelay(t, strings.TrimPrefix(e.Endpoint, "http://"))
	st := openNodes(t, relay.Address)
	e.Put(t, root+"/confd/a", "1")
	before := storetest.ReadUntil(t, st, "confd/a=1")
	e.Put(t, "/elsewhere", "moves the server's revision, and not ours")
	for range 3 {
		relay.Cut()
		storetest.ReadUntilAway(t, st)
		relay.Heal()
		if after := storetest.ReadUntil(t, st, "confd/a=1"); after.Revision != before.Revision {
			t.Fatalf("the revision moved from %s to %s", before.Revision, after.Revision)
		}
	}
}

// A frozen server keeps its connections open, and must not pass for a quiet one.
func TestFrozenServerIsNotQuiet(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	e.Put(t, root+"/confd/a", "1")
	st := openNodes(t, e.Endpoint)
	since := storetest.ReadUntil(t, st, "confd/a=1").Revision
	waiting := make(chan error, 1)
	go func() { waiting <- st.Wait(t.Context(), since) }()
	e.Pause(t)
	storetest.ReadUntilAway(t, st)
	if err := <-waiting; !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Wait: %v, which is not store.ErrUnavailable", err)
	}
	e.Resume(t)
	storetest.ReadUntil(t, st, "confd/a=1")
	e.Put(t, root+"/confd/a", "2")
	storetest.ReadUntil(t, st, "confd/a=2")
}

// Nobody may read for minutes: a frozen server is noticed all the same.
func TestFrozenServerIsNoticedByItself(t *testing.T) {
	t.Parallel() // it takes as long as gRPC's shortest keep-alive
	e := testserver.StartEtcd(t)
	st := openNodes(t, e.Endpoint)
	since := storetest.ReadUntil(t, st, "").Revision
	e.Pause(t)
	if err := st.Wait(storetest.Deadline(t, storetest.Patience), since); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("Wait: %v, which is not store.ErrUnavailable", err)
	}
	e.Resume(t)
	storetest.Until(t, "Wait", func() error { return st.Wait(storetest.Deadline(t, storetest.Patience), "") })
}

func TestClusterLosesItsLeader(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*testserver.Etcd){
		"killed": func(e *testserver.Etcd) { e.Stop(t) },
		"frozen": func(e *testserver.Etcd) { e.Pause(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nodes := testserver.StartEtcdCluster(t, 3)
			st := openNodes(t, endpoints(nodes)...)
			leader, others := split(t, nodes)
			others[0].Put(t, root+"/confd/a", "1")
			storetest.ReadUntil(t, st, "confd/a=1")
			lose(leader)
			putSoon(t, others[0], root+"/confd/a", "2")
			storetest.ReadUntil(t, st, "confd/a=2")
		})
	}
}

// A member that is cut off from the others answers, but knows nothing new: it
// must not look like a store where nothing happens.
func TestMinorityIsNotQuiet(t *testing.T) {
	t.Parallel()
	nodes := testserver.StartEtcdCluster(t, 3)
	st := openNodes(t, nodes[0].Endpoint)
	nodes[0].Put(t, root+"/confd/a", "1")
	since := storetest.ReadUntil(t, st, "confd/a=1").Revision
	waiting := make(chan error, 1)
	go func() { waiting <- st.Wait(t.Context(), since) }()
	nodes[1].Pause(t)
	nodes[2].Pause(t)
	storetest.ReadUntilAway(t, st)
	if err := <-waiting; !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Wait: %v, which is not store.ErrUnavailable", err)
	}
	nodes[1].Resume(t)
	nodes[2].Resume(t)
	storetest.ReadUntil(t, st, "confd/a=1")
}

func TestNextNodeIsUsed(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	e.Put(t, root+"/confd/a", "1")
	st := openNodes(t, "127.0.0.1:1", e.Endpoint)
	storetest.ReadUntil(t, st, "confd/a=1")
}

func endpoints(nodes []*testserver.Etcd) []string {
	out := make([]string, len(nodes))
	for i, n := range nodes {
		out[i] = n.Endpoint
	}
	return out
}

// split returns the leader of a cluster and the others.
func split(t *testing.T, nodes []*testserver.Etcd) (leader *testserver.Etcd, others []*testserver.Etcd) {
	t.Helper()
	for _, n := range nodes {
		if leader == nil && n.IsLeader(t) {
			leader = n
		} else {
			others = append(others, n)
		}
	}
	if leader == nil {
		t.Fatal("the cluster has no leader")
	}
	return leader, others
}

// putSoon writes a key as soon as the cluster has a leader again.
func putSoon(t *testing.T, e *testserver.Etcd, key, value string) {
	t.Helper()
	cli := client(t, e.Endpoint)
	storetest.Until(t, "put", func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := cli.Put(ctx, key, value)
		return err
	})
}
