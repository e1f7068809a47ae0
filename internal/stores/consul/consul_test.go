package consul_test

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/consul"
	"datakit.dev/internal/testserver"
)

// root is that of our keys, and dir the same as Consul writes it.
const (
	root = "/datakit"
	dir  = "datakit/"
)

const (
	right = "11111111-2222-4333-8444-555555555555"
	// readRules and writeRules are the least that reading and writing need.
	readRules  = `key_prefix "datakit/" { policy = "read" }`
	writeRules = `key_prefix "datakit/" { policy = "write" }`
)

// server is one root on a real Consul, which the cases share.
type server struct {
	*testserver.Consul

	root     string            // without its leading slash
	endpoint string            // of the server, or of what stands before it
	relay    *testserver.Relay // before endpoint, where the suite needs one
	guarded  func() *testserver.Consul
	backup   *[]byte // of the last Save
}

func (s server) Open(t *testing.T) store.Store {
	st, err := consul.Backend().Open(store.Options{Root: "/" + s.root, Values: nodes(s.endpoint)})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// open is Open for a test that does not close the store.
func (s server) open(t *testing.T) store.Store {
	t.Helper()
	return openRoot(t, "/"+s.root, nil, nodes(s.endpoint))
}

func (s server) Put(t *testing.T, key, value string) { s.Consul.Put(t, s.root+"/"+key, value) }

func (s server) Delete(t *testing.T, key string) { s.Consul.Delete(t, s.root+"/"+key) }

func (s server) PutBeside(t *testing.T, key, value string) { s.Consul.Put(t, s.root+"X/"+key, value) }

func (s server) Stop(t *testing.T) { s.Consul.Stop(t) }

func (s server) Start(t *testing.T) { s.Consul.Start(t) }

func (s server) Pause(t *testing.T) { s.Consul.Pause(t) }

func (s server) Resume(t *testing.T) { s.Consul.Resume(t) }

func (s server) Cut(*testing.T) { s.relay.Cut() }

func (s server) Mend(*testing.T) { s.relay.Heal() }

func (s server) Save(t *testing.T) { *s.backup = s.Consul.Save(t) }

func (s server) Rewind(t *testing.T) { s.Restore(t, *s.backup) }

func (s server) OpenLogin(t *testing.T, log *slog.Logger) (st store.Store, secret string) {
	return s.OpenWith(t, right, log), right
}

// OpenWith uses another server: the other cases do without access control.
func (s server) OpenWith(t *testing.T, token string, log *slog.Logger) store.Store {
	return openValues(t, log, spec.Values{"nodes": []string{s.guarded().Endpoint}, "auth_token": token})
}

func TestConformance(t *testing.T) {
	t.Parallel()
	c, cases := testserver.StartConsul(t), 0
	relay := testserver.StartRelay(t, strings.TrimPrefix(c.Endpoint, "http://"))
	guarded := sync.OnceValue(func() *testserver.Consul {
		c := testserver.StartConsul(t, testserver.WithConsulACL("deny"))
		c.GrantToken(t, right, writeRules)
		return c
	})
	storetest.Run(t, consul.Backend().Traits, func(*testing.T) storetest.Server {
		cases++
		return server{c, fmt.Sprintf("datakit/%d", cases), relay.Address, relay, guarded, new([]byte)}
	})
}

func nodes(list ...string) spec.Values { return spec.Values{"nodes": list} }

// openNodes opens a store on the nodes.
func openNodes(t testing.TB, list ...string) store.Store {
	t.Helper()
	return openValues(t, nil, nodes(list...))
}

func openToken(t testing.TB, c *testserver.Consul, token string) store.Store {
	t.Helper()
	return openValues(t, nil, spec.Values{"nodes": []string{c.Endpoint}, "auth_token": token})
}

func openValues(t testing.TB, log *slog.Logger, v spec.Values) store.Store {
	t.Helper()
	return openRoot(t, root, log, v)
}

func openRoot(t testing.TB, root string, log *slog.Logger, v spec.Values) store.Store {
	t.Helper()
	st, err := consul.Backend().Open(store.Options{Root: root, Values: v, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}
