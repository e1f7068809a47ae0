package vault_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

// Every method logs in to a real Vault that has it, at a mount of another name
// as well, and is denied where its secret is wrong.
func TestLogins(t *testing.T) {
	t.Parallel()
	ca := testserver.NewCA(t)
	s := newSite(t, testserver.WithVaultTLS(ca, false))
	s.Put(t, "confd/a", "1")
	pair, stranger := ca.Issue(t, "agent"), ca.Issue(t, "stranger")
	for name, c := range map[string]struct {
		set   func(*testing.T, *site, string) spec.Values // sets the method up at a path
		right spec.Values
		wrong spec.Values
	}{
		"userpass": {setUserpass, spec.Values{"username": "agent/1", "password": password}, spec.Values{"password": "wrong-wrong-wrong"}},
		"approle":  {setAppRole, spec.Values{}, spec.Values{"secret_id": "wrong-wrong-wrong"}},
		"cert": {
			func(t *testing.T, s *site, path string) spec.Values { return setCert(t, s, path, pair) },
			spec.Values{"client_cert": pair.Cert, "client_key": pair.Key},
			spec.Values{"client_cert": stranger.Cert, "client_key": stranger.Key},
		},
		"kubernetes": {setKubernetes, spec.Values{"role": "agent"}, spec.Values{"role": "wrong-wrong-wrong"}},
		"github":     {setGitHub, spec.Values{"auth_token": "ghp_right-right-right"}, spec.Values{"auth_token": "ghp_wrong-wrong-wrong"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, path := range []string{name, "elsewhere/" + name} {
				if !s.Enable(t, path, name) {
					if os.Getenv("DATAKIT_TEST_ALL") != "" {
						t.Fatalf("this Vault was built without %s", name)
					}
					t.Skipf("this Vault was built without %s", name)
				}
				v := spec.Values{"nodes": []string{s.Endpoint}, "client_ca_keys": ca.File, "auth_type": name, "circle_interval": int64(1)}
				if path != name {
					v["path"] = path
				}
				maps.Copy(v, c.right)
				maps.Copy(v, c.set(t, s, path))
				storetest.ReadUntil(t, openStore(t, s.root(), nil, v), "confd/a=1")

				wrong := maps.Clone(v)
				maps.Copy(wrong, c.wrong)
				var logged storetest.Log
				st := openStore(t, s.root(), slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})), wrong)
				_, err := st.Read(t.Context())
				if !errors.Is(err, store.ErrDenied) {
					t.Errorf("a wrong login: %v", err)
				}
				if told := fmt.Sprintf("%+v %s", err, logged.String()); name != "kubernetes" && strings.Contains(told, "wrong-wrong") {
					t.Errorf("the secret is in %s", told)
				}
			}
		})
	}
}

// newSite starts a Vault with a mount and a policy "agent" for it.
func newSite(t *testing.T, options ...testserver.VaultOption) *site {
	t.Helper()
	s := &site{server: server{Vault: testserver.StartVault(t, options...), mount: "secret", folder: "datakit"}}
	s.mounted(t, 2)
	s.Policy(t, "agent", fmt.Sprintf(readWrite, s.mount, s.folder))
	return s
}

func setUserpass(t *testing.T, s *site, path string) spec.Values {
	s.Call(t, http.MethodPost, "auth/"+path+"/users/agent", map[string]any{"password": password, "token_policies": "agent"})
	return spec.Values{"username": "agent"}
}

func setAppRole(t *testing.T, s *site, path string) spec.Values {
	s.Call(t, http.MethodPost, "auth/"+path+"/role/agent", map[string]any{"token_policies": "agent"})
	return spec.Values{
		"role_id":   s.field(t, http.MethodGet, "auth/"+path+"/role/agent/role-id", "role_id"),
		"secret_id": s.field(t, http.MethodPost, "auth/"+path+"/role/agent/secret-id", "secret_id"),
	}
}

// field returns one field of the data of an answer.
func (s *site) field(t *testing.T, method, path, name string) string {
	t.Helper()
	var out struct{ Data map[string]any }
	if err := json.Unmarshal(s.Call(t, method, path, nil), &out); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(out.Data[name])
}

func setCert(t *testing.T, s *site, path string, pair testserver.Pair) spec.Values {
	pem, err := os.ReadFile(pair.Cert)
	if err != nil {
		t.Fatal(err)
	}
	s.Call(t, http.MethodPost, "auth/"+path+"/certs/agent", map[string]any{"certificate": string(pem), "token_policies": "agent"})
	return nil
}

// setKubernetes sets the method up with a stand-in for the cluster, which knows
// one service account.
func setKubernetes(t *testing.T, s *site, path string) spec.Values {
	jwt := serviceJWT(t)
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": map[string]any{
				"authenticated": strings.Contains(string(body), jwt), "audiences": []string{"vault"},
				"user": map[string]any{"username": "system:serviceaccount:default:datakit", "uid": "one"},
			},
		})
	}))
	t.Cleanup(cluster.Close)
	s.Call(t, http.MethodPost, "auth/"+path+"/config", map[string]any{
		"kubernetes_host": cluster.URL, "disable_local_ca_jwt": true, "kubernetes_ca_cert": "", "token_reviewer_jwt": jwt,
	})
	s.Call(t, http.MethodPost, "auth/"+path+"/role/agent", map[string]any{
		"bound_service_account_names": "datakit", "bound_service_account_namespaces": "default", "token_policies": "agent",
	})
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(jwt+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return spec.Values{"file": []string{file}}
}

// serviceJWT returns the token of a service account as a cluster signs it.
func serviceJWT(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := part(map[string]string{"alg": "ES256", "typ": "JWT"}) + "." + part(map[string]any{
		"iss": "https://kubernetes.default.svc", "sub": "system:serviceaccount:default:datakit",
		"exp": 4102444800, "iat": 1700000000, "nbf": 1700000000, "aud": []string{"vault"},
		"kubernetes.io": map[string]any{"namespace": "default", "serviceaccount": map[string]string{"name": "datakit", "uid": "one"}},
	})
	sum := sha256.Sum256([]byte(text))
	r, sig, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(append(r.FillBytes(make([]byte, 32)), sig.FillBytes(make([]byte, 32))...))
}

// setGitHub sets the method up with a stand-in for GitHub, which knows one user.
func setGitHub(t *testing.T, s *site, path string) spec.Values {
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers := map[string]string{
			"/user": `{"login":"agent","id":7}`, "/user/orgs": `[{"login":"acme","id":1}]`, "/user/teams": `[]`, "/orgs/acme": `{"login":"acme","id":1}`,
		}
		answer, ok := answers[strings.TrimPrefix(r.URL.Path, "/api/v3")]
		switch {
		case r.Header.Get("Authorization") != "Bearer ghp_right-right-right" && !strings.Contains(r.URL.Path, "/orgs/acme"):
			w.WriteHeader(http.StatusUnauthorized)
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = io.WriteString(w, answer)
		}
	}))
	t.Cleanup(hub.Close)
	s.Call(t, http.MethodPost, "auth/"+path+"/config", map[string]any{"organization": "acme", "organization_id": 1, "base_url": hub.URL + "/"})
	s.Call(t, http.MethodPost, "auth/"+path+"/map/users/agent", map[string]string{"value": "agent"})
	return nil
}

// What happens to tokens over time.
func TestTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Put(t, "confd/a", "1")
	s.Enable(t, "userpass", "userpass")
	for name, run := range map[string]func(*testing.T, *site){
		"a token is renewed before it runs out":               tokenRenewed,
		"a token that runs out is denied":                     tokenRunsOut,
		"a login that cannot be renewed is done again":        loginAgain,
		"a login whose token was revoked is done again":       loginRevoked,
		"a wrong password is set right":                       passwordSetRight,
		"the token of a login is given back":                  tokenGivenBack,
		"the token of the options is kept":                    tokenKept,
		"a token that may not look itself up":                 tokenWithoutDefault,
		"no token at all":                                     noToken,
		"a login of a method that is not there":               noMethod,
		"a service account whose file is missing":             noServiceFile,
		"many readers and writers at once log in once":        loginOnce,
		"a token that a Vault agent would add needs no login": throughAgent,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, s)
		})
	}
}

// user creates a user whose tokens have the properties given.
func (s *site) user(t *testing.T, log *slog.Logger, name string, properties map[string]any) store.Store {
	t.Helper()
	properties["password"], properties["token_policies"] = password, "agent"
	s.Call(t, http.MethodPost, "auth/userpass/users/"+name, properties)
	return openStore(t, s.root(), log, spec.Values{"nodes": []string{s.Endpoint}, "username": name, "password": password, "circle_interval": int64(1)})
}

// alive reports whether the server knows the token.
func (s *site) alive(t *testing.T, token string) bool {
	t.Helper()
	return s.Works(t, token, "auth/token/lookup-self")
}

// outlive lets the store look every second until the server has forgotten
// token, which was made with the life that those of the store have, and longer.
func (s *site) outlive(t *testing.T, st store.Store, token string) {
	t.Helper()
	since := storetest.ReadUntil(t, st, "confd/a=1").Revision
	done := make(chan error, 1)
	ctx := storetest.Deadline(t, storetest.Patience)
	go func() { done <- st.Wait(ctx, since) }()
	storetest.Until(t, "the end of the other token", func() error {
		if s.alive(t, token) {
			return errors.New("it still lives")
		}
		return nil
	})
	select {
	case err := <-done:
		t.Fatalf("Wait: %v", err)
	default:
	}
	if _, err := st.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func tokenRenewed(t *testing.T, s *site) {
	properties := map[string]any{"policies": []string{"agent"}, "ttl": "4s", "period": "4s"}
	token := s.Token(t, properties)
	st := s.openToken(t, token)
	storetest.ReadUntil(t, st, "confd/a=1")
	s.outlive(t, st, s.Token(t, properties))
}

func tokenRunsOut(t *testing.T, s *site) {
	token := s.Token(t, map[string]any{"policies": []string{"agent"}, "ttl": "2s", "renewable": false})
	st := s.openToken(t, token)
	storetest.ReadUntil(t, st, "confd/a=1")
	storetest.Until(t, "the end of the token", func() error {
		snap, err := st.Read(t.Context())
		if err == nil && len(snap.Entries) != 1 {
			t.Fatalf("Read shows %v", snap)
		}
		if errors.Is(err, store.ErrDenied) {
			if strings.Contains(err.Error(), token) || !strings.Contains(err.Error(), "run out") {
				t.Errorf("Read: %v", err)
			}
			return nil
		}
		return fmt.Errorf("still: %w", err)
	})
}

func loginAgain(t *testing.T, s *site) {
	var logged storetest.Log
	log := slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	st := s.user(t, log, "short", map[string]any{"token_ttl": "2s", "token_max_ttl": "2s"})
	s.outlive(t, st, s.Token(t, map[string]any{"ttl": "4s", "renewable": false}))
	if n := strings.Count(logged.String(), "logged in"); n < 2 {
		t.Errorf("%d logins: %s", n, logged.String())
	}
}

func loginRevoked(t *testing.T, s *site) {
	st := s.user(t, nil, "revoked", map[string]any{})
	storetest.ReadUntil(t, st, "confd/a=1")
	s.Call(t, http.MethodPut, "sys/leases/revoke-prefix/auth/userpass/login/revoked", nil)
	if _, err := st.Read(t.Context()); err != nil {
		t.Errorf("Read: %v", err)
	}
}

func passwordSetRight(t *testing.T, s *site) {
	s.Call(t, http.MethodPost, "auth/userpass/users/later", map[string]any{"password": "another-one", "token_policies": "agent"})
	st := openStore(t, s.root(), nil, spec.Values{"nodes": []string{s.Endpoint}, "username": "later", "password": password})
	if _, err := st.Read(t.Context()); !errors.Is(err, store.ErrDenied) {
		t.Fatalf("Read: %v", err)
	}
	s.Call(t, http.MethodPost, "auth/userpass/users/later/password", map[string]any{"password": password})
	storetest.ReadUntil(t, st, "confd/a=1")
}

func tokenGivenBack(t *testing.T, s *site) {
	st := s.user(t, nil, "leaves", map[string]any{})
	storetest.ReadUntil(t, st, "confd/a=1")
	leases := func() string {
		return s.field(t, "LIST", "sys/leases/lookup/auth/userpass/login/leaves", "keys")
	}
	if leases() == "<nil>" {
		t.Fatal("a login leaves no lease")
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if s.Works(t, s.Root, "sys/leases/lookup/auth/userpass/login/leaves?list=true") {
		t.Errorf("leases are left: %s", leases())
	}
}

func tokenKept(t *testing.T, s *site) {
	token := s.Token(t, map[string]any{"policies": []string{"agent"}})
	st := s.openToken(t, token)
	storetest.ReadUntil(t, st, "confd/a=1")
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if !s.alive(t, token) {
		t.Error("the token was revoked")
	}
}

func tokenWithoutDefault(t *testing.T, s *site) {
	token := s.Token(t, map[string]any{"policies": []string{"agent"}, "no_default_policy": true})
	storetest.ReadUntil(t, s.openToken(t, token), "confd/a=1")
}

func noToken(t *testing.T, s *site) {
	st := openStore(t, s.root(), nil, spec.Values{"nodes": []string{s.Endpoint}})
	if _, err := st.Read(t.Context()); !errors.Is(err, store.ErrDenied) {
		t.Errorf("Read: %v", err)
	}
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a", "2", store.Cond{}); !errors.Is(err, store.ErrDenied) {
		t.Errorf("Put: %v", err)
	}
}

func noMethod(t *testing.T, s *site) {
	st := openStore(t, s.root(), nil, spec.Values{"nodes": []string{s.Endpoint}, "username": "u", "password": password, "path": "nowhere"})
	if _, err := st.Read(t.Context()); !errors.Is(err, store.ErrDenied) || !strings.Contains(err.Error(), "log in by userpass") {
		t.Errorf("Read: %v", err)
	}
}

func noServiceFile(t *testing.T, s *site) {
	st := openStore(t, s.root(), nil, spec.Values{"nodes": []string{s.Endpoint}, "auth_type": "kubernetes", "role": "r", "file": []string{"/no/such/token"}})
	if _, err := st.Read(t.Context()); !errors.Is(err, store.ErrDenied) || !strings.Contains(err.Error(), "/no/such/token") {
		t.Errorf("Read: %v", err)
	}
}

func loginOnce(t *testing.T, s *site) {
	var logged storetest.Log
	st := s.user(t, slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})), "many", map[string]any{})
	done := make(chan error, 8)
	for range cap(done) {
		go func() {
			_, err := st.Read(t.Context())
			if err == nil {
				err = st.(store.Writer).Delete(t.Context(), "confd/none", store.Cond{})
			}
			done <- err
		}()
	}
	for range cap(done) {
		if err := <-done; !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
	}
	if n := strings.Count(logged.String(), "logged in"); n != 1 {
		t.Errorf("%d logins", n)
	}
}

func throughAgent(t *testing.T, s *site) {
	token := s.Token(t, map[string]any{"policies": []string{"agent"}})
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Vault-Request") != "true" { // as require_request_header asks
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		r.Header.Set("X-Vault-Token", token)
		s.proxy(t).ServeHTTP(w, r)
	}))
	t.Cleanup(agent.Close)
	storetest.ReadUntil(t, openStore(t, s.root(), nil, spec.Values{"nodes": []string{agent.URL}}), "confd/a=1")
}
