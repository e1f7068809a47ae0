package testserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// slots is the number of parts that a Redis Cluster divides its keys into.
const slots = 16384

// StartRedisCluster starts a cluster of three masters, each with the given
// number of replicas, and ends it with the test. The masters come first.
func StartRedisCluster(tb testing.TB, replicas int, options ...RedisOption) []*Redis {
	tb.Helper()
	const masters = 3
	nodes := make([]*Redis, masters*(1+replicas))
	for i := range nodes {
		nodes[i] = StartRedisNode(tb, options...)
		nodes[i].Do(tb, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
	}
	for i := range masters {
		nodes[i].Do(tb, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/masters), strconv.Itoa((i+1)*slots/masters-1))
	}
	for _, n := range nodes[1:] {
		nodes[0].Meet(tb, n)
	}
	whole(tb, nodes)
	for i := range nodes[masters:] {
		replicate(tb, nodes[masters+i], nodes[i%masters])
	}
	return nodes
}

// StartRedisNode starts a node that belongs to no cluster yet.
func StartRedisNode(tb testing.TB, options ...RedisOption) *Redis {
	tb.Helper()
	_, bus, _ := net.SplitHostPort(freeAddress(tb))
	return StartRedis(tb, append([]RedisOption{WithRedisArgs("--cluster-enabled", "yes", "--cluster-port", bus,
		"--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0")}, options...)...)
}

// Meet brings n into the cluster of r.
func (r *Redis) Meet(tb testing.TB, n *Redis) {
	tb.Helper()
	bus := ""
	for i, a := range n.args {
		if a == "--cluster-port" {
			bus = n.args[i+1]
		}
	}
	r.Do(tb, "CLUSTER", "MEET", n.Host(), n.Port(), bus)
}

// ID is the name of a node in its cluster.
func (r *Redis) ID(tb testing.TB) string {
	tb.Helper()
	return r.Do(tb, "CLUSTER", "MYID")
}

// whole waits until every node knows every other and who holds what.
func whole(tb testing.TB, nodes []*Redis) {
	tb.Helper()
	for _, n := range nodes {
		n.cmd.ready(tb, startup, func(ctx context.Context) error {
			about, err := n.do(ctx, "CLUSTER", "INFO")
			if err != nil {
				return err
			}
			if !strings.Contains(about, "cluster_state:ok") || !strings.Contains(about, fmt.Sprintf("cluster_known_nodes:%d", len(nodes))) {
				return errors.New(about)
			}
			return nil
		})
	}
}

func replicate(tb testing.TB, replica, master *Redis) {
	tb.Helper()
	replica.Do(tb, "CLUSTER", "REPLICATE", master.ID(tb))
	replica.synced(tb)
}

// synced waits until a replica has all that its master has.
func (r *Redis) synced(tb testing.TB) {
	tb.Helper()
	r.cmd.ready(tb, startup, func(ctx context.Context) error {
		about, err := r.do(ctx, "INFO", "replication")
		if err == nil && !strings.Contains(about, "master_link_status:up") {
			err = errors.New(about)
		}
		return err
	})
}

// Rises waits until a replica is a master.
func (r *Redis) Rises(tb testing.TB) {
	tb.Helper()
	r.cmd.ready(tb, startup, func(ctx context.Context) error {
		role, err := r.do(ctx, "ROLE")
		if err == nil && !strings.HasPrefix(role, "master") {
			err = errors.New(role)
		}
		return err
	})
}

// A SlotMove is a slot on its way from one master to another. Its steps are
// repeated until the nodes agree: what one has heard of the others may be old.
type SlotMove struct {
	From, To *Redis
	Slot     string
	key      string
}

// MoveSlot begins to move the slot of key. Keys go by Carry, and Finish ends it.
func MoveSlot(tb testing.TB, from, to *Redis, key string) SlotMove {
	tb.Helper()
	m := SlotMove{from, to, from.Do(tb, "CLUSTER", "KEYSLOT", key), key}
	giver, taker := from.ID(tb), to.ID(tb)
	from.cmd.ready(tb, startup, func(ctx context.Context) error {
		_, err := to.do(ctx, "CLUSTER", "SETSLOT", m.Slot, "IMPORTING", giver)
		if err == nil {
			_, err = from.do(ctx, "CLUSTER", "SETSLOT", m.Slot, "MIGRATING", taker)
		}
		return err
	})
	return m
}

// Carry moves one key.
func (m SlotMove) Carry(tb testing.TB, key string) {
	tb.Helper()
	m.From.cmd.ready(tb, startup, func(ctx context.Context) error {
		_, err := m.From.do(ctx, "MIGRATE", m.To.Host(), m.To.Port(), key, "0", "5000")
		return err
	})
}

// Finish gives the slot to its new owner.
func (m SlotMove) Finish(tb testing.TB) {
	tb.Helper()
	id := m.To.ID(tb)
	m.To.cmd.ready(tb, startup, func(ctx context.Context) error {
		for _, n := range []*Redis{m.To, m.From} {
			if _, err := n.do(ctx, "CLUSTER", "SETSLOT", m.Slot, "NODE", id); err != nil {
				return err
			}
		}
		_, err := m.To.do(ctx, "EXISTS", m.key)
		return err
	})
}

// StartRedisReplica starts a replica of master.
func StartRedisReplica(tb testing.TB, master *Redis, options ...RedisOption) *Redis {
	tb.Helper()
	r := StartRedis(tb, append([]RedisOption{WithRedisArgs("--replicaof", master.Host()+" "+master.Port())}, options...)...)
	r.synced(tb)
	return r
}

// StartSentinel starts a sentinel that watches master by the given name, and
// alone decides that it is gone.
func StartSentinel(tb testing.TB, name string, master *Redis, options ...RedisOption) *Redis {
	tb.Helper()
	Need(tb, "redis-sentinel", "apt-get install redis-sentinel")
	s := &Redis{program: "redis-sentinel", Address: freeAddress(tb), machine: machine{DataDir: tb.TempDir()}}
	for _, o := range options {
		o(s)
	}
	path := filepath.Join(s.DataDir, "sentinel.conf")
	lines := []string{
		"port " + s.Port(), "bind " + s.Host(), "dir " + s.DataDir,
		fmt.Sprintf("sentinel monitor %s %s %s 1", name, master.Host(), master.Port()),
		"sentinel down-after-milliseconds " + name + " 500", "sentinel failover-timeout " + name + " 3000",
	}
	if s.password != "" {
		lines = append(lines, "requirepass "+s.password)
	}
	if master.password != "" {
		lines = append(lines, "sentinel auth-pass "+name+" "+master.password)
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		tb.Fatal(err)
	}
	s.conf = path
	s.launch(tb)
	tb.Cleanup(func() { s.cmd.kill() })
	s.ready(tb)
	return s
}

// Knows waits until a sentinel knows of the replicas of a master, without which
// it has nobody to make the next one.
func (r *Redis) Knows(tb testing.TB, name string, replicas int) {
	tb.Helper()
	want := fmt.Sprintf("num-slaves\n%d\n", replicas)
	r.cmd.ready(tb, startup, func(ctx context.Context) error {
		about, err := r.do(ctx, "SENTINEL", "MASTER", name)
		if err == nil && !strings.Contains(about, want) {
			err = errors.New("it does not know the replicas yet")
		}
		return err
	})
}

// Failover has a sentinel make another the master, as soon as it knows enough of
// the replicas to choose one.
func (r *Redis) Failover(tb testing.TB, name string) {
	tb.Helper()
	r.cmd.ready(tb, startup, func(ctx context.Context) error {
		_, err := r.do(ctx, "SENTINEL", "FAILOVER", name)
		return err
	})
}
