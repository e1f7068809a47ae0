package kubernetes_test

import (
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/kubernetes"
	"datakit.dev/internal/testserver"
)

// label is what our objects bear.
func label() map[string]string { return map[string]string{"datakit.dev/config": "true"} }

// server is one namespace on a real API server, which the cases share.
type server struct {
	*testserver.Kubernetes

	namespace string
	endpoint  string            // of the server, or of what stands before it
	relay     *testserver.Relay // before the server
	token     func() string     // of an account that may do the least
	backup    *string           // of the last Save
}

func (s server) values() spec.Values {
	return spec.Values{"nodes": []string{s.endpoint}, "confd_namespace": s.namespace, "auth_token": s.Token, "client_ca_keys": s.CA.File}
}

func (s server) Open(t *testing.T) store.Store {
	st, err := kubernetes.Backend().Open(store.Options{Root: "/datakit", Values: s.values()})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func (s server) Put(t *testing.T, key, value string) { s.Kubernetes.Put(t, s.namespace, key, value) }

func (s server) Delete(t *testing.T, key string) { s.Kubernetes.Delete(t, s.namespace, key) }

// PutBeside writes an object without our label, one of another value of it, and
// one in another namespace.
func (s server) PutBeside(t *testing.T, key, value string) {
	name, values := "beside", map[string]string{key[strings.LastIndex(key, "/")+1:]: value}
	s.ConfigMap(t, s.namespace, name, nil, nil, values)
	s.ConfigMap(t, s.namespace, name+"-too", map[string]string{"datakit.dev/config": "false"}, nil, values)
	s.ConfigMap(t, "default", name, label(), nil, values)
}

func (s server) Stop(t *testing.T) { s.Kubernetes.Stop(t) }

func (s server) Start(t *testing.T) { s.Kubernetes.Start(t) }

func (s server) Pause(t *testing.T) { s.Kubernetes.Pause(t) }

func (s server) Resume(t *testing.T) { s.Kubernetes.Resume(t) }

func (s server) Cut(*testing.T) { s.relay.Cut() }

func (s server) Mend(*testing.T) { s.relay.Heal() }

func (s server) Save(t *testing.T) { *s.backup = s.Kubernetes.Save(t) }

func (s server) Rewind(t *testing.T) { s.Restore(t, *s.backup) }

var entry = regexp.MustCompile(`^[-._a-zA-Z0-9]{1,253}$`)

// Takes says what can be the name of an entry of a ConfigMap.
func (s server) Takes(key, _ string) bool {
	name := key[strings.LastIndex(key, "/")+1:]
	return entry.MatchString(name) && name != "." && !strings.HasPrefix(name, "..")
}

func (s server) OpenLogin(t *testing.T, log *slog.Logger) (st store.Store, secret string) {
	token := s.token()
	return s.OpenWith(t, token, log), token
}

func (s server) OpenWith(t *testing.T, token string, log *slog.Logger) store.Store {
	v := s.values()
	v["auth_token"] = token
	return open(t, log, v)
}

// Rules of the least that an agent needs, and of the least to write, too.
var (
	reads  = testserver.Object{"apiGroups": []string{""}, "resources": []string{"configmaps", "secrets"}, "verbs": []string{"list", "watch"}}
	writes = testserver.Object{"apiGroups": []string{""}, "resources": []string{"configmaps", "secrets"}, "verbs": []string{"create", "patch"}}
)

func TestConformance(t *testing.T) {
	t.Parallel()
	k, cases := testserver.StartKubernetes(t), 0
	relay := testserver.StartRelay(t, k.Address())
	storetest.Run(t, kubernetes.Backend().Traits, func(t *testing.T) storetest.Server {
		cases++
		namespace := fmt.Sprintf("n%d", cases)
		k.Namespace(t, namespace)
		token := sync.OnceValue(func() string { return k.Grant(t, namespace, "agent", reads, writes) })
		return server{k, namespace, "https://" + relay.Address, relay, token, new(string)}
	})
}

func open(t testing.TB, log *slog.Logger, v spec.Values) store.Store {
	t.Helper()
	st, err := kubernetes.Backend().Open(store.Options{Root: "/datakit", Values: v, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}
