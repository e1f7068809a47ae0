package nacos_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/nacos"
	"datakit.dev/internal/testserver"
)

// server is two namespaces of a real Nacos, which the cases share. The suite has
// keys of two parts, which Nacos cannot hold: confd/a stands for the
// configuration a of group one.
type server struct {
	*testserver.Nacos

	relay           *testserver.Relay // what the store under test connects to
	confd, pipeline string
}

// group is that of the keys of two parts.
const group = "one"

func (s server) Open(t *testing.T) store.Store {
	t.Helper()
	return flat{open(t, nil, s.values())}
}

func (s server) values() spec.Values {
	v := spec.Values{"nodes": []string{s.relay.Address}, "confd_namespace": s.confd, "pipeline_namespace": s.pipeline}
	if s.Guarded() {
		v["username"], v["password"] = testserver.NacosUser, s.Password
	}
	return v
}

// place returns namespace, group and data id of a key of the suite.
func (s server) place(key string) (tenant, group, dataID string) {
	parts := strings.Split(deep(key), "/")
	tenant = s.confd
	if parts[0] == "pipeline" {
		tenant = s.pipeline
	}
	return tenant, parts[1], parts[2]
}

func (s server) Put(t *testing.T, key, value string) {
	t.Helper()
	tenant, group, dataID := s.place(key)
	s.Nacos.Put(t, tenant, group, dataID, value)
}

func (s server) Delete(t *testing.T, key string) {
	t.Helper()
	tenant, group, dataID := s.place(key)
	s.Nacos.Delete(t, tenant, group, dataID)
}

// PutBeside writes into a namespace whose id begins like ours.
func (s server) PutBeside(t *testing.T, key, value string) {
	t.Helper()
	_, group, dataID := s.place(key)
	s.Nacos.Put(t, s.confd+"X", group, dataID, value)
}

func (s server) Takes(key, value string) bool {
	parts := strings.Split(deep(key), "/")
	if len(parts) != 3 || parts[0] != "confd" && parts[0] != "pipeline" || strings.TrimSpace(value) == "" || !utf8.ValidString(value) {
		return false
	}
	return !strings.ContainsFunc(parts[1]+parts[2], func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(".:-_", r)
	})
}

func (s server) Pause(t *testing.T) { s.Nacos.Pause(t) }

func (s server) Resume(t *testing.T) { s.Nacos.Resume(t) }

func (s server) Cut(*testing.T) { s.relay.Cut() }

func (s server) Mend(*testing.T) { s.relay.Heal() }

// rusty is a server that starts in a moment, so that the cases may stop it.
type rusty struct {
	server

	backup *string // folder of the last Save
}

func (s rusty) Stop(t *testing.T) { s.Nacos.Stop(t) }

func (s rusty) Start(t *testing.T) { s.Nacos.Start(t) }

func (s rusty) Save(t *testing.T) {
	s.Nacos.Stop(t)
	*s.backup = s.Nacos.Save(t)
	s.Nacos.Start(t)
}

func (s rusty) Rewind(t *testing.T) {
	s.Nacos.Stop(t)
	s.Restore(t, *s.backup)
	s.Nacos.Start(t)
}

// guarded is a server that asks for a login.
type guarded struct{ server }

func (s guarded) OpenWith(t *testing.T, password string, log *slog.Logger) store.Store {
	t.Helper()
	v := s.values()
	v["password"] = password
	return flat{open(t, log, v)}
}

func (s guarded) OpenLogin(t *testing.T, log *slog.Logger) (st store.Store, secret string) {
	t.Helper()
	secret = "r1ght/P4ss word%"
	s.AddUser(t, s.confd, secret, "rw", s.confd, s.pipeline)
	v := s.values()
	v["username"], v["password"] = s.confd, secret
	return flat{open(t, log, v)}, secret
}

// deep is the key of Nacos that stands for one of the suite.
func deep(key string) string {
	if part, rest, _ := strings.Cut(key, "/"); part == "confd" && rest != "" && !strings.Contains(rest, "/") {
		return part + "/" + group + "/" + rest
	}
	return key
}

// flat shows a store with the keys of the suite.
type flat struct{ store.Store }

func (f flat) Read(ctx context.Context) (store.Snapshot, error) {
	snap, err := f.Store.Read(ctx)
	if err != nil {
		return snap, err
	}
	entries := make([]store.Entry, len(snap.Entries))
	for i, e := range snap.Entries {
		if rest, ok := strings.CutPrefix(e.Key, "confd/"+group+"/"); ok {
			e.Key = "confd/" + rest
		}
		entries[i] = e
	}
	return store.NewSnapshot(snap.Revision, entries)
}

func (f flat) Put(ctx context.Context, key, value string, cond store.Cond) (store.Revision, error) {
	return f.Store.(store.Writer).Put(ctx, deep(key), value, cond)
}

func (f flat) Delete(ctx context.Context, key string, cond store.Cond) error {
	return f.Store.(store.Writer).Delete(ctx, deep(key), cond)
}

// The Nacos in Java takes ten seconds to start: what needs it shares one.
func TestNacos(t *testing.T) {
	t.Parallel()
	n := testserver.StartNacos(t, testserver.WithNacosAuth(time.Hour))
	next := namespaces(t, n)
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t, nacos.Backend().Traits, func(*testing.T) storetest.Server { return guarded{next()} })
	})
	t.Run("permissions", func(t *testing.T) { permissions(t, next()) })
	t.Run("the public namespace", func(t *testing.T) { publicNamespace(t, next()) })
}

func TestRNacos(t *testing.T) {
	t.Parallel()
	n := testserver.StartRNacos(t)
	next := namespaces(t, n)
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t, nacos.Backend().Traits, func(*testing.T) storetest.Server { return rusty{next(), new(string)} })
	})
	t.Run("the public namespace", func(t *testing.T) { publicNamespace(t, next()) })
	t.Run("over a thousand keys are followed", func(t *testing.T) { manyKeys(t, next()) })
	t.Run("the next node is used", func(t *testing.T) { nextNode(t, next()) })
	t.Run("one namespace alone", func(t *testing.T) { oneNamespace(t, next()) })
	t.Run("TLS on both sides", func(t *testing.T) { mutualTLS(t, next()) })
}

// namespaces returns a function that returns a new pair of namespaces of n.
func namespaces(t *testing.T, n *testserver.Nacos) func() server {
	t.Helper()
	relay, cases := testserver.StartRelay(t, strings.TrimPrefix(n.Endpoint, "http://")), 0
	return func() server {
		cases++
		return server{n, relay, fmt.Sprintf("confd-%d", cases), fmt.Sprintf("pipeline-%d", cases)}
	}
}

func open(t testing.TB, log *slog.Logger, v spec.Values) store.Store {
	t.Helper()
	st, err := nacos.Backend().Open(store.Options{Root: "/datakit", Values: v, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}
