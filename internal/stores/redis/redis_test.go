package redis_test

import (
	"flag"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/redis"
	"datakit.dev/internal/testserver"
)

const root = "/datakit"

// TestMain lets more tests run at a time than there are processors: they wait for
// servers, and hardly compute.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	m.Run()
}

// server is one root on a real Redis, which the cases share, and the line to it.
type server struct {
	redis *testserver.Redis
	line  *testserver.Relay
	root  string
	saved *string
}

func (s server) Open(t *testing.T) store.Store {
	return openRoot(t, s.root, nil, spec.Values{"nodes": []string{s.line.Address}})
}

func (s server) Put(t *testing.T, key, value string) { s.redis.Put(t, s.root+"/"+key, value) }

func (s server) Delete(t *testing.T, key string) { s.redis.Delete(t, s.root+"/"+key) }

func (s server) PutBeside(t *testing.T, key, value string) { s.redis.Put(t, s.root+"X/"+key, value) }

func (s server) Stop(t *testing.T) { s.redis.Stop(t) }

func (s server) Start(t *testing.T) { s.redis.Start(t) }

func (s server) Cut(*testing.T) { s.line.Cut() }

func (s server) Mend(*testing.T) { s.line.Heal() }

func (s server) Pause(t *testing.T) { s.redis.Pause(t) }

func (s server) Resume(t *testing.T) { s.redis.Resume(t) }

func (s server) Save(t *testing.T) {
	s.redis.Stop(t)
	*s.saved = s.redis.Save(t)
	s.redis.Start(t)
}

func (s server) Rewind(t *testing.T) {
	s.redis.Stop(t)
	s.redis.Restore(t, *s.saved)
	s.redis.Start(t)
}

func (server) OpenWith(t *testing.T, password string, log *slog.Logger) store.Store {
	r := testserver.StartRedis(t, testserver.WithRedisPassword("right")) // the other cases do without
	v := at(r)
	v["password"] = password
	return openRoot(t, root, log, v)
}

func (s server) OpenLogin(t *testing.T, log *slog.Logger) (st store.Store, secret string) {
	secret = "right-and-long-enough"
	s.redis.Do(t, "ACL", "SETUSER", "agent", "on", ">"+secret, "~*", "&*", "+@all")
	return openRoot(t, s.root, log, spec.Values{"nodes": []string{s.line.Address}, "username": "agent", "password": secret}), secret
}

func TestConformance(t *testing.T) {
	t.Parallel()
	r, cases := testserver.StartRedis(t), 0
	line := testserver.StartRelay(t, r.Address)
	storetest.Run(t, redis.Backend().Traits, func(*testing.T) storetest.Server {
		cases++
		return server{r, line, fmt.Sprintf("%s/%d", root, cases), new(string)}
	})
}

// A cluster keeps every promise but one: its masters have no instant in common.
func TestConformanceOfCluster(t *testing.T) {
	t.Parallel()
	nodes, cases := testserver.StartRedisCluster(t, 0), 0
	traits := redis.Backend().Traits
	traits.OneInstant = false
	storetest.Run(t, traits, func(*testing.T) storetest.Server {
		cases++
		return clusterServer{nodes, fmt.Sprintf("%s/%d", root, cases)}
	})
}

// clusterServer is one root on a real cluster. It has keys on every master.
type clusterServer struct {
	nodes []*testserver.Redis
	root  string
}

func (s clusterServer) Open(t *testing.T) store.Store {
	return openRoot(t, s.root, nil, at(s.nodes[0]))
}

func (s clusterServer) Put(t *testing.T, key, value string) {
	ownerOf(t, s.nodes, s.root+"/"+key).Put(t, s.root+"/"+key, value)
}

func (s clusterServer) Delete(t *testing.T, key string) {
	ownerOf(t, s.nodes, s.root+"/"+key).Delete(t, s.root+"/"+key)
}

func (s clusterServer) PutBeside(t *testing.T, key, value string) {
	ownerOf(t, s.nodes, s.root+"X/"+key).Put(t, s.root+"X/"+key, value)
}

// ownerOf returns the master that has the slot of key, as the server itself
// computes it.
func ownerOf(t testing.TB, nodes []*testserver.Redis, key string) *testserver.Redis {
	t.Helper()
	var slot int
	if _, err := fmt.Sscan(nodes[0].Do(t, "CLUSTER", "KEYSLOT", key), &slot); err != nil {
		t.Fatal(err)
	}
	return nodes[min(slot*3/16384, 2)]
}

func at(nodes ...*testserver.Redis) spec.Values {
	out := make([]string, len(nodes))
	for i, n := range nodes {
		out[i] = n.Address
	}
	return spec.Values{"nodes": out}
}

func open(t testing.TB, values spec.Values) store.Store { return openRoot(t, root, nil, values) }

func openRoot(t testing.TB, root string, log *slog.Logger, values spec.Values) store.Store {
	t.Helper()
	st, err := redis.Backend().Open(store.Options{Root: root, Values: values, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	redis.Hasten(st)
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func TestBackendIsDescribed(t *testing.T) {
	b := redis.Backend()
	if err := b.Spec.Check(); err != nil {
		t.Error(err)
	}
	if b.Name != "redis" || !strings.Contains(b.Doc, "Cluster") || b.DocZH == "" {
		t.Errorf("%+v", b)
	}
}
