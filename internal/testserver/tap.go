package testserver

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// A Tap stands before an emulator of AWS, and counts what is asked of it.
type Tap struct {
	URL string

	mu     sync.Mutex
	counts map[string]int
	before func(w http.ResponseWriter, operation string) bool
}

// NewTap passes every request on, unless before, where it is not nil, says that
// it has answered it.
func (a *AWS) NewTap(tb testing.TB, before func(w http.ResponseWriter, operation string) (answered bool)) *Tap {
	tb.Helper()
	target, err := url.Parse(a.Endpoint)
	if err != nil {
		tb.Fatal(err)
	}
	t := &Tap{counts: map[string]int{}, before: before}
	pass := &httputil.ReverseProxy{Transport: a.client.Transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		t.mu.Lock()
		t.counts[operation]++
		t.mu.Unlock()
		if t.before == nil || !t.before(w, operation) {
			pass.ServeHTTP(w, r)
		}
	}))
	tb.Cleanup(srv.Close)
	t.URL = srv.URL
	return t
}

// Count returns how often an operation was asked for.
func (t *Tap) Count(operation string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts[operation]
}
