package vault_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
)

// A standin answers as a Vault does, for what no Vault of ours can be brought to
// say: logins that it has no more, and answers that are none.
type standin struct {
	*httptest.Server

	mu      sync.Mutex
	answers map[string]string // by "METHOD path": "STATUS body"
	asked   []string          // "METHOD path token body"
}

func standIn(t *testing.T, answers map[string]string) *standin {
	s := &standin{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		what := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/v1/")
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, fmt.Sprintf("%s %s %s", what, r.Header.Get("X-Vault-Token"), body))
		answer, ok := s.answers[what]
		if !ok {
			answer = `404 {"errors":[]}`
		}
		var status int
		_, rest, _ := strings.Cut(answer, " ")
		if _, err := fmt.Sscan(answer, &status); err != nil {
			t.Error(err)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, rest)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *standin) set(what, answer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[what] = answer
}

func (s *standin) count(part string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asked {
		if strings.Contains(a, part) {
			n++
		}
	}
	return n
}

// version2 is a mount with one secret.
func version2() map[string]string {
	return map[string]string{
		"GET sys/internal/ui/mounts/datakit": `200 {"data":{"path":"datakit/","type":"kv","accessor":"kv_1","options":{"version":"2"}}}`,
		"GET datakit/metadata/":              `200 {"data":{"keys":["confd/"]}}`,
		"GET datakit/metadata/confd/":        `200 {"data":{"keys":["cpu"]}}`,
		"GET datakit/metadata/confd/cpu":     `200 {"data":{"current_version":1,"versions":{"1":{"created_time":"2026-01-01T00:00:00Z","deletion_time":"","destroyed":false}}}}`,
		"GET datakit/data/confd/cpu":         `200 {"data":{"data":{"value":"1"},"metadata":{"version":1,"created_time":"2026-01-01T00:00:00Z","deletion_time":"","destroyed":false}}}`,
		"GET auth/token/lookup-self":         `200 {"data":{"ttl":0,"renewable":false}}`,
	}
}

// The app-id login, gone from Vault since 1.12, as its last documentation has it.
func TestAppIDLogin(t *testing.T) {
	t.Parallel()
	answers := version2()
	answers["POST auth/app-id/login"] = `200 {"auth":{"client_token":"s.from-app-id","lease_duration":3600,"renewable":true}}`
	s := standIn(t, answers)
	st := openStore(t, "/datakit", nil, spec.Values{"nodes": []string{s.URL}, "auth_type": "app-id", "app_id": "datakit", "user_id": "one-of-many"})
	storetest.ReadUntil(t, st, "confd/cpu=1")
	if s.count(`POST auth/app-id/login  {"app_id":"datakit","user_id":"one-of-many"}`) != 1 || s.count("GET datakit/data/confd/cpu s.from-app-id ") != 1 {
		t.Errorf("the server was asked %q", s.asked)
	}
}

// A second look at what has not changed reads no secret.
func TestSecretsAreReadOnceAVersion(t *testing.T) {
	t.Parallel()
	s := standIn(t, version2())
	st := openStore(t, "/datakit", nil, spec.Values{"nodes": []string{s.URL}, "auth_token": "s.t"})
	for range 5 {
		storetest.ReadUntil(t, st, "confd/cpu=1")
	}
	if n := s.count("GET datakit/data/confd/cpu"); n != 1 {
		t.Errorf("the secret was read %d times", n)
	}
	s.set("GET datakit/metadata/confd/cpu", `200 {"data":{"current_version":2,"versions":{"2":{"created_time":"2026-01-02T00:00:00Z"}}}}`)
	s.set("GET datakit/data/confd/cpu", `200 {"data":{"data":{"value":"2"},"metadata":{"version":2,"created_time":"2026-01-02T00:00:00Z"}}}`)
	storetest.ReadUntil(t, st, "confd/cpu=2")
	// The same number again, but of another time: the server was set back.
	s.set("GET datakit/metadata/confd/cpu", `200 {"data":{"current_version":2,"versions":{"2":{"created_time":"2026-01-03T00:00:00Z"}}}}`)
	s.set("GET datakit/data/confd/cpu", `200 {"data":{"data":{"value":"other"},"metadata":{"version":2,"created_time":"2026-01-03T00:00:00Z"}}}`)
	storetest.ReadUntil(t, st, "confd/cpu=other")
}

// No answer but Vault's own "there is nothing" may look like a deletion.
func TestAnswersThatAreNoDeletion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ what, answer string }{
		"a page of a proxy in the place of a list": {"GET datakit/metadata/confd/", `404 <html>not here</html>`},
		"a page of a proxy for a secret":           {"GET datakit/metadata/confd/cpu", `404 <html>not here</html>`},
		"JSON of another server":                   {"GET datakit/metadata/confd/", `404 {"message":"no"}`},
		"a mount that is gone":                     {"GET datakit/metadata/confd/", `404 {"errors":["no handler for route \"datakit/metadata/confd/\". route entry not found."]}`},
		"another version of the engine":            {"GET datakit/metadata/confd/", `404 {"errors":[],"warnings":["Invalid path for a versioned K/V secrets engine."]}`},
		"an upgrade that runs":                     {"GET datakit/metadata/", `400 {"errors":["Upgrading from non-versioned to versioned data."]}`},
		"a list without one":                       {"GET datakit/metadata/", `200 {}`},
		"a list cut off":                           {"GET datakit/metadata/confd/", `200 {"data":{"keys":["cp`},
		"names that lead elsewhere":                {"GET datakit/metadata/confd/", `200 {"data":{"keys":["../../../sys/x"]}}`},
		"a name of dots":                           {"GET datakit/metadata/confd/", `200 {"data":{"keys":["../"]}}`},
		"an empty name":                            {"GET datakit/metadata/confd/", `200 {"data":{"keys":["/"]}}`},
		"a list of other things":                   {"GET datakit/metadata/confd/", `200 {"data":{"keys":[1,2]}}`},
		"a page for the mount":                     {"GET sys/internal/ui/mounts/datakit", `200 <html>`},
		"a mount that holds another path":          {"GET sys/internal/ui/mounts/datakit", `200 {"data":{"path":"other/","type":"kv"}}`},
		"another engine":                           {"GET sys/internal/ui/mounts/datakit", `200 {"data":{"path":"datakit/","type":"pki"}}`},
		"a version yet to come":                    {"GET sys/internal/ui/mounts/datakit", `200 {"data":{"path":"datakit/","type":"kv","options":{"version":"3"}}}`},
		"metadata cut off":                         {"GET datakit/metadata/confd/cpu", `200 {"data":{"curr`},
		"sealed":                                   {"GET datakit/metadata/confd/", `503 {"errors":["Vault is sealed"]}`},
		"too many requests":                        {"GET datakit/metadata/confd/", `429 {"errors":["request path \"x\": rate limit quota exceeded"]}`},
		"a standby":                                {"GET datakit/metadata/confd/", `473 {}`},
		"a page that says yes":                     {"GET datakit/metadata/confd/cpu", `200 <html>log in</html>`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := standIn(t, version2())
			st := openStore(t, "/datakit", nil, spec.Values{"nodes": []string{s.URL}, "auth_token": "s.t"})
			storetest.ReadUntil(t, st, "confd/cpu=1")
			s.set(c.what, c.answer)
			if snap, err := st.Read(t.Context()); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("Read: %v, %v", snap, err)
			}
			for what, answer := range version2() {
				s.set(what, answer)
			}
			storetest.ReadUntil(t, st, "confd/cpu=1")
		})
	}
}

// A node that only stands by sends us on, in each of the ways that it may.
func TestStandbyIsPassedOver(t *testing.T) {
	t.Parallel()
	active := standIn(t, version2())
	for _, status := range []int{429, 472, 473, 500, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			standby := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
			defer standby.Close()
			st := openStore(t, "/datakit", nil, spec.Values{"nodes": []string{standby.URL, active.URL}, "auth_token": "s.t"})
			storetest.ReadUntil(t, st, "confd/cpu=1")
		})
	}
	t.Run("307", func(t *testing.T) {
		standby := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, active.URL+r.URL.String(), http.StatusTemporaryRedirect)
		}))
		defer standby.Close()
		st := openStore(t, "/datakit", nil, spec.Values{"nodes": []string{standby.URL, active.URL}, "auth_token": "s.redirected"})
		storetest.ReadUntil(t, st, "confd/cpu=1")
		if active.count("GET datakit/data/confd/cpu s.redirected") == 0 {
			t.Error("the token did not go along")
		}
	})
}

// A redirect to a server that is none of ours would hand it the token.
func TestRedirectElsewhereGetsNoToken(t *testing.T) {
	t.Parallel()
	thief := standIn(t, version2())
	standby := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL+r.URL.String(), http.StatusTemporaryRedirect)
	}))
	defer standby.Close()
	st := openStore(t, "/datakit", nil, spec.Values{"nodes": []string{standby.URL}, "auth_token": "s.t"})
	if _, err := st.Read(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Read: %v", err)
	}
	if len(thief.asked) > 0 {
		t.Errorf("the other server was asked %q", thief.asked)
	}
}

// A server that repeats our secrets in what it says brings them into no error.
func TestServerThatRepeatsSecrets(t *testing.T) {
	t.Parallel()
	const token, password = "s.token-that-nobody-may-see", "password-that-nobody-may-see"
	for name, c := range map[string]struct {
		what, answer string
		options      spec.Values
	}{
		"a login refused":   {"POST auth/userpass/login/u", `400 {"errors":["wrong password ` + password + `"]}`, spec.Values{"username": "u", "password": password}},
		"a login broken":    {"POST auth/userpass/login/u", `500 {"errors":["cannot check ` + password + `"]}`, spec.Values{"username": "u", "password": password}},
		"a read refused":    {"GET datakit/metadata/", `403 {"errors":["not for ` + token + `"]}`, spec.Values{"auth_token": token}},
		"a login's token":   {"POST auth/userpass/login/u", `200 {"auth":{"client_token":"` + token + `"}}`, spec.Values{"username": "u", "password": password}},
		"a read broken":     {"GET datakit/metadata/", `500 {"errors":["broken for ` + token + `"]}`, spec.Values{"auth_token": token}},
		"a warning":         {"GET datakit/metadata/", `404 {"errors":[],"warnings":["` + token + `"]}`, spec.Values{"auth_token": token}},
		"a strange answer":  {"GET datakit/metadata/", `200 {"data":"` + token + `"}`, spec.Values{"auth_token": token}},
		"no token any more": {"GET auth/token/lookup-self", `403 {"errors":["bad token ` + token + `"]}`, spec.Values{"auth_token": token}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers := version2()
			answers[c.what] = c.answer
			if strings.HasPrefix(name, "no token") || name == "a login's token" {
				answers["GET datakit/metadata/"] = `403 {"errors":["permission denied for ` + token + `"]}`
			}
			s := standIn(t, answers)
			var logged storetest.Log
			c.options["nodes"] = []string{s.URL}
			st := openStore(t, "/datakit", slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})), c.options)
			_, err := st.Read(t.Context())
			if err == nil {
				t.Fatal("Read found something")
			}
			if told := fmt.Sprintf("%v %+v %s", err, err, logged.String()); strings.Contains(told, "nobody-may-see") {
				t.Errorf("a secret is in %s", told)
			}
			if !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrDenied) {
				t.Errorf("%v is of no kind", err)
			}
		})
	}
}

// What the fields of a secret stand for.
func TestFieldsOfASecret(t *testing.T) {
	t.Parallel()
	for fields, want := range map[string]map[string]string{
		`{"value":"a"}`:                        {"confd/cpu": "a"},
		`{"value":"a","note":"b"}`:             {"confd/cpu": "a"},
		`{"config":"a"}`:                       {"confd/cpu": "a"},
		`{}`:                                   {"confd/cpu": ""},
		`{"value":null}`:                       {"confd/cpu": ""},
		`{"value":7}`:                          {"confd/cpu": "7"},
		`{"value":{"interval":"10s"}}`:         {"confd/cpu": `{"interval":"10s"}`},
		`{"one":"1","two":"2"}`:                {"confd/cpu/one": "1", "confd/cpu/two": "2"},
		`{"value":"` + "\\u6e29\\u5ea6" + `"}`: {"confd/cpu": "温度"},
	} {
		answers := version2()
		answers["GET datakit/data/confd/cpu"] = `200 {"data":{"data":` + fields + `,"metadata":{"version":3}}}`
		st := openStore(t, "/datakit", nil, spec.Values{"nodes": []string{standIn(t, answers).URL}, "auth_token": "s.t"})
		snap, err := st.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, e := range snap.Entries {
			got[e.Key] = e.Value
			if e.Revision != "3" {
				t.Errorf("%s: revision %q", fields, e.Revision)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s stands for %v, want %v", fields, got, want)
		}
	}
}

// A tree that never ends, as a broken or hostile server may list it.
func TestFoldersWithoutEnd(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/sys/") {
			_, _ = io.WriteString(w, version2()["GET sys/internal/ui/mounts/datakit"][4:])
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"keys": []string{"x/"}}})
	}))
	t.Cleanup(s.Close)
	st := openStore(t, "/datakit", nil, spec.Values{"nodes": []string{s.URL}, "auth_token": "s.t"})
	if _, err := st.Read(t.Context()); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "deep") || len(err.Error()) > 1000 {
		t.Errorf("Read: %v", err)
	}
}
