package testserver_test

import (
	"strings"
	"testing"

	"datakit.dev/internal/testserver"
)

// The data survives a stop, not a wipe, and comes back with a backup.
func TestRedisKeepsItsData(t *testing.T) {
	r := testserver.StartRedis(t)
	get := func(want string) {
		t.Helper()
		if got := r.Do(t, "GET", "/a"); got != want {
			t.Errorf("it holds %q, not %q", got, want)
		}
	}
	r.Put(t, "/a", "1")
	r.Stop(t)
	if r.Try("PING") == nil {
		t.Fatal("a stopped server answers")
	}
	backup := r.Save(t)
	r.Start(t)
	get("1")
	r.Put(t, "/a", "2")
	r.Stop(t)
	r.Restore(t, backup)
	r.Start(t)
	get("1")
	r.Stop(t)
	r.Wipe(t)
	r.Start(t)
	get("")
}

func TestRedisClusterHasThreeMasters(t *testing.T) {
	nodes := testserver.StartRedisCluster(t, 1)
	for i, n := range nodes {
		role, _, _ := strings.Cut(n.Do(t, "ROLE"), "\n")
		if want := map[bool]string{true: "master", false: "slave"}[i < 3]; role != want {
			t.Errorf("node %d is a %s, not a %s", i, role, want)
		}
	}
	const key = "/a"
	nodes[0].CLI(t, "SET", key, "1")
	holders := 0
	for _, n := range nodes[:3] {
		if n.Try("GET", key) == nil {
			holders++
		}
	}
	if holders != 1 {
		t.Errorf("%d masters take the key for theirs", holders)
	}
}

func TestSentinelMakesAnotherTheMaster(t *testing.T) {
	master := testserver.StartRedis(t)
	replica := testserver.StartRedisReplica(t, master)
	s := testserver.StartSentinel(t, "main", master)
	s.Knows(t, "main", 1)
	if got := s.Do(t, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"); got != master.Host()+"\n"+master.Port() {
		t.Errorf("the master is %q", got)
	}
	s.Failover(t, "main")
	replica.Rises(t)
}
