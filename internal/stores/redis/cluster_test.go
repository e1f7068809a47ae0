package redis_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	. "datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

// keyOn returns a key of ours that the node of that number has.
func keyOn(t *testing.T, nodes []*testserver.Redis, number int) string {
	t.Helper()
	for n := range 1000 {
		key := "confd/k" + strconv.Itoa(n)
		if ownerOf(t, nodes, root+"/"+key) == nodes[number] {
			return key
		}
	}
	t.Fatal("no key is on that node")
	return ""
}

// Each master alone tells of its own keys.
func TestEveryMasterOfAClusterIsHeard(t *testing.T) {
	t.Parallel()
	nodes := testserver.StartRedisCluster(t, 0)
	st := open(t, at(nodes[1]))
	since := ReadUntil(t, st, "").Revision
	if isPolling(st) {
		t.Error("it says that it polls")
	}
	var want []string
	for i, n := range nodes {
		key := keyOn(t, nodes, i)
		n.Put(t, root+"/"+key, "1")
		want = append(want, key+"=1")
		slices.Sort(want)
		since = waitFor(t, st, since, strings.Join(want, " "))
	}
	nodes[2].Do(t, "FLUSHALL")
	gone := keyOn(t, nodes, 2) + "=1"
	want = slices.DeleteFunc(want, func(s string) bool { return s == gone })
	waitFor(t, st, since, strings.Join(want, " "))
}

// One master that does not tell is enough to have to look.
func TestClusterOfWhichOneDoesNotTell(t *testing.T) {
	t.Parallel()
	nodes := testserver.StartRedisCluster(t, 0)
	nodes[2].Do(t, "CONFIG", "SET", "notify-keyspace-events", "")
	v := at(nodes[0])
	v["circle_interval"] = int64(1)
	st := open(t, v)
	since := ReadUntil(t, st, "").Revision
	if !isPolling(st) {
		t.Error("it does not say that it polls")
	}
	key := keyOn(t, nodes, 2)
	nodes[2].Put(t, root+"/"+key, "1")
	waitFor(t, st, since, key+"=1")
}

// While a slot moves, part of its keys is on a master that has no slot yet.
// Nothing may look deleted, and whatever changes is seen.
func TestSlotOnTheMove(t *testing.T) {
	t.Parallel()
	nodes := testserver.StartRedisCluster(t, 0)
	fresh := testserver.StartRedisNode(t)
	a, b := root+"/{confd}/a", root+"/{confd}/b"
	from := ownerOf(t, nodes, a)
	from.Put(t, a, "1")
	from.Put(t, b, "1")
	st := open(t, at(nodes[0]))
	ReadUntil(t, st, "{confd}/a=1 {confd}/b=1")

	nodes[0].Meet(t, fresh)
	known := func(n *testserver.Redis) func() error {
		return func() error {
			if about := n.Do(t, "CLUSTER", "INFO"); !strings.Contains(about, "cluster_known_nodes:4") || !strings.Contains(about, "cluster_state:ok") {
				return errors.New(about)
			}
			return nil
		}
	}
	for _, n := range append(nodes, fresh) {
		Until(t, "the fourth node", known(n))
	}
	move := testserver.MoveSlot(t, from, fresh, a)
	move.Carry(t, a)
	for range 3 {
		ReadUntil(t, open(t, at(nodes[0])), "{confd}/a=1 {confd}/b=1") // begins in the middle
	}
	w := st.(store.Writer)
	from.Put(t, b, "2")
	ReadUntil(t, st, "{confd}/a=1 {confd}/b=2")
	move.Carry(t, b)
	move.Finish(t)
	since := ReadUntil(t, st, "{confd}/a=1 {confd}/b=2").Revision
	Until(t, "a write", func() error {
		_, err := w.Put(Deadline(t, 5*time.Second), "{confd}/a", "3", store.Cond{})
		return err
	})
	Until(t, "Wait", func() error { return st.Wait(Deadline(t, Patience), since) })
	ReadUntil(t, st, "{confd}/a=3 {confd}/b=2")
}

// Slots go to and fro between known masters, under a store that reads.
func TestResharding(t *testing.T) {
	t.Parallel()
	nodes := testserver.StartRedisCluster(t, 0)
	st := open(t, at(nodes[0]))
	key := keyOn(t, nodes, 0)
	here, there := nodes[0], nodes[1]
	here.Put(t, root+"/"+key, "0")
	ReadUntil(t, st, key+"=0")
	for n := range 4 {
		move := testserver.MoveSlot(t, here, there, root+"/"+key)
		move.Carry(t, root+"/"+key)
		move.Finish(t)
		here, there = there, here
		ReadUntil(t, st, fmt.Sprintf("%s=%d", key, n))
		Until(t, "the new value", func() error {
			// A write goes where it is sent, should the nodes not agree yet; and a node
			// that learns late of a move drops what it holds of the slot, writes too.
			if want := strconv.Itoa(n + 1); strings.TrimSpace(here.CLI(t, "GET", root+"/"+key)) != want {
				here.CLI(t, "SET", root+"/"+key, want)
			}
			snap, err := st.Read(Deadline(t, Patience))
			if e, _ := snap.Get(key); err == nil && e.Value != strconv.Itoa(n+1) {
				err = fmt.Errorf("the tree is %v", snap.Entries)
			}
			return err
		})
	}
}

// A replica takes over from a master that is lost.
func TestClusterLosesAMaster(t *testing.T) {
	t.Parallel()
	nodes := testserver.StartRedisCluster(t, 1)
	masters := nodes[:3]
	st := open(t, at(nodes[1], nodes[2]))
	key := keyOn(t, masters, 0)
	nodes[0].Put(t, root+"/"+key, "1")
	ReadUntil(t, st, key+"=1")
	Until(t, "the replica", func() error {
		if !strings.Contains(nodes[3].Do(t, "INFO", "keyspace"), "keys=1") {
			return errors.New("it does not have the key yet")
		}
		return nil
	})
	nodes[0].Stop(t)
	w := st.(store.Writer)
	Until(t, "a write", func() error {
		_, err := w.Put(Deadline(t, 5*time.Second), key, "2", store.Cond{})
		return err
	})
	since := ReadUntil(t, st, key+"=2").Revision
	nodes[3].Put(t, root+"/"+key, "3")
	Until(t, "Wait", func() error { return st.Wait(Deadline(t, Patience), since) })
	ReadUntil(t, st, key+"=3")
}

// A key whose master cannot be read fails the whole read.
func TestClusterThatIsNotWhole(t *testing.T) {
	t.Parallel()
	nodes := testserver.StartRedisCluster(t, 0)
	key := keyOn(t, nodes, 0)
	nodes[0].Put(t, root+"/"+key, "1")
	st := open(t, at(nodes[1], nodes[2]))
	ReadUntil(t, st, key+"=1")
	nodes[0].Pause(t)
	ReadUntilAway(t, st)
	nodes[0].Resume(t)
	ReadUntil(t, st, key+"=1")
}

func TestClusterHasNoOtherDatabase(t *testing.T) {
	t.Parallel()
	n := testserver.StartRedisNode(t)
	_, err := open(t, spec.Values{"nodes": []string{n.Address + "/1"}}).Read(Deadline(t, Patience))
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "database 0 only") {
		t.Errorf("Read: %v", err)
	}
}
