package zookeeper_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/zookeeper"
	"datakit.dev/internal/testserver"
)

const root = "/datakit"

// server is one root on a real ZooKeeper of one node, which the cases share.
type server struct {
	*testserver.ZooKeeper

	relay  *testserver.Relay // what the store under test connects to
	root   string
	backup *string // folder of the last Save
}

func (s server) Open(t *testing.T) store.Store {
	st, err := zookeeper.Backend().Open(store.Options{Root: s.root, Values: spec.Values{"nodes": []string{s.relay.Address}}})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func (s server) Put(t *testing.T, key, value string) { s.ZooKeeper.Put(t, s.root+"/"+key, value) }

func (s server) Delete(t *testing.T, key string) { s.ZooKeeper.Delete(t, s.root+"/"+key) }

func (s server) PutBeside(t *testing.T, key, value string) {
	s.ZooKeeper.Put(t, s.root+"X/"+key, value)
}

func (s server) Stop(t *testing.T) { s.ZooKeeper.Stop(t) }

func (s server) Start(t *testing.T) { s.ZooKeeper.Start(t) }

func (s server) Pause(t *testing.T) { s.ZooKeeper.Pause(t) }

func (s server) Resume(t *testing.T) { s.ZooKeeper.Resume(t) }

func (s server) Cut(*testing.T) { s.relay.Cut() }

func (s server) Mend(*testing.T) { s.relay.Heal() }

func (s server) Save(t *testing.T) {
	s.ZooKeeper.Stop(t)
	*s.backup = s.ZooKeeper.Save(t)
	s.ZooKeeper.Start(t)
}

// Rewind sets the server back to an older transaction. It then refuses every
// session that has seen a later one: one that were resumed would be refused for
// ever.
func (s server) Rewind(t *testing.T) {
	s.ZooKeeper.Stop(t)
	s.Restore(t, *s.backup)
	s.ZooKeeper.Start(t)
}

func (s server) OpenLogin(t *testing.T, log *slog.Logger) (st store.Store, secret string) {
	secret = "r1ght/P4ss word%"
	s.Protect(t, s.root, "agent", secret)
	return openValues(t, log, s.root, login(s.Address, secret)), secret
}

// Takes implements [storetest.Narrow]: ZooKeeper refuses what does not fit into
// one UTF-16 unit.
func (server) Takes(key, _ string) bool {
	return !strings.ContainsFunc(key, func(r rune) bool { return r > 0xffff })
}

func (s server) OpenWith(t *testing.T, password string, log *slog.Logger) store.Store {
	s.Protect(t, s.root, "agent", "right")
	return openValues(t, log, s.root, login(s.Address, password))
}

func TestConformance(t *testing.T) {
	z, cases := testserver.StartZooKeeper(t), 0
	relay := testserver.StartRelay(t, z.Address)
	z.Put(t, root, "")
	storetest.Run(t, zookeeper.Backend().Traits, func(*testing.T) storetest.Server {
		cases++
		return server{z, relay, fmt.Sprintf("%s/%d", root, cases), new(string)}
	})
}

func login(node, password string) spec.Values {
	return spec.Values{"nodes": []string{node}, "basic_auth": true, "username": "agent", "password": password}
}

// openNodes opens a store on the nodes.
func openNodes(t testing.TB, nodes ...string) store.Store {
	t.Helper()
	return openValues(t, nil, root, spec.Values{"nodes": nodes})
}

func openValues(t testing.TB, log *slog.Logger, root string, v spec.Values) store.Store {
	t.Helper()
	st, err := zookeeper.Backend().Open(store.Options{Root: root, Values: v, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}
