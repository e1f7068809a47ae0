package etcdv3_test

import (
	"log/slog"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/etcdv3"
	"datakit.dev/internal/testserver"
)

const root = "/datakit"

// server is a real etcd of one node.
type server struct{ *testserver.Etcd }

func (s server) Open(t *testing.T) store.Store { return openNodes(t, s.Endpoint) }

func (s server) Put(t *testing.T, key, value string) { s.Etcd.Put(t, root+"/"+key, value) }

func (s server) Delete(t *testing.T, key string) { s.Etcd.Delete(t, root+"/"+key) }

func (s server) PutBeside(t *testing.T, key, value string) { s.Etcd.Put(t, root+"X/"+key, value) }

func (s server) Stop(t *testing.T) { s.Etcd.Stop(t) }

func (s server) Start(t *testing.T) { s.Etcd.Start(t) }

func (s server) OpenWith(t *testing.T, password string, log *slog.Logger) store.Store {
	s.EnableAuth(t, "agent", "right", root+"/")
	return openValues(t, log, spec.Values{
		"nodes": []string{s.Endpoint}, "basic_auth": true, "username": "agent", "password": password,
	})
}

func TestConformance(t *testing.T) {
	storetest.Run(t, etcdv3.Backend().Traits, func(t *testing.T) storetest.Server {
		return server{testserver.StartEtcd(t)}
	})
}

// openNodes opens a store on the nodes.
func openNodes(t testing.TB, nodes ...string) store.Store {
	t.Helper()
	return openValues(t, nil, spec.Values{"nodes": nodes})
}

func openValues(t testing.TB, log *slog.Logger, v spec.Values) store.Store {
	t.Helper()
	st, err := etcdv3.Backend().Open(store.Options{Root: root, Values: v, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}
