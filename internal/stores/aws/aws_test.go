package aws_test

import (
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"sync"
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
	relay   *testserver.Relay
	root    string
	guarded func() guarded
}

func (s server) Open(t *testing.T) store.Store {
	return open(t, s.Moto, s.root, spec.Values{"nodes": []string{s.relay.Address}}, nil)
}

func (s server) Put(t *testing.T, key, value string) { s.PutSecret(t, s.root+"/"+key, value) }

func (s server) Delete(t *testing.T, key string) { s.DeleteSecret(t, s.root+"/"+key) }

func (s server) PutBeside(t *testing.T, key, value string) { s.PutSecret(t, s.root+"X/"+key, value) }

func (s server) Stop(*testing.T) { s.relay.Cut() }

func (s server) Start(*testing.T) { s.relay.Heal() }

func (s server) Cut(*testing.T) { s.relay.Cut() }

func (s server) Mend(*testing.T) { s.relay.Heal() }

func (s server) Pause(t *testing.T) { s.Moto.Pause(t) }

func (s server) Resume(t *testing.T) { s.Moto.Resume(t) }

// Takes reports what a secret can hold: what is not empty, under a plain name.
func (server) Takes(key, value string) bool {
	return value != "" && regexp.MustCompile(`^[a-zA-Z0-9_.+=@/-]+$`).MatchString(key)
}

// guarded is an emulator that looks at signatures and permissions, and the keys
// of a user.
type guarded struct {
	testserver.Moto
	access, secret string
}

func (s server) OpenWith(t *testing.T, password string, log *slog.Logger) store.Store {
	g := s.guarded()
	return open(t, g.Moto, root, spec.Values{"access_key": g.access, "secret_key": password}, log)
}

func (s server) OpenLogin(t *testing.T, log *slog.Logger) (st store.Store, secret string) {
	return s.OpenWith(t, s.guarded().secret, log), s.guarded().secret
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
	m.PutSecret(t, "/elsewhere", "1") // its first answer takes long on a busy machine
	relay := testserver.StartRelay(t, m.Host())
	guard := sync.OnceValue(func() guarded {
		m := testserver.StartMoto(t, nil)
		access, secret := m.NewUser(t, "agent", "secretsmanager:*")
		m.EnableAuth(t)
		m.PutSecret(t, "/elsewhere", "1") // as above
		return guarded{m, access, secret}
	})
	storetest.Run(t, aws.Backend().Traits, func(*testing.T) storetest.Server {
		cases++
		return server{m, relay, fmt.Sprintf("%s/%d", root, cases), guard}
	})
}
