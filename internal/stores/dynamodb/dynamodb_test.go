package dynamodb_test

import (
	"fmt"
	"log/slog"
	"maps"
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
	root string
}

func (s server) Open(t *testing.T) store.Store { return open(t, s.Table, s.root, nil, nil) }

func (s server) Put(t *testing.T, key, value string) { s.Table.Put(t, s.root+"/"+key, value) }

func (s server) Delete(t *testing.T, key string) { s.Table.Delete(t, s.root+"/"+key) }

func (s server) PutBeside(t *testing.T, key, value string) { s.Table.Put(t, s.root+"X/"+key, value) }

func (s server) Stop(t *testing.T) { s.AWS.Stop(t) }

func (s server) Start(t *testing.T) { s.AWS.Start(t) }

// Takes reports what an item can hold: a key has 2048 bytes, all in all.
func (s server) Takes(key, _ string) bool { return len(s.root)+1+len(key) <= 2048 }

func (server) OpenWith(t *testing.T, password string, log *slog.Logger) store.Store {
	m := testserver.StartMoto(t, nil) // dynalite looks at no signature
	table := m.NewTable(t, "confd")
	access, _ := m.NewUser(t, "agent", "dynamodb:*")
	m.EnableAuth(t)
	return open(t, table, root, spec.Values{"access_key": access, "secret_key": password}, log)
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
	storetest.Run(t, dynamodb.Backend().Traits, func(*testing.T) storetest.Server {
		cases++
		return server{table, fmt.Sprintf("%s/%d", root, cases)}
	})
}
