package api_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"datakit.dev/internal/api"
)

// A page whose name was rebound to the loopback address reads nothing.
func TestReboundHostIsRefused(t *testing.T) {
	url := serve(t, &fake{})
	for _, host := range []string{"evil.example", "evil.example:9529", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[fe80::1]:80", "_"} {
		get(t, url+"/v1/status", "Host", host).expect(t, 403, "datakit.host")
	}
	for _, host := range []string{"localhost", "LOCALHOST:9529", "127.0.0.1:1", "127.9.9.9", "[::1]:9529", "localhost."} {
		get(t, url+"/v1/status", "Host", host).expect(t, 200)
	}
}

// A hosts file may give the machine's own name the loopback address.
func TestOwnNamesAreNoRebinding(t *testing.T) {
	url := serve(t, &fake{}, func(o *api.Options) { o.Addr = "agent.example:9529" })
	for _, host := range []string{"agent.example:9529", "AGENT.example", "h:9529"} {
		get(t, url+"/v1/status", "Host", host).expect(t, 200)
	}
	get(t, url+"/v1/status", "Host", "agent.example.evil").expect(t, 403, "datakit.host")
}

// A page of another origin changes nothing.
func TestCrossOriginPostIsRefused(t *testing.T) {
	f := &fake{}
	url := serve(t, f)
	for _, h := range [][]string{
		{"Origin", "https://evil.example"},
		{"Origin", "null"},
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Origin", "http://localhost:1"},
	} {
		post(t, url+"/v1/write/metric", "m f=1", h...).expect(t, 403, "datakit.crossOrigin")
		post(t, url+"/v1/confd/accept", "", h...).expect(t, 403, "datakit.crossOrigin")
	}
	if n := len(f.got()); n != 0 {
		t.Errorf("%d points were taken", n)
	}
	post(t, url+"/v1/write/metric", "m f=1", "Origin", url).expect(t, 200)
	post(t, url+"/v1/write/metric", "m f=1", "Sec-Fetch-Site", "same-origin").expect(t, 200)
}

// from answers one request as if it had come over a connection.
func from(remote, local, method, path string) *httptest.ResponseRecorder {
	s := api.New(api.Options{Log: slog.New(slog.DiscardHandler), Agent: &fake{}})
	req := httptest.NewRequest(method, path, strings.NewReader("m f=1"))
	req.RemoteAddr, req.Host = remote, "agent.example"
	addr, err := net.ResolveTCPAddr("tcp", local)
	if err == nil {
		req = req.WithContext(context.WithValue(req.Context(), http.LocalAddrContextKey, addr))
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	return w
}

// An agent that listens for the network takes points from it, and no orders.
func TestOrdersComeFromThisMachine(t *testing.T) {
	for _, path := range []string{"/v1/reload", "/v1/confd/accept", "/v1/confd/plan", "/v1/confd/validate", "/v1/pipeline/debug", "/v1/pipeline/try"} {
		if w := from("192.0.2.7:999", "192.0.2.1:9529", "POST", path); w.Code != 403 || !strings.Contains(w.Body.String(), "datakit.localOnly") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := from("192.0.2.7:999", "192.0.2.1:9529", "POST", "/v1/write/metric"); w.Code != 200 {
		t.Errorf("write: %d %s", w.Code, w.Body)
	}
	if w := from("192.0.2.7:999", "192.0.2.1:9529", "GET", "/v1/status"); w.Code != 200 {
		t.Errorf("status: %d %s", w.Code, w.Body)
	}
	if w := from("[::1]:999", "[2001:db8::1]:9529", "POST", "/v1/confd/accept"); w.Code != 200 {
		t.Errorf("accept from here: %d %s", w.Code, w.Body)
	}
}

// A part that panics is answered for, and its words stay in.
func TestPanicIsContained(t *testing.T) {
	var log strings.Builder
	f := &fake{panics: true}
	url := serve(t, f, func(o *api.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	r := get(t, url+"/v1/status")
	r.expect(t, 500, "datakit.internal")
	if strings.Contains(r.body, "hunter2") {
		t.Errorf("the panic went out: %s", r.body)
	}
	f.panics = false
	get(t, url+"/v1/status").expect(t, 200)
	if !strings.Contains(log.String(), "panic") {
		t.Errorf("the log says nothing: %s", log.String())
	}
}

// What is no HTTP, and headers without end, are cut off.
func TestHostileRequests(t *testing.T) {
	_, told, _ := start(t, "127.0.0.1:0")
	addr := (<-told).addr
	for _, raw := range []string{
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"GET / HTTP/1.1\r\n\r\n",
		"GET /v1/ping HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"POST /v1/write/metric HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nm f=1",
		"GET /v1/ping HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 2<<20) + "\r\n\r\n",
	} {
		var d net.Dialer
		conn, err := d.DialContext(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, raw)
		_ = conn.(*net.TCPConn).CloseWrite()
		answer, _ := io.ReadAll(conn)
		if !strings.Contains(string(answer), " 400 ") && !strings.Contains(string(answer), " 431 ") && len(answer) > 0 {
			t.Errorf("%.40q was answered %.60q", raw, answer)
		}
		_ = conn.Close()
	}
	get(t, "http://"+addr+"/v1/ping").expect(t, 200)
}
