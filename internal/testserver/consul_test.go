package testserver_test

import (
	"strings"
	"testing"

	"datakit.dev/internal/testserver"
)

// What an operator does to Consul, these tests can do too: the data survives a
// stop, not a wipe, and comes back with a snapshot.
func TestConsulKeepsItsData(t *testing.T) {
	t.Parallel()
	c := testserver.StartConsul(t)
	c.Put(t, "a", "1")
	one := c.ModifyIndex(t, "a")
	c.Stop(t)
	if echo(t, strings.TrimPrefix(c.Endpoint, "http://"))() == nil {
		t.Fatal("a stopped server answers")
	}
	c.Start(t)
	if now := c.ModifyIndex(t, "a"); now != one {
		t.Errorf("after a restart the key is of index %d, not %d", now, one)
	}
	backup := c.Save(t)
	c.Put(t, "a", "2")
	c.Restore(t, backup)
	if now := c.ModifyIndex(t, "a"); now != one {
		t.Errorf("after a restore the key is of index %d, not %d", now, one)
	}
	c.Stop(t)
	c.Wipe(t)
	c.Start(t)
	if keys := c.CLI(t, "kv", "get", "-keys"); strings.TrimSpace(keys) != "" {
		t.Errorf("after a wipe there are %s", keys)
	}
}

func TestConsulClusterHasOneLeader(t *testing.T) {
	t.Parallel()
	nodes, leaders := testserver.StartConsulCluster(t, 3), 0
	nodes[0].Put(t, "a", "1")
	for _, c := range nodes {
		if c.IsLeader(t) {
			leaders++
		}
		if got := c.CLI(t, "kv", "get", "a"); got != "1\n" {
			t.Errorf("a member has %q", got)
		}
	}
	if leaders != 1 {
		t.Errorf("%d leaders", leaders)
	}
}
