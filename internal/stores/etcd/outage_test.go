package etcd_test

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/etcd"
	"datakit.dev/internal/testserver"
)

// The server remembers 1,000 changes. Whoever has missed more has to list.
func TestEventsAreForgottenWhileAway(t *testing.T) {
	t.Parallel()
	e := start(t)
	relay := testserver.StartRelay(t, strings.TrimPrefix(e.Endpoint, "http://"))
	st := openNodes(t, relay.Address)
	e.PutV2(t, root+"/confd/gone", "1")
	e.PutV2(t, root+"/confd/a", "1")
	since := storetest.ReadUntil(t, st, "confd/a=1 confd/gone=1").Revision
	relay.Cut()
	storetest.ReadUntilAway(t, st)
	e.DeleteV2(t, root+"/confd/gone")
	flood(t, e)
	e.PutV2(t, root+"/confd/a", "last")
	relay.Heal()
	storetest.Until(t, "Wait", func() error { return st.Wait(storetest.Deadline(t, storetest.Patience), since) })
	storetest.ReadUntil(t, st, "confd/a=last")
}

// Thousands of changes beside our keys cost us nothing, and neither hide one of
// ours nor move our revision.
func TestNeighboursWriteALot(t *testing.T) {
	t.Parallel()
	e := start(t)
	st := openNodes(t, e.Endpoint)
	e.PutV2(t, root+"/confd/a", "1")
	before := storetest.ReadUntil(t, st, "confd/a=1")
	flood(t, e)
	if after := storetest.ReadUntil(t, st, "confd/a=1"); after.Revision != before.Revision {
		t.Errorf("the revision moved from %s to %s", before.Revision, after.Revision)
	}
	e.PutV2(t, root+"/confd/a", "2")
	storetest.Wait(t, st, before.Revision)
	storetest.ReadUntil(t, st, "confd/a=2")
}

// flood makes the server forget every change before it, and proves that it has.
func flood(t *testing.T, e *testserver.Etcd) {
	t.Helper()
	first := e.IndexV2(t)
	for i := range 1100 {
		e.PutV2(t, "/elsewhere", strconv.Itoa(i))
	}
	if a := e.DoV2(t, "GET", "/v2/keys/elsewhere?wait=true&waitIndex="+first, nil); !strings.Contains(a.Body, `"errorCode":401`) {
		t.Fatalf("the server still knows index %s: %d %s", first, a.Status, a.Body)
	}
}

// Data that vanished while we were away is an empty tree, but only because a
// server said so.
func TestWipedWhileAway(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.PutV2(t, root+"/confd/a", "1")
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
	// The new server reaches indexes that the old one had with other content.
	for _, v := range []string{"2", "3"} {
		e.PutV2(t, root+"/confd/a", v)
		if snap := storetest.ReadUntil(t, st, "confd/a="+v); snap.Revision == before.Revision || snap.Revision == after.Revision {
			t.Fatalf("revision %s stands for two contents", snap.Revision)
		}
	}
}

// Nobody may read for minutes: a frozen server is noticed all the same.
func TestFrozenServerIsNoticedByItself(t *testing.T) {
	t.Parallel()
	e := start(t)
	st := openHolding(t, e, time.Second)
	since := storetest.ReadUntil(t, st, "").Revision
	e.Pause(t)
	if err := st.Wait(storetest.Deadline(t, storetest.Patience), since); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("Wait: %v, which is not store.ErrUnavailable", err)
	}
	e.Resume(t)
	storetest.Until(t, "Wait", func() error { return st.Wait(storetest.Deadline(t, storetest.Patience), "") })
}

// A poll that brought nothing goes on with the change after it, and costs no
// list.
func TestQuietForLongerThanAPoll(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.PutV2(t, root+"/confd/a", "1")
	st := openHolding(t, e, 50*time.Millisecond)
	since := storetest.ReadUntil(t, st, "confd/a=1").Revision
	before := lists(t, e)
	if err := st.Wait(storetest.Deadline(t, 300*time.Millisecond), since); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Wait of a quiet store: %v", err)
	}
	e.PutV2(t, root+"/confd/a", "2")
	storetest.Wait(t, st, since)
	storetest.ReadUntil(t, st, "confd/a=2")
	if after := lists(t, e); after != before {
		t.Errorf("%s lists before, %s after", before, after)
	}
}

// A server that was set back behind our back answers polls for an index that it
// has not reached, and never tells of a change.
func TestPollsForAnIndexThatIsNotThereYet(t *testing.T) {
	t.Parallel()
	one, other := start(t), start(t)
	for i := range 20 {
		one.PutV2(t, root+"/confd/a", strconv.Itoa(i))
	}
	other.PutV2(t, root+"/confd/a", "restored")
	front := testserver.StartRelay(t, strings.TrimPrefix(one.Endpoint, "http://"))
	behind := testserver.StartRelay(t, strings.TrimPrefix(other.Endpoint, "http://"))
	behind.Cut()
	st := openValues(t, nil, spec.Values{"nodes": []string{front.Address, behind.Address}})
	since := storetest.ReadUntil(t, st, "confd/a=19").Revision
	// The poll itself goes on to the other node, and waits there.
	behind.Heal()
	front.Cut()
	storetest.ReadUntil(t, st, "confd/a=restored")
	storetest.Wait(t, st, since)
}

func openHolding(t *testing.T, e *testserver.Etcd, hold time.Duration) store.Store {
	t.Helper()
	st, err := etcd.OpenHolding(store.Options{Root: root, Values: spec.Values{"nodes": []string{e.Endpoint}}}, hold)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func TestClusterLosesItsLeader(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*testserver.Etcd){
		"killed": func(e *testserver.Etcd) { e.Stop(t) },
		"frozen": func(e *testserver.Etcd) { e.Pause(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nodes := testserver.StartEtcdCluster(t, 3, testserver.WithEtcdV2())
			st := openNodes(t, endpoints(nodes)...)
			leader, others := split(t, nodes)
			others[0].PutV2(t, root+"/confd/a", "1")
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
	nodes := testserver.StartEtcdCluster(t, 3, testserver.WithEtcdV2())
	st := openNodes(t, nodes[0].Endpoint)
	nodes[0].PutV2(t, root+"/confd/a", "1")
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
	e := start(t)
	e.PutV2(t, root+"/confd/a", "1")
	storetest.ReadUntil(t, openNodes(t, "127.0.0.1:1", e.Endpoint), "confd/a=1")
}

// etcd 3.4 answers 404 where its v2 API is off. That is no empty tree.
func TestServerWithoutTheV2API(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	st := openNodes(t, e.Endpoint)
	snap, err := st.Read(storetest.Deadline(t, storetest.Patience))
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "--enable-v2=true") {
		t.Errorf("Read: %v, %v", snap, err)
	}
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "1", store.Cond{}); err == nil || errors.Is(err, store.ErrConflict) {
		t.Errorf("Put: %v", err)
	}
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
	storetest.Until(t, "put", func() error {
		a := e.DoV2(t, "PUT", "/v2/keys"+key, url.Values{"value": {value}})
		if a.Status >= 500 {
			return errors.New(a.Body)
		}
		return nil
	})
}
