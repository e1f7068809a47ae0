package vault_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/vault"
	"datakit.dev/internal/testserver"
)

// A server is one root on a real Vault, which the cases share.
type server struct {
	*testserver.Vault

	mount   string
	version int
	folder  string // the root below mount
	saved   string
	agent   string // a token that may only what the documentation asks for
	relay   *testserver.Relay
}

func (s *server) root() string { return "/" + s.mount + "/" + s.folder }

func (s *server) Open(t *testing.T) store.Store {
	return openStore(t, s.root(), nil, spec.Values{"nodes": []string{s.relay.Address}, "auth_token": s.agent, "circle_interval": int64(1)})
}

func (s *server) path(what, key string) string {
	parts := strings.Split(s.folder+"/"+key, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	path := strings.Join(parts, "/")
	if s.version == 1 {
		return s.mount + "/" + path
	}
	return s.mount + "/" + what + "/" + path
}

func (s *server) Put(t *testing.T, key, value string) {
	var body any = map[string]string{"value": value}
	if s.version == 2 {
		body = map[string]any{"data": body}
	}
	s.Call(t, http.MethodPost, s.path("data", key), body)
}

func (s *server) Delete(t *testing.T, key string) {
	s.Call(t, http.MethodDelete, s.path("data", key), nil)
}

func (s *server) PutBeside(t *testing.T, key, value string) {
	beside := *s
	beside.folder += "X"
	beside.Put(t, key, value)
}

func (s *server) Stop(t *testing.T) { s.Vault.Stop(t) }

func (s *server) Start(t *testing.T) { s.Vault.Start(t) }

func (s *server) Pause(t *testing.T) { s.Vault.Pause(t) }

func (s *server) Resume(t *testing.T) { s.Vault.Resume(t) }

func (s *server) Cut(*testing.T) { s.relay.Cut() }

func (s *server) Mend(*testing.T) { s.relay.Heal() }

func (s *server) Save(t *testing.T) {
	s.Vault.Stop(t)
	s.saved = s.Vault.Save(t)
	s.Vault.Start(t)
}

func (s *server) Rewind(t *testing.T) {
	s.Vault.Stop(t)
	s.Restore(t, s.saved)
	s.Vault.Start(t)
}

func (s *server) OpenWith(t *testing.T, password string, log *slog.Logger) store.Store {
	return s.userpass(t, password, log)
}

const password = "pa55/wor:d%-of-the-agent"

func (s *server) OpenLogin(t *testing.T, log *slog.Logger) (store.Store, string) {
	return s.userpass(t, password, log), password
}

func (s *server) OpenExpiring(t *testing.T) store.Store { return s.userpass(t, password, nil) }

// Expire revokes every token that a login has given.
func (s *server) Expire(t *testing.T) {
	s.Call(t, http.MethodPut, "sys/leases/revoke-prefix/auth/userpass", nil)
}

func (s *server) userpass(t *testing.T, password string, log *slog.Logger) store.Store {
	return openStore(t, s.root(), log, spec.Values{
		"nodes": []string{s.Endpoint}, "basic_auth": true, "username": "agent", "password": password, "circle_interval": int64(1),
	})
}

// Takes says what the protocol cannot carry: Vault holds text, cuts spaces off a
// path, and takes neither two dots in one nor what is not shown.
func (*server) Takes(key, value string) bool {
	return utf8.ValidString(value) && !strings.Contains(key, "..") && strings.TrimSpace(key) == key &&
		!strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsPrint(r) })
}

// policy is the least that an agent needs to read, and datakit confd to write.
const (
	readOnly = `
path "%[1]s/data/%[2]s*"     { capabilities = ["read"] }
path "%[1]s/metadata/%[2]s*" { capabilities = ["list", "read"] }
`
	readWrite = `
path "%[1]s/data/%[2]s*"     { capabilities = ["create", "read", "update", "delete"] }
path "%[1]s/delete/%[2]s*"   { capabilities = ["update"] }
path "%[1]s/metadata/%[2]s*" { capabilities = ["list", "read"] }
`
	readWriteOne = `
path "%[1]s/%[2]s*" { capabilities = ["create", "read", "update", "delete", "list"] }
`
)

// start starts a Vault with an engine of a version and all that the suite needs.
func start(t *testing.T, version int) *server {
	t.Helper()
	s := &server{Vault: testserver.StartVault(t), mount: "secret", version: version}
	s.Mount(t, s.mount, version)
	policy := readWrite
	if version == 1 {
		policy = readWriteOne
	}
	s.Policy(t, "agent", fmt.Sprintf(policy, s.mount, ""))
	s.agent = s.Token(t, map[string]any{"policies": []string{"agent"}})
	s.Call(t, http.MethodPost, "sys/auth/userpass", map[string]string{"type": "userpass"})
	s.Call(t, http.MethodPost, "auth/userpass/users/agent", map[string]any{"password": password, "token_policies": []string{"agent"}})
	s.relay = testserver.StartRelay(t, strings.TrimPrefix(s.Endpoint, "http://"))
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	conform(t, 2, vault.Backend().Traits)
}

// Version 1 of the engine has neither versions nor compare-and-set.
func TestConformanceOfVersionOne(t *testing.T) {
	t.Parallel()
	traits := vault.Backend().Traits
	traits.CompareAndSet = false
	conform(t, 1, traits)
}

func conform(t *testing.T, version int, traits store.Traits) {
	s, cases := start(t, version), 0
	storetest.Run(t, traits, func(t *testing.T) storetest.Server {
		cases++
		mine := *s
		mine.folder = fmt.Sprintf("datakit/%d", cases)
		mine.relay = testserver.StartRelay(t, strings.TrimPrefix(s.Endpoint, "http://"))
		return &mine
	})
}

func openStore(t testing.TB, root string, log *slog.Logger, v spec.Values) store.Store {
	t.Helper()
	st, err := vault.Backend().Open(store.Options{Root: root, Values: v, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}
