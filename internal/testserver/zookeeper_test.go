package testserver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"datakit.dev/internal/testserver"
)

// What an operator does to ZooKeeper, these tests can do too: the data survives a
// stop, not a wipe, and comes back with a backup; a node can be closed to others.
func TestZooKeeperKeepsItsData(t *testing.T) {
	t.Parallel()
	z := testserver.StartZooKeeper(t)
	holds := func(want string) {
		t.Helper()
		value, _, err := z.Client(t).Get("/a/b")
		if err != nil && want != "" || string(value) != want {
			t.Fatalf("the node holds %q, %v; want %q", value, err, want)
		}
	}
	z.Put(t, "/a/b", "1")
	z.Stop(t)
	if _, err := z.Mode(t.Context()); err == nil {
		t.Fatal("a stopped server answers")
	}
	backup := z.Save(t)
	z.Start(t)
	holds("1")
	z.Put(t, "/a/b", "2")
	z.Stop(t)
	z.Restore(t, backup)
	z.Start(t)
	holds("1")
	z.Protect(t, "/a", "agent", "right")
	holds("1") // the operator is let through everywhere
	c, _, err := zk.Connect([]string{z.Address}, 20*time.Second, zk.WithLogInfo(false))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, _, err := c.Get("/a/b"); err == nil || !strings.Contains(err.Error(), "not authenticated") {
		t.Errorf("a stranger reads a protected node: %v", err)
	}
	z.Delete(t, "/a/b")
	holds("")
}
