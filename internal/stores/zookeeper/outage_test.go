package zookeeper_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

// Every case about a server that fails has a root of its own on one server.
func TestOutages(t *testing.T) {
	t.Parallel()
	onOneServer(t, map[string]func(*testing.T, *testserver.ZooKeeper, string){
		"a server comes back without its data":           wipedWhileAway,
		"a frozen server is noticed when nobody reads":   frozenByItself,
		"a write to a frozen server ends":                writeToFrozen,
		"a write goes on after the server was away":      serverWasAway,
		"what is taken away and given back":              takenAway,
		"the password is told to nobody in all of these": passwordToldToNobody,
	})
}

// Data that vanished while we were away is an empty tree, but only because a
// server said so.
func wipedWhileAway(t *testing.T, z *testserver.ZooKeeper, root string) {
	z.Put(t, root+"/confd/a", "1")
	st := openRoot(t, z, root)
	before := storetest.ReadUntil(t, st, "confd/a=1")
	z.Stop(t)
	z.Wipe(t)
	storetest.ReadUntilAway(t, st)
	z.Start(t)
	after := storetest.ReadUntil(t, st, "")
	if after.Revision == before.Revision {
		t.Fatalf("revision %s stands for two contents", after.Revision)
	}
	z.Put(t, root+"/confd/a", "2")
	wait(t, st, after.Revision)
	storetest.ReadUntil(t, st, "confd/a=2")
}

// A line that goes dead for longer than the session lasts: the server has
// forgotten our watches, and what was changed meanwhile must not be missed.
func TestSessionExpires(t *testing.T) {
	t.Parallel()
	z := testserver.StartZooKeeper(t, testserver.WithZooKeeperConfig("maxSessionTimeout=1000"))
	n := startLine(t, z.Address)
	z.Put(t, root+"/confd/gone", "1")
	z.Put(t, root+"/confd/a", "1")
	st := openNodes(t, n.Address)
	since := storetest.ReadUntil(t, st, "confd/a=1 confd/gone=1").Revision
	n.Freeze()
	storetest.Until(t, "the end of the session", func() error {
		if left := z.Watches(t); left > 0 {
			return fmt.Errorf("%d watches are left", left)
		}
		return nil
	})
	z.Delete(t, root+"/confd/gone")
	z.Put(t, root+"/confd/a", "2")
	n.Thaw()
	storetest.Until(t, "Wait", func() error { return st.Wait(storetest.Deadline(t, storetest.Patience), since) })
	storetest.ReadUntil(t, st, "confd/a=2")
	z.Put(t, root+"/confd/a", "3")
	storetest.ReadUntil(t, st, "confd/a=3")
}

// Nobody may read for minutes: a frozen server is noticed all the same.
func frozenByItself(t *testing.T, z *testserver.ZooKeeper, root string) {
	st := openRoot(t, z, root)
	since := storetest.ReadUntil(t, st, "").Revision
	z.Pause(t)
	if err := st.Wait(storetest.Deadline(t, storetest.Patience), since); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("Wait: %v, which is not store.ErrUnavailable", err)
	}
	z.Resume(t)
	storetest.Until(t, "Wait", func() error { return st.Wait(storetest.Deadline(t, storetest.Patience), "") })
}

// A store over several nodes is read while any of them answers.
func nextNode(t *testing.T, z *testserver.ZooKeeper, root string) {
	z.Put(t, root+"/confd/a", "1")
	one, two := testserver.StartRelay(t, z.Address), testserver.StartRelay(t, z.Address)
	st := openValues(t, nil, root, spec.Values{"nodes": []string{"127.0.0.1:1", one.Address, two.Address}})
	storetest.ReadUntil(t, st, "confd/a=1")
	for i, relay := range []*testserver.Relay{one, two} {
		relay.Cut()
		z.Put(t, root+"/confd/a", fmt.Sprintf("moved%d", i))
		storetest.ReadUntil(t, st, fmt.Sprintf("confd/a=moved%d", i))
		put(t, st, "confd/a", fmt.Sprintf("put%d", i), store.Cond{})
		storetest.ReadUntil(t, st, fmt.Sprintf("confd/a=put%d", i))
		relay.Heal()
	}
}

// The error of a server that is not there says so, and is that of the last try.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	st := openNodes(t, "127.0.0.1:1", "127.0.0.1:2")
	ctx := storetest.Deadline(t, storetest.Patience)
	if _, err := st.Read(ctx); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "refused") {
		t.Errorf("Read: %v", err)
	}
	if _, err := st.(store.Writer).Put(ctx, "confd/a", "1", store.Cond{}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Put: %v", err)
	}
	if err := st.(store.Writer).Delete(ctx, "confd/a", store.Cond{}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Delete: %v", err)
	}
}

// A write to a frozen server ends when its caller or the store does.
func writeToFrozen(t *testing.T, z *testserver.ZooKeeper, root string) {
	st := openRoot(t, z, root)
	put(t, st, "confd/a", "1", store.Cond{})
	z.Pause(t)
	defer z.Resume(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := st.(store.Writer).Put(ctx, "confd/a", "2", store.Cond{}); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "may still happen") {
		t.Errorf("Put: %v", err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := st.(store.Writer).Put(context.Background(), "confd/a", "3", store.Cond{})
		done <- err
	}()
	if err := st.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, store.ErrClosed) {
		t.Errorf("Put: %v, which is not store.ErrClosed", err)
	}
}

// An ensemble goes on while most of its members do, and one that is left alone
// answers nobody. The cases share one ensemble, which takes long to start.
func TestEnsemble(t *testing.T) {
	t.Parallel()
	nodes := testserver.StartZooKeeperEnsemble(t, 3)
	st := openNodes(t, nodes[0].Address, nodes[1].Address, nodes[2].Address)
	nodes[0].Put(t, root+"/confd/a", "0")
	storetest.ReadUntil(t, st, "confd/a=0")
	t.Run("loses its leader", func(t *testing.T) {
		leader, others := split(t, nodes)
		leader.Stop(t)
		putSoon(t, others[0], "1")
		storetest.ReadUntil(t, st, "confd/a=1")
		leader.Start(t)
	})
	t.Run("has a leader that is frozen", func(t *testing.T) {
		leader, others := split(t, nodes)
		leader.Pause(t)
		putSoon(t, others[0], "2")
		storetest.ReadUntil(t, st, "confd/a=2")
		leader.Resume(t)
	})
	t.Run("leaves one member alone, which is not quiet", func(t *testing.T) {
		leader, others := split(t, nodes)
		alone := openNodes(t, others[0].Address)
		since := storetest.ReadUntil(t, alone, "confd/a=2").Revision
		leader.Pause(t)
		others[1].Pause(t)
		storetest.ReadUntilAway(t, alone)
		if err := alone.Wait(storetest.Deadline(t, storetest.Patience), since); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("Wait: %v, which is not store.ErrUnavailable", err)
		}
		leader.Resume(t)
		others[1].Resume(t)
		storetest.ReadUntil(t, alone, "confd/a=2")
		putSoon(t, others[0], "3")
		storetest.ReadUntil(t, alone, "confd/a=3")
	})
}

// split returns the leader and the others, once every member has its place.
func split(t *testing.T, nodes []*testserver.ZooKeeper) (leader *testserver.ZooKeeper, others []*testserver.ZooKeeper) {
	t.Helper()
	storetest.Until(t, "a leader and two followers", func() error {
		leader, others = nil, nil
		for _, z := range nodes {
			mode, err := z.Mode(t.Context())
			switch {
			case err != nil:
				return err
			case mode == "leader":
				leader = z
			default:
				others = append(others, z)
			}
		}
		if leader == nil || len(others) != 2 {
			return errors.New("not yet")
		}
		return nil
	})
	return leader, others
}

// putSoon writes as soon as the ensemble takes it.
func putSoon(t *testing.T, z *testserver.ZooKeeper, value string) {
	t.Helper()
	storetest.Until(t, "a write", func() error {
		_, err := z.Client(t).Set(root+"/confd/a", []byte(value), -1)
		return err
	})
}
