package testserver

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// WithEtcdV2 turns the v2 API on, which etcd 3.4 leaves off. Its keys are not
// those of the v3 API.
func WithEtcdV2() EtcdOption { return WithEtcdArgs("--enable-v2=true") }

// PutV2 writes a key by the v2 API. Fields are further ones of the form, in
// pairs: "ttl", "1".
func (e *Etcd) PutV2(tb testing.TB, key, value string, fields ...string) {
	tb.Helper()
	form := url.Values{"value": {value}}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	e.want(tb, e.DoV2(tb, http.MethodPut, "/v2/keys"+escapePath(key), form))
}

// MkdirV2 makes a directory by the v2 API.
func (e *Etcd) MkdirV2(tb testing.TB, key string, fields ...string) {
	tb.Helper()
	form := url.Values{"dir": {"true"}}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	e.want(tb, e.DoV2(tb, http.MethodPut, "/v2/keys"+escapePath(key), form))
}

// DeleteV2 removes a key, or a directory with all that is in it, by the v2 API.
func (e *Etcd) DeleteV2(tb testing.TB, key string) {
	tb.Helper()
	e.want(tb, e.DoV2(tb, http.MethodDelete, "/v2/keys"+escapePath(key)+"?recursive=true", nil))
}

// An EtcdAnswer is what the v2 API answered.
type EtcdAnswer struct {
	Status int
	Index  string
	Body   string
}

// IndexV2 returns the current index of the v2 API.
func (e *Etcd) IndexV2(tb testing.TB) string {
	tb.Helper()
	return e.DoV2(tb, http.MethodGet, "/v2/keys/?quorum=true", nil).Index
}

// EnableAuthV2 creates root and a user that may read and write the keys of
// pattern, such as /datakit/*, takes every right from strangers and turns
// authentication of the v2 API on.
func (e *Etcd) EnableAuthV2(tb testing.TB, user, password, pattern string) {
	tb.Helper()
	rights := map[string]any{"read": []string{pattern}, "write": []string{pattern}}
	e.authV2(tb, http.MethodPut, "users/root", map[string]any{"user": "root", "password": "root", "roles": []string{"root"}})
	e.authV2(tb, http.MethodPut, "roles/agent", map[string]any{"role": "agent", "permissions": map[string]any{"kv": rights}})
	e.authV2(tb, http.MethodPut, "users/"+user, map[string]any{"user": user, "password": password, "roles": []string{"agent"}})
	e.authV2(tb, http.MethodPut, "enable", nil)
	e.username, e.password = "root", "root"
	e.authV2(tb, http.MethodDelete, "roles/guest", nil)
}

// SetPasswordV2 changes the password of a user of the v2 API.
func (e *Etcd) SetPasswordV2(tb testing.TB, user, password string) {
	tb.Helper()
	e.authV2(tb, http.MethodPut, "users/"+user, map[string]any{"user": user, "password": password})
}

func (e *Etcd) authV2(tb testing.TB, method, path string, request any) {
	tb.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		tb.Fatal(err)
	}
	e.want(tb, e.sendV2(tb, method, "/v2/auth/"+path, "application/json", string(body)))
}

// DoV2 sends one request to the v2 API, whatever comes of it.
func (e *Etcd) DoV2(tb testing.TB, method, path string, form url.Values) EtcdAnswer {
	tb.Helper()
	return e.sendV2(tb, method, path, "application/x-www-form-urlencoded", form.Encode())
}

func (e *Etcd) sendV2(tb testing.TB, method, path, contentType, body string) EtcdAnswer {
	tb.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, e.Endpoint+path, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	if e.username != "" {
		req.SetBasicAuth(e.username, e.password)
	}
	resp, err := e.client.Do(req)
	if err != nil {
		tb.Errorf("etcd %s %s: %v", method, path, err)
		return EtcdAnswer{}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Errorf("etcd %s %s: %v", method, path, err)
	}
	return EtcdAnswer{resp.StatusCode, resp.Header.Get("X-Etcd-Index"), string(text)}
}

func (e *Etcd) want(tb testing.TB, a EtcdAnswer) {
	tb.Helper()
	if a.Status != http.StatusOK && a.Status != http.StatusCreated {
		tb.Errorf("etcd answers %d: %s", a.Status, a.Body)
	}
}

func escapePath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}
