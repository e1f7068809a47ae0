package etcd_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/etcd"
	"datakit.dev/internal/testserver"
)

const root = "/datakit"

// server is one root on a real etcd of one node, which the cases share.
type server struct {
	*testserver.Etcd

	relay  *testserver.Relay // what the store under test connects to
	root   string
	backup *string // folder of the last Save
}

func (s server) Open(t *testing.T) store.Store {
	st, err := etcd.Backend().Open(store.Options{Root: s.root, Values: spec.Values{"nodes": []string{s.relay.Address}}})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func (s server) Put(t *testing.T, key, value string) { s.PutV2(t, s.root+"/"+key, value) }

func (s server) Delete(t *testing.T, key string) { s.DeleteV2(t, s.root+"/"+key) }

func (s server) PutBeside(t *testing.T, key, value string) { s.PutV2(t, s.root+"X/"+key, value) }

func (s server) Stop(t *testing.T) { s.Etcd.Stop(t) }

func (s server) Start(t *testing.T) { s.Etcd.Start(t) }

func (s server) Pause(t *testing.T) { s.Etcd.Pause(t) }

func (s server) Resume(t *testing.T) { s.Etcd.Resume(t) }

func (s server) Cut(*testing.T) { s.relay.Cut() }

func (s server) Mend(*testing.T) { s.relay.Heal() }

func (s server) Save(t *testing.T) {
	s.Etcd.Stop(t)
	*s.backup = s.Etcd.Save(t)
	s.Etcd.Start(t)
}

func (s server) Rewind(t *testing.T) {
	s.Etcd.Stop(t)
	s.Restore(t, *s.backup)
	s.Etcd.Start(t)
}

// Takes leaves out what the v2 API cannot hold: bytes that are no text, and names
// that it hides.
func (server) Takes(key, value string) bool {
	return utf8.ValidString(value) && !strings.Contains(key, "/_")
}

func (server) OpenLogin(t *testing.T, log *slog.Logger) (st store.Store, secret string) {
	secret = "r1ght/P4ss:word%"
	e := start(t)
	e.EnableAuthV2(t, "agent", secret, root+"/*")
	return openValues(t, log, login(e, secret)), secret
}

func (server) OpenWith(t *testing.T, password string, log *slog.Logger) store.Store {
	e := start(t) // the other cases do without authentication
	e.EnableAuthV2(t, "agent", "right", root+"/*")
	return openValues(t, log, login(e, password))
}

func TestConformance(t *testing.T) {
	e, cases := start(t), 0
	relay := testserver.StartRelay(t, strings.TrimPrefix(e.Endpoint, "http://"))
	storetest.Run(t, etcd.Backend().Traits, func(*testing.T) storetest.Server {
		cases++
		return server{e, relay, fmt.Sprintf("%s/%d", root, cases), new(string)}
	})
}

func start(t testing.TB, options ...testserver.EtcdOption) *testserver.Etcd {
	t.Helper()
	return testserver.StartEtcd(t, append(options, testserver.WithEtcdV2())...)
}

// openNodes opens a store on the nodes.
func openNodes(t testing.TB, nodes ...string) store.Store {
	t.Helper()
	return openValues(t, nil, spec.Values{"nodes": nodes})
}

func openValues(t testing.TB, log *slog.Logger, v spec.Values) store.Store {
	t.Helper()
	st, err := etcd.Backend().Open(store.Options{Root: root, Values: v, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func login(e *testserver.Etcd, password string) spec.Values {
	return spec.Values{"nodes": []string{e.Endpoint}, "basic_auth": true, "username": "agent", "password": password}
}
