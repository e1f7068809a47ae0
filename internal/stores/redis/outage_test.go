package redis_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	. "datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

// Notifications that were sent while we were away are lost: the tree is read
// anew with every connection.
func TestChangesWhileAway(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	relay := testserver.StartRelay(t, r.Address)
	st := open(t, spec.Values{"nodes": []string{relay.Address}})
	r.Put(t, root+"/confd/a", "1")
	r.Put(t, root+"/confd/gone", "1")
	since := ReadUntil(t, st, "confd/a=1 confd/gone=1").Revision
	for n := range 3 {
		relay.Cut()
		r.Put(t, root+"/confd/a", fmt.Sprint("away", n))
		r.Delete(t, root+"/confd/gone")
		relay.Heal()
		Until(t, "Wait", func() error { return st.Wait(Deadline(t, Patience), since) })
		since = ReadUntil(t, st, fmt.Sprint("confd/a=away", n)).Revision
	}
}

// Upstream detected nothing after a restart, for ever.
func TestRestartOfTheServer(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	r.Put(t, root+"/confd/a", "1")
	st := open(t, at(r))
	since := ReadUntil(t, st, "confd/a=1").Revision
	for n := range 3 {
		r.Stop(t)
		ReadUntilAway(t, st)
		r.Start(t)
		if again := ReadUntil(t, st, "confd/a=").Revision; again != since {
			t.Fatalf("the revision moved from %s to %s with no change", since, again)
		}
		r.Put(t, root+"/confd/a", fmt.Sprint("new", n))
		since = waitFor(t, st, since, fmt.Sprint("confd/a=new", n))
	}
}

// Data that vanished while we were away is an empty tree, but only because a
// server said so; and so it is with an older backup.
func TestWipedAndRestoredWhileAway(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	r.Put(t, root+"/confd/a", "old")
	r.Put(t, root+"/confd/b", "old")
	st := open(t, at(r))
	old := ReadUntil(t, st, "confd/a=old confd/b=old").Revision
	r.Stop(t)
	backup := r.Save(t)
	r.Start(t)
	r.Put(t, root+"/confd/a", "new")
	ReadUntil(t, st, "confd/a=new confd/b=old")
	r.Stop(t)
	r.Wipe(t)
	ReadUntilAway(t, st)
	r.Start(t)
	ReadUntil(t, st, "")
	r.Stop(t)
	r.Restore(t, backup)
	r.Start(t)
	if now := ReadUntil(t, st, "confd/a=old confd/b=old").Revision; now != old {
		t.Errorf("one content has the revisions %s and %s", old, now)
	}
}

// Nobody may read for minutes: a frozen server is noticed all the same.
func TestFrozenServerIsNoticedByItself(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	st := open(t, at(r))
	since := ReadUntil(t, st, "").Revision
	r.Pause(t)
	if err := st.Wait(Deadline(t, Patience), since); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("Wait: %v, which is not store.ErrUnavailable", err)
	}
	r.Resume(t)
	r.Put(t, root+"/confd/a", "1")
	ReadUntil(t, st, "confd/a=1")
}

// A node that takes connections and says nothing does not hold the next one up.
func TestNextNodeIsUsed(t *testing.T) {
	t.Parallel()
	frozen, r := testserver.StartRedis(t), testserver.StartRedis(t)
	frozen.Pause(t)
	r.Put(t, root+"/confd/a", "1")
	st := open(t, spec.Values{"nodes": []string{"127.0.0.1:1", frozen.Address, r.Address}})
	ReadUntil(t, st, "confd/a=1")
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "2", store.Cond{}); err != nil {
		t.Error(err)
	}
	ReadUntil(t, st, "confd/a=2")
}

func TestMasterComesBeforeReplica(t *testing.T) {
	t.Parallel()
	master := testserver.StartRedis(t)
	replica := testserver.StartRedisReplica(t, master)
	st := open(t, at(replica, master))
	since := ReadUntil(t, st, "").Revision
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "1", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, st, since, "confd/a=1")
}

// A replica alone is good for reading, until it loses its master: then it knows
// nothing new, and must not pass for a quiet server.
func TestReplicaThatLosesItsMaster(t *testing.T) {
	t.Parallel()
	master := testserver.StartRedis(t)
	replica := testserver.StartRedisReplica(t, master)
	st := open(t, at(replica))
	since := ReadUntil(t, st, "").Revision
	master.Put(t, root+"/confd/a", "1")
	since = waitFor(t, st, since, "confd/a=1")
	_, err := st.(store.Writer).Put(t.Context(), "confd/a", "2", store.Cond{})
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "replica") {
		t.Errorf("Put: %v", err)
	}
	master.Stop(t)
	if err := st.Wait(Deadline(t, Patience), since); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "without its master") {
		t.Errorf("Wait: %v", err)
	}
	ReadUntilAway(t, st)
	master.Start(t)
	ReadUntil(t, st, "confd/a=1")
}

// A sentinel knows who the master is, and who is next.
func TestFailoverBySentinel(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*testserver.Redis){
		"killed": func(r *testserver.Redis) { r.Stop(t) },
		"frozen": func(r *testserver.Redis) { r.Pause(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			master := testserver.StartRedis(t)
			testserver.StartRedisReplica(t, master)
			watcher := testserver.StartSentinel(t, "mymaster", master)
			watcher.Knows(t, "mymaster", 1)
			v := spec.Values{"nodes": []string{"sentinel://127.0.0.1:1/mymaster", "sentinel://" + watcher.Address + "/mymaster"}}
			master.Put(t, root+"/confd/a", "1")
			st := open(t, v)
			ReadUntil(t, st, "confd/a=1")
			lose(master)
			w := st.(store.Writer)
			Until(t, "a write to the new master", func() error {
				_, err := w.Put(Deadline(t, 5*time.Second), "confd/a", "2", store.Cond{})
				return err
			})
			ReadUntil(t, st, "confd/a=2")
			since := ReadUntil(t, st, "confd/a=2").Revision
			if _, err := w.Put(t.Context(), "confd/a", "3", store.Cond{}); err != nil {
				t.Fatal(err)
			}
			waitFor(t, st, since, "confd/a=3")
		})
	}
}

// An operator may make another node the master while both live.
func TestPlannedFailoverBySentinel(t *testing.T) {
	t.Parallel()
	master := testserver.StartRedis(t)
	replica := testserver.StartRedisReplica(t, master)
	watcher := testserver.StartSentinel(t, "mymaster", master)
	watcher.Knows(t, "mymaster", 1)
	st := open(t, at(watcher)) // which says itself that it is a sentinel
	master.Put(t, root+"/confd/a", "1")
	since := ReadUntil(t, st, "confd/a=1").Revision
	watcher.Failover(t, "mymaster")
	replica.Rises(t)
	replica.Put(t, root+"/confd/a", "2")
	Until(t, "Wait", func() error { return st.Wait(Deadline(t, Patience), since) })
	ReadUntil(t, st, "confd/a=2")
}

func TestSentinelsThatDoNotHelp(t *testing.T) {
	t.Parallel()
	master := testserver.StartRedis(t)
	watcher := testserver.StartSentinel(t, "one", master)
	watcher.Do(t, "SENTINEL", "MONITOR", "two", master.Host(), master.Port(), "1")
	for name, c := range map[string]struct{ node, want string }{
		"no such master":    {"sentinel://" + watcher.Address + "/three", `no master "three"`},
		"two, and no name":  {watcher.Address, "sentinel of 2 masters"},
		"a server, no less": {"sentinel://" + master.Address + "/one", "no sentinel"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(t, spec.Values{"nodes": []string{c.node}}).Read(Deadline(t, Patience))
			if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Read: %v, want one about %q", err, c.want)
			}
		})
	}
}

// What answers on the port may be no Redis at all.
func TestServerOfAnotherKind(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	_, err := open(t, spec.Values{"nodes": []string{web.Listener.Addr().String()}}).Read(Deadline(t, Patience))
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "does not answer as Redis does") {
		t.Errorf("Read: %v", err)
	}
}

// A steady stream of changes and cuts: in the end all is there.
func TestCutsInAStreamOfChanges(t *testing.T) {
	t.Parallel()
	r := testserver.StartRedis(t)
	relay := testserver.StartRelay(t, r.Address)
	st := open(t, spec.Values{"nodes": []string{relay.Address}})
	ReadUntil(t, st, "")
	for n := range 200 {
		if n%20 == 7 {
			relay.Cut()
		}
		r.Put(t, fmt.Sprintf("%s/confd/k%d", root, n%5), strconv.Itoa(n))
		if n%20 == 9 {
			relay.Heal()
		}
	}
	ReadUntil(t, st, "confd/k0=195 confd/k1=196 confd/k2=197 confd/k3=198 confd/k4=199")
}
