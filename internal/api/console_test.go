package api_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"datakit.dev/internal/access"
	"datakit.dev/internal/api"
	"datakit.dev/internal/audit"
	"datakit.dev/internal/config"
)

// remote answers requests as if they had come over the network.
type remote struct {
	t      *testing.T
	server *api.Server
	addr   string
	jar    []*http.Cookie
}

func newRemote(t *testing.T, o api.Options) *remote {
	o.Agent = &fake{}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &remote{t: t, server: api.New(o), addr: "192.0.2.7:999"}
}

func (r *remote) send(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.RemoteAddr, req.Host = r.addr, "agent.example:9529"
	local := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 9529}
	req = req.WithContext(context.WithValue(req.Context(), http.LocalAddrContextKey, local))
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	for _, c := range r.jar {
		req.AddCookie(c)
	}
	w := httptest.NewRecorder()
	r.server.ServeHTTP(w, req)
	return w
}

func (r *remote) login(token string) *httptest.ResponseRecorder {
	w := r.send("POST", "/v1/console/login", `{"token":"`+token+`"}`, "X-Datakit-Console", "1")
	if list := w.Result().Cookies(); len(list) > 0 {
		r.jar = list
	}
	return w
}

func tokenOf(t *testing.T) (access.File, string) {
	t.Helper()
	f := access.File(t.TempDir() + "/console.token")
	secret, err := f.Create(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return f, secret
}

func writes() config.Console { return config.Console{Enable: true, Write: true} }

// guarded are the routes of the console, and those that give orders.
var guarded = []struct{ method, path string }{
	{"GET", "/v1/changes"},
	{"GET", "/v1/events?since=x"},
	{"GET", "/v1/keys"},
	{"GET", "/v1/keys/etcdv3/confd/cpu"},
	{"PUT", "/v1/keys/etcdv3/confd/cpu"},
	{"DELETE", "/v1/keys/etcdv3/confd/cpu"},
	{"POST", "/v1/reload"},
	{"POST", "/v1/confd/accept"},
	{"POST", "/v1/confd/plan"},
	{"POST", "/v1/confd/validate"},
	{"POST", "/v1/pipeline/debug"},
	{"POST", "/v1/pipeline/try"},
	{"GET", "/v1/specs"},
	{"GET", "/v1/recent"},
}

// From the network nothing is let in but with the token.
func TestTheNetworkNeedsTheToken(t *testing.T) {
	none := newRemote(t, api.Options{Settings: writes, Keys: newShelf(), Gate: access.NewGate(access.File(t.TempDir() + "/none"))})
	f, secret := tokenOf(t)
	gate := access.NewGate(f)
	locked := newRemote(t, api.Options{Settings: writes, Keys: newShelf(), Gate: gate})
	for _, c := range guarded {
		for _, r := range []*remote{none, locked} {
			w := r.send(c.method, c.path, "", "X-Datakit-Console", "1", "Cookie", "datakit_console=guess")
			if w.Code != 401 && w.Code != 403 {
				t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
			}
		}
	}
	if w := none.login(secret); w.Code != 401 || !strings.Contains(w.Body.String(), "there is no token") {
		t.Errorf("login without a token: %d %s", w.Code, w.Body)
	}
	if w := locked.login(secret); w.Code != 200 || !strings.Contains(w.Body.String(), `"logged_in":true`) {
		t.Fatalf("login: %d %s", w.Code, w.Body)
	}
	for _, c := range guarded {
		if w := locked.send(c.method, c.path, "", "X-Datakit-Console", "1"); w.Code == 401 || w.Code == 403 {
			t.Errorf("logged in, %s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
	if w := none.send("GET", "/v1/keys", "", "Authorization", "Bearer "+secret); w.Code != 401 {
		t.Errorf("a token where there is none: %d", w.Code)
	}
	locked.jar = nil
	if w := locked.send("GET", "/v1/keys", "", "Authorization", "Bearer "+secret); w.Code != 200 {
		t.Errorf("the token itself: %d %s", w.Code, w.Body)
	}
}

// Once there is a token, being on the machine is not enough, nor is a proxy on it.
func TestATokenLocksThisMachineToo(t *testing.T) {
	url, d, _ := consoleOf(t, &fake{})
	get(t, url+"/v1/keys").expect(t, 200)
	get(t, url+"/v1/keys", "X-Forwarded-For", "192.0.2.7").expect(t, 401, "datakit.login")
	post(t, url+"/v1/reload", "", "Forwarded", "for=192.0.2.7").expect(t, 403, "datakit.localOnly")
	secret, err := d.token.Create(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	get(t, url+"/v1/keys").expect(t, 401, "datakit.login")
	get(t, url+"/v1/console").expect(t, 200, `"admitted":false,"logged_in":false,"locked":true`)
	get(t, url+"/v1/keys", "Authorization", "Bearer "+secret).expect(t, 200)
	get(t, url+"/v1/status").expect(t, 200)
}

func TestTheCookieIsForTheBrowserAlone(t *testing.T) {
	f, secret := tokenOf(t)
	r := newRemote(t, api.Options{Gate: access.NewGate(f)})
	w := r.login(secret)
	cookie := w.Header().Get("Set-Cookie")
	for _, part := range []string{"datakit_console=", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("the cookie lacks %s: %s", part, cookie)
		}
	}
	if strings.Contains(cookie, secret) || strings.Contains(w.Body.String(), secret) {
		t.Error("the token goes back")
	}
	old := r.jar
	if w := r.send("POST", "/v1/console/logout", "", "X-Datakit-Console", "1"); w.Code != 200 || !strings.Contains(w.Header().Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("logout: %d %v", w.Code, w.Header())
	}
	r.jar = old
	if w := r.send("GET", "/v1/changes", ""); w.Code != 401 {
		t.Errorf("the cookie is still good after logout: %d", w.Code)
	}
}

// A page of another site writes nothing, though the browser has a session.
func TestForgedWritesAreRefused(t *testing.T) {
	f, secret := tokenOf(t)
	shelf := newShelf()
	r := newRemote(t, api.Options{Settings: writes, Keys: shelf, Gate: access.NewGate(f)})
	r.login(secret)
	for _, c := range guarded {
		if c.method == "GET" {
			continue
		}
		for _, h := range [][]string{
			{},
			{"Origin", "https://evil.example", "X-Datakit-Console", "1"},
			{"Origin", "null", "X-Datakit-Console", "1"},
			{"Sec-Fetch-Site", "cross-site", "X-Datakit-Console", "1"},
			{"Sec-Fetch-Site", "same-site", "X-Datakit-Console", "1"},
		} {
			if w := r.send(c.method, c.path, "x", append(h, "If-Match", `"1"`)...); w.Code != 403 {
				t.Errorf("%s %s with %v: %d %s", c.method, c.path, h, w.Code, w.Body)
			}
		}
	}
	for _, path := range []string{"/v1/console/login", "/v1/console/logout"} {
		if w := r.send("POST", path, `{"token":"`+secret+`"}`); w.Code != 403 || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s without the header: %d", path, w.Code)
		}
	}
	if len(shelf.entries) != 2 || shelf.entries["confd/cpu"].Revision != "1" {
		t.Errorf("the store holds %v", shelf.entries)
	}
}

// A name that was rebound to this machine reaches no part of the console.
func TestReboundNamesReachNoConsole(t *testing.T) {
	url, d, _ := consoleOf(t, &fake{}, func(o *api.Options) { o.Console = http.NotFoundHandler() })
	for _, path := range []string{"/", "/v1/keys", "/v1/changes", "/v1/events", "/v1/console", "/v1/openapi.json"} {
		get(t, url+path, "Host", "evil.example").expect(t, 403, "datakit.host")
	}
	put(t, url+"/v1/keys/etcdv3/confd/cpu", "x", "If-Match", `"1"`, "Host", "evil.example").expect(t, 403, "datakit.host")
	if d.entries["confd/cpu"].Revision != "1" {
		t.Error("it was written")
	}
}

// Who guesses is stopped, whether it logs in or shows tokens; the log stays small.
func TestBruteForceIsStopped(t *testing.T) {
	url, d, _ := consoleOf(t, &fake{})
	secret, err := d.token.Create(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	codes := map[int]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 25 {
				login := post(t, url+"/v1/console/login", `{"token":"guess"}`, "X-Datakit-Console", "1")
				bearer := get(t, url+"/v1/keys", "Authorization", "Bearer guess")
				mu.Lock()
				codes[login.code]++
				codes[bearer.code]++
				mu.Unlock()
				if login.code == 429 && login.header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
			}
		})
	}
	all.Wait()
	if codes[401] > 7 || codes[401]+codes[429] != 400 { // five, and what time gives back
		t.Errorf("codes %v", codes)
	}
	if n := strings.Count(d.log(t), "\n"); n > 7 {
		t.Errorf("%d lines in the audit log", n)
	}
	r := newRemote(t, api.Options{Gate: access.NewGate(d.token)})
	if w := r.login(secret); w.Code != 200 {
		t.Errorf("somebody else is locked out: %d %s", w.Code, w.Body)
	}
}

// Neither the token, nor a guess at it, nor a session is in any log.
func TestTokensAreInNoLog(t *testing.T) {
	var log bytes.Buffer
	var mu sync.Mutex
	url, d, _ := consoleOf(t, &fake{}, func(o *api.Options) {
		o.Log = slog.New(slog.NewTextHandler(locked{&mu, &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	secret, err := d.token.Create(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r := post(t, url+"/v1/console/login", `{"token":"`+secret+`"}`, "X-Datakit-Console", "1")
	r.expect(t, 200)
	session := strings.TrimPrefix(strings.Split(r.header.Get("Set-Cookie"), ";")[0], "datakit_console=")
	put(t, url+"/v1/keys/etcdv3/confd/cpu", "x", "If-Match", `"1"`, "Cookie", "datakit_console="+session).expect(t, 200)
	all := []string{secret, session, "a-wrong-guess"}
	answers := post(t, url+"/v1/console/login", `{"token":"a-wrong-guess"}`, "X-Datakit-Console", "1").body +
		post(t, url+"/v1/console/login", `{"token":"a-wrong-guess`, "X-Datakit-Console", "1").body +
		post(t, url+"/v1/console/login", `{"a-wrong-guess":"x"}`, "X-Datakit-Console", "1").body +
		get(t, url+"/v1/keys", "Authorization", "Bearer a-wrong-guess").body + get(t, url+"/metrics").body
	mu.Lock()
	defer mu.Unlock()
	for _, s := range all {
		if strings.Contains(log.String()+d.log(t)+answers, s) {
			t.Errorf("%s is told", s)
		}
	}
	if !strings.Contains(d.log(t), `"who":"session `) {
		t.Errorf("who wrote is not on record: %s", d.log(t))
	}
}

type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func TestOversizedLogin(t *testing.T) {
	url, _, _ := consoleOf(t, &fake{})
	post(t, url+"/v1/console/login", `{"token":"`+strings.Repeat("x", 1<<20)+`"}`, "X-Datakit-Console", "1").expect(t, 413, "datakit.bodyTooLarge")
	for _, body := range []string{"", "null x", "[]", `{"token":1}`, `{"token":"x","more":1}`} {
		if r := post(t, url+"/v1/console/login", body, "X-Datakit-Console", "1"); r.code != 400 {
			t.Errorf("%q: %d %s", body, r.code, r.body)
		}
	}
}

// Strangers cannot push others out of the audit log.
func TestStrangersLeaveNoFlood(t *testing.T) {
	path := t.TempDir() + "/audit.log"
	record := audit.New(path)
	defer record.Close()
	f, _ := tokenOf(t)
	r := newRemote(t, api.Options{Settings: writes, Keys: newShelf(), Gate: access.NewGate(f), Audit: record})
	for range 200 {
		r.send("PUT", "/v1/keys/etcdv3/confd/cpu", "x", "X-Datakit-Console", "1")
		r.send("POST", "/v1/reload", "")
		r.send("POST", "/v1/console/login", "{", "X-Datakit-Console", "1")
		r.send("POST", "/v1/console/login", `{"token":"guess"}`, "X-Datakit-Console", "1")
	}
	text, err := os.ReadFile(path)
	if n := strings.Count(string(text), "\n"); err != nil || n < 5 || n > 7 {
		t.Errorf("%d lines, expected one for each guess: %v", n, err)
	}
}

// The pages may load nothing from elsewhere, run nothing inline, and be framed by
// nobody.
func TestPagesAreHeldToThePolicy(t *testing.T) {
	url, _, _ := consoleOf(t, &fake{}, func(o *api.Options) {
		o.Console = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if !access.Admitted(req.Context()) {
				w.WriteHeader(http.StatusUnauthorized)
			}
		})
	})
	r := get(t, url+"/")
	r.expect(t, 200)
	policy := r.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy lacks %s: %s", part, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") || r.header.Get("X-Frame-Options") != "DENY" || r.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", r.header)
	}
	get(t, url+"/", "X-Forwarded-For", "192.0.2.7").expect(t, 401)
}
