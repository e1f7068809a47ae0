package aws_test

import (
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/aws"
	"datakit.dev/internal/testserver"
)

const root = "/datakit"

// server is one root on an emulator that the cases share. It holds all in
// memory, so that an outage is a network that is cut.
type server struct {
	testserver.Moto
	relay *testserver.Relay
	root  string
}

func (s server) Open(t *testing.T) store.Store {
	return open(t, s.Moto, s.root, spec.Values{"nodes": []string{s.relay.Address}}, nil)
}

func (s server) Put(t *testing.T, key, value string) { s.PutSecret(t, s.root+"/"+key, value) }

func (s server) Delete(t *testing.T, key string) { s.DeleteSecret(t, s.root+"/"+key) }

func (s server) PutBeside(t *testing.T, key, value string) { s.PutSecret(t, s.root+"X/"+key, value) }

func (s server) Stop(*testing.T) { s.relay.Cut() }

func (s server) Start(*testing.T) { s.relay.Heal() }

// Takes reports what a secret can hold: what is not empty, under a plain name.
func (server) Takes(key, value string) bool {
	return value != "" && regexp.MustCompile(`^[a-zA-Z0-9_.+=@/-]+$`).MatchString(key)
}

func (server) OpenWith(t *testing.T, password string, log *slog.Logger) store.Store {
	m := testserver.StartMoto(t, nil)
	access, _ := m.NewUser(t, "agent", "secretsmanager:*")
	m.EnableAuth(t)
	return open(t, m, root, spec.Values{"access_key": access, "secret_key": password}, log)
}

func open(t testing.TB, m testserver.Moto, root string, more spec.Values, log *slog.Logger) store.Store {
	t.Helper()
	v := spec.Values{
		"nodes": []string{m.Endpoint}, "region": "us-east-1",
		"access_key": m.AccessKey, "secret_key": m.SecretKey, "circle_interval": int64(1),
	}
	maps.Copy(v, more)
	st, err := aws.Backend().Open(store.Options{Root: root, Values: v, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func TestConformance(t *testing.T) {
	t.Parallel()
	m, cases := testserver.StartMoto(t, nil), 0
	relay := testserver.StartRelay(t, m.Host())
	storetest.Run(t, aws.Backend().Traits, func(*testing.T) storetest.Server {
		cases++
		return server{m, relay, fmt.Sprintf("%s/%d", root, cases)}
	})
}
