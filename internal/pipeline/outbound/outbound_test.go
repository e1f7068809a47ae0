package outbound_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/outbound"
)

func newClient(t *testing.T, o outbound.Options) *outbound.Client {
	t.Helper()
	c, err := outbound.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func get(t *testing.T, c *outbound.Client, u string) (fn.HTTPResponse, error) {
	t.Helper()
	return c.Do(t.Context(), fn.HTTPRequest{Method: "GET", URL: u})
}

func loopback() outbound.Options { return outbound.Options{Allow: []string{"127.0.0.1"}} }

func TestARequestArrivesAndItsAnswerComesBack(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL, r.Header.Get("X-Token"), body)
	})
	got, err := newClient(t, loopback()).Do(t.Context(), fn.HTTPRequest{
		Method: "PUT", URL: s.URL + "/p?q=1", Header: map[string]string{"x-token": "t"}, Body: `{"a":1}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := `PUT /p?q=1 t {"a":1}`; got.Body != want || got.Status != http.StatusTeapot {
		t.Errorf("got %d %q, want %d %q", got.Status, got.Body, http.StatusTeapot, want)
	}
}

func TestTheAgentsOwnMachineIsNotCalled(t *testing.T) {
	called := false
	s := serve(t, func(http.ResponseWriter, *http.Request) { called = true })
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, outbound.Options{})
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "[::1]", "127.1.2.3"} {
		_, err := get(t, c, "http://"+host+":"+u.Port()+"/")
		if !errors.Is(err, outbound.ErrAddress) {
			t.Errorf("%s: got %v, want %v", host, err, outbound.ErrAddress)
		}
	}
	if called {
		t.Error("the server was called")
	}
}

func TestARedirectIsHeldToTheSame(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip("this machine has one loopback address only")
	}
	called := false
	secret := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	secret.Listener.Close()
	secret.Listener = inner
	secret.Start()
	t.Cleanup(secret.Close)

	for _, test := range []struct {
		to   string
		want error
	}{
		{secret.URL, outbound.ErrAddress},
		{"http://169.254.169.254/latest/meta-data/", outbound.ErrAddress},
		{"file:///etc/passwd", outbound.ErrScheme},
		{"gopher://127.0.0.1/", outbound.ErrScheme},
		{"/again", outbound.ErrRedirects},
	} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, test.to, http.StatusFound) })
		if _, err := get(t, newClient(t, loopback()), s.URL); !errors.Is(err, test.want) {
			t.Errorf("to %s: got %v, want %v", test.to, err, test.want)
		}
	}
	if called {
		t.Error("the inner server was called")
	}
}

func TestHeadersGoToTheFirstHostOnly(t *testing.T) {
	other := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "token=", r.Header.Get("X-Token")) })
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/here" {
			fmt.Fprint(w, "token=", r.Header.Get("X-Token"))
			return
		}
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
	})
	c := newClient(t, loopback())
	for to, want := range map[string]string{"/here": "token=secret", other.URL: "token="} {
		got, err := c.Do(t.Context(), fn.HTTPRequest{
			Method: "GET", URL: s.URL + "/?to=" + url.QueryEscape(to), Header: map[string]string{"X-Token": "secret"},
		})
		if err != nil || got.Body != want {
			t.Errorf("redirected to %s: got %q, %v; want %q", to, got.Body, err, want)
		}
	}
}

func TestALongBodyIsRefused(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			fmt.Fprint(z, long)
			if err := z.Close(); err != nil {
				t.Error(err)
			}
		case "/long":
			fmt.Fprint(w, long)
		case "/exact":
			fmt.Fprint(w, long[:1000])
		}
	})
	o := loopback()
	o.MaxBody = 1000
	c := newClient(t, o)
	for path, want := range map[string]error{"/bomb": outbound.ErrBody, "/long": outbound.ErrBody, "/exact": nil} {
		if _, err := get(t, c, s.URL+path); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", path, err, want)
		}
	}
}

func TestWhoWaitsTooLongIsCutOff(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newClient(t, loopback()).Do(ctx, fn.HTTPRequest{Method: "GET", URL: s.URL})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a request that is given up: %v", err)
	}
	o := loopback()
	o.Timeout = 1
	if _, err := get(t, newClient(t, o), s.URL); err == nil {
		t.Error("a request without an answer in time has one")
	}
}

func TestHostsThatMayBeCalled(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) {})
	o := loopback()
	o.Hosts = []string{"api.Example.com"}
	c := newClient(t, o)
	if _, err := get(t, c, s.URL); !errors.Is(err, outbound.ErrHost) {
		t.Errorf("another host: %v", err)
	}
	o.Hosts = []string{"127.0.0.1"}
	if _, err := get(t, newClient(t, o), s.URL); err != nil {
		t.Errorf("the host: %v", err)
	}
}

func TestRequestsThatAreNone(t *testing.T) {
	c := newClient(t, outbound.Options{})
	for _, r := range []fn.HTTPRequest{
		{Method: "GET", URL: "ftp://example.com/"},
		{Method: "GET", URL: "file:///etc/passwd"},
		{Method: "GET", URL: "/relative"},
		{Method: "GET", URL: "http://[::1"},
		{Method: "GE T", URL: "http://example.com/"},
		{Method: "GET", URL: "http://127.0.0.1/", Header: map[string]string{"A\r\nB": "c"}},
	} {
		if got, err := c.Do(t.Context(), r); err == nil {
			t.Errorf("%v: got %v", r, got)
		}
	}
	for _, allow := range []string{"", "10.0.0.0/33", "example.com", "10.0.0"} {
		if _, err := outbound.New(outbound.Options{Allow: []string{allow}}); err == nil {
			t.Errorf("the network %q is taken", allow)
		}
	}
}
