package dynamodb_test

import (
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/dynamodb"
	"datakit.dev/internal/testserver"
)

const root = "/datakit"

// server is one root in a table that the cases share.
type server struct {
	testserver.Table
	relay   *testserver.Relay
	root    string
	guarded func() guarded
}

func (s server) Open(t *testing.T) store.Store {
	return open(t, s.Table, s.root, spec.Values{"nodes": []string{s.relay.Address}}, nil)
}

func (s server) Put(t *testing.T, key, value string) { s.Table.Put(t, s.root+"/"+key, value) }

func (s server) Delete(t *testing.T, key string) { s.Table.Delete(t, s.root+"/"+key) }

func (s server) PutBeside(t *testing.T, key, value string) { s.Table.Put(t, s.root+"X/"+key, value) }

func (s server) Stop(t *testing.T) { s.AWS.Stop(t) }

func (s server) Start(t *testing.T) { s.AWS.Start(t) }

// Takes reports what an item can hold: a key has 2048 bytes, all in all.
func (s server) Takes(key, _ string) bool { return len(s.root)+1+len(key) <= 2048 }

func (s server) Cut(*testing.T) { s.relay.Cut() }

func (s server) Mend(*testing.T) { s.relay.Heal() }

func (s server) Pause(t *testing.T) { s.AWS.Pause(t) }

func (s server) Resume(t *testing.T) { s.AWS.Resume(t) }

// guarded is a table on moto, which looks at signatures and permissions as
// dynalite does not, and the keys of a user.
type guarded struct {
	testserver.Table
	access, secret string
}

func (s server) OpenWith(t *testing.T, password string, log *slog.Logger) store.Store {
	g := s.guarded()
	return open(t, g.Table, root, spec.Values{"access_key": g.access, "secret_key": password}, log)
}

func (s server) OpenLogin(t *testing.T, log *slog.Logger) (st store.Store, secret string) {
	return s.OpenWith(t, s.guarded().secret, log), s.guarded().secret
}

// open opens a store that the caller may close before the test ends.
func open(t testing.TB, table testserver.Table, root string, more spec.Values, log *slog.Logger) store.Store {
	t.Helper()
	v := spec.Values{
		"nodes": []string{table.Endpoint}, "table": table.Name, "region": "us-east-1",
		"access_key": table.AccessKey, "secret_key": table.SecretKey, "circle_interval": int64(1),
	}
	maps.Copy(v, more)
	st, err := dynamodb.Backend().Open(store.Options{Root: root, Values: v, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func TestConformance(t *testing.T) {
	t.Parallel()
	table, cases := testserver.StartDynalite(t).NewTable(t, "confd"), 0
	relay := testserver.StartRelay(t, table.Host())
	guard := sync.OnceValue(func() guarded {
		m := testserver.StartMoto(t, nil)
		table := m.NewTable(t, "confd")
		access, secret := m.NewUser(t, "agent", "dynamodb:*")
		m.EnableAuth(t)
		table.Put(t, "/elsewhere", "1") // its first answer takes long on a busy machine
		return guarded{table, access, secret}
	})
	storetest.Run(t, dynamodb.Backend().Traits, func(*testing.T) storetest.Server {
		cases++
		return server{table, relay, fmt.Sprintf("%s/%d", root, cases), guard}
	})
}
