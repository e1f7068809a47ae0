package httpnodes_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
	"datakit.dev/internal/testserver"
)

const secret = "hunter2"

func TestEndpoints(t *testing.T) {
	for name, c := range map[string]struct {
		values spec.Values
		want   []string
	}{
		"plain":                    {spec.Values{"nodes": []string{"10.0.0.1:8500", "b:1"}}, []string{"http://10.0.0.1:8500", "http://b:1"}},
		"without a port":           {spec.Values{"nodes": []string{"consul", "consul:"}}, []string{"http://consul:8500", "http://consul:8500"}},
		"IPv6":                     {spec.Values{"nodes": []string{"[::1]:1", "[::1]"}}, []string{"http://[::1]:1", "http://[::1]:8500"}},
		"with a path":              {spec.Values{"nodes": []string{"https://gate/consul/"}}, []string{"https://gate:8500/consul"}},
		"scheme":                   {spec.Values{"nodes": []string{"a:1"}, "scheme": "https"}, []string{"https://a:1"}},
		"TLS files stand for TLS":  {spec.Values{"nodes": []string{"a:1"}, "client_ca_keys": "ca.pem"}, []string{"https://a:1"}},
		"the node's own says more": {spec.Values{"nodes": []string{"http://a:1"}, "client_ca_keys": "ca.pem"}, []string{"http://a:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := httpnodes.Endpoints("consul", "8500", c.values); err != nil || !slices.Equal(got, c.want) {
				t.Fatalf("%v, %v; want %v", got, err, c.want)
			}
		})
	}
}

func TestOptionsThatNeverWork(t *testing.T) {
	for name, c := range map[string]struct {
		values spec.Values
		want   string
	}{
		"no nodes":                {spec.Values{}, `backend "consul" needs nodes, such as ["127.0.0.1:8500"]`},
		"an empty node":           {spec.Values{"nodes": []string{""}}, "expected host:port"},
		"no port number":          {spec.Values{"nodes": []string{"a:b:c"}}, "expected host:port"},
		"a scheme of another":     {spec.Values{"nodes": []string{"ftp://" + "a:1"}}, "expected http or https"},
		"a password in a node":    {spec.Values{"nodes": []string{"http://root:" + secret + "@a:1"}}, "username and password"},
		"a query":                 {spec.Values{"nodes": []string{"http://a:1?token=" + secret}}, "no ?"},
		"a certificate, no key":   {spec.Values{"nodes": []string{"a:1"}, "client_cert": "cert.pem"}, "go together"},
		"a node of control bytes": {spec.Values{"nodes": []string{"a\x7f" + secret}}, "number 1: expected host:port"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := httpnodes.New("consul", "8500", c.values)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
				t.Fatalf("%v; want one about %q, without secrets", err, c.want)
			}
		})
	}
}

func FuzzEndpoints(f *testing.F) {
	for _, s := range []string{"a", "a:1", "http://a", "[::1]:1", "://", "http://u:p@h", "a?b", "a/%zz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, node string) {
		got, err := httpnodes.Endpoints("consul", "8500", spec.Values{"nodes": []string{node}})
		if err != nil {
			return
		}
		u, err := url.Parse(got[0])
		if err != nil || u.Host == "" || u.Port() == "" || u.User != nil || u.RawQuery != "" {
			t.Fatalf("%q became %q: %v", node, got[0], err)
		}
	})
}

// node is a server that answers with a status and its name.
func node(t *testing.T, name string, status int) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Name", name)
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "%s %s %s %s %s", name, r.Method, r.URL.RequestURI(), r.Header.Get("X-Token"), body)
	}))
	t.Cleanup(s.Close)
	return s
}

func client(t *testing.T, nodes ...string) *httpnodes.Client {
	t.Helper()
	c, err := httpnodes.New("consul", "8500", spec.Values{"nodes": nodes})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestRequestIsSentAsItIs(t *testing.T) {
	s := node(t, "one", http.StatusTeapot)
	resp, err := client(t, s.URL+"/gate").Do(t.Context(), httpnodes.Request{
		Method: http.MethodPut, Path: "/v1/kv/a%2Fb", Query: url.Values{"cas": {"0"}},
		Header: http.Header{"X-Token": {secret}}, Body: []byte("text"),
	})
	want := "one PUT /gate/v1/kv/a%2Fb?cas=0 " + secret + " text"
	if err != nil || string(resp.Body) != want || resp.Status != http.StatusTeapot || resp.Header.Get("X-Name") != "one" || resp.Node != s.URL+"/gate" {
		t.Fatalf("%+v, %v; want %s", resp, err, want)
	}
}

func TestNextNodeIsUsed(t *testing.T) {
	dead, well := closed(t), node(t, "well", 200)
	for _, status := range []int{500, 502, 503, 504} {
		ill := node(t, "ill", status)
		c := client(t, dead, ill.URL, well.URL)
		for range 2 {
			resp, err := c.Do(t.Context(), httpnodes.Request{})
			if err != nil || resp.Header.Get("X-Name") != "well" {
				t.Fatalf("%+v, %v", resp, err)
			}
			ill.Close() // the second call goes to the well one at once
		}
	}
}

// What a node says is no reason to ask another one where it is about us.
func TestRefusalIsAnAnswer(t *testing.T) {
	well := node(t, "well", 200)
	for _, status := range []int{400, 401, 403, 404, 413, 429} {
		c := client(t, node(t, "first", status).URL, well.URL)
		if resp, err := c.Do(t.Context(), httpnodes.Request{}); err != nil || resp.Status != status {
			t.Fatalf("%+v, %v", resp, err)
		}
	}
}

// A protocol may have statuses of its own with which a node sends us on.
func TestStatusesThatSendUsOn(t *testing.T) {
	first, well := node(t, "first", 429), node(t, "well", 200)
	c := client(t, first.URL, well.URL)
	if resp, err := c.Do(t.Context(), httpnodes.Request{Next: []int{429, 473}}); err != nil || resp.Status != http.StatusOK {
		t.Fatalf("%+v, %v", resp, err)
	}
	c = client(t, first.URL)
	if resp, err := c.Do(t.Context(), httpnodes.Request{Next: []int{429}}); err != nil || resp.Status != 429 {
		t.Fatalf("where there is no other: %+v, %v", resp, err)
	}
}

func TestNoNodeIsThere(t *testing.T) {
	c := client(t, closed(t), closed(t))
	_, err := c.Do(t.Context(), httpnodes.Request{Path: "/x", Query: url.Values{"accessToken": {secret}}, Header: http.Header{"X-Token": {secret}}})
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "refused") || strings.Contains(fmt.Sprintf("%+v %#v", err, err), secret) {
		t.Fatalf("%v", err)
	}
	sick := client(t, closed(t), node(t, "sick", 503).URL)
	if resp, err := sick.Do(t.Context(), httpnodes.Request{}); err != nil || resp.Status != 503 {
		t.Fatalf("the answer there is was not returned: %+v, %v", resp, err)
	}
}

func TestAnswerIsBounded(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 100 {
			_, _ = w.Write(make([]byte, 1<<10))
		}
	}))
	defer s.Close()
	c := client(t, s.URL)
	if _, err := c.Do(t.Context(), httpnodes.Request{Limit: 50 << 10}); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "over 51200 bytes") {
		t.Fatal(err)
	}
	if resp, err := c.Do(t.Context(), httpnodes.Request{Limit: 100 << 10}); err != nil || len(resp.Body) != 100<<10 {
		t.Fatal(len(resp.Body), err)
	}
}

// A redirect to a stranger would carry the token there.
func TestRedirectGoesToOurNodesOnly(t *testing.T) {
	leader, stranger := node(t, "leader", 200), node(t, "stranger", 200)
	for to, want := range map[string]bool{leader.URL: true, stranger.URL: false} {
		s := httptest.NewServer(http.RedirectHandler(to+"/v1", http.StatusTemporaryRedirect))
		resp, err := client(t, s.URL, leader.URL).Do(t.Context(), httpnodes.Request{Method: http.MethodPut, Header: http.Header{"X-Token": {secret}}, Body: []byte("x")})
		switch {
		case want && (err != nil || resp.Header.Get("X-Name") != "leader" || !strings.HasSuffix(string(resp.Body), " x")):
			t.Errorf("to our node: %+v, %v", resp, err)
		case !want && (err != nil || resp.Header.Get("X-Name") == "stranger"):
			t.Errorf("to a stranger: %+v, %v", resp, err)
		}
		s.Close()
	}
	s := httptest.NewServer(http.RedirectHandler(stranger.URL, http.StatusFound))
	defer s.Close()
	if _, err := client(t, s.URL).Do(t.Context(), httpnodes.Request{}); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "not among nodes") {
		t.Error(err)
	}
}

func TestContextOfTheCaller(t *testing.T) {
	reached := make(chan struct{}, 2)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		reached <- struct{}{}
		<-r.Context().Done()
	}))
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-reached
		cancel()
	}()
	if _, err := client(t, s.URL, s.URL).Do(ctx, httpnodes.Request{Long: time.Hour}); !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrUnavailable) {
		t.Fatal(err)
	}
}

// A node that takes connections and says nothing is left for the next one.
func TestSilentNodeIsLeft(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(s.Close)
	if resp, err := client(t, s.URL, node(t, "well", 200).URL).Do(t.Context(), httpnodes.Request{}); err != nil || resp.Header.Get("X-Name") != "well" {
		t.Fatalf("%+v, %v", resp, err)
	}
	_, err := client(t, s.URL).Do(t.Context(), httpnodes.Request{})
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "no answer in time") {
		t.Fatal(err)
	}
}

func TestTLS(t *testing.T) {
	ca, stranger := testserver.NewCA(t), testserver.NewCA(t)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, len(r.TLS.PeerCertificates))
	}))
	s.TLS = ca.Server(t, true)
	s.StartTLS()
	t.Cleanup(s.Close)
	ours, theirs := ca.Issue(t, "agent"), stranger.Issue(t, "agent")
	for name, c := range map[string]struct {
		options spec.Values
		works   bool
	}{
		"both sides known":             {spec.Values{"client_ca_keys": ca.File, "client_cert": ours.Cert, "client_key": ours.Key}, true},
		"without checking the server":  {spec.Values{"client_insecure": true, "client_cert": ours.Cert, "client_key": ours.Key}, true},
		"without a certificate":        {spec.Values{"client_ca_keys": ca.File}, false},
		"with a stranger's":            {spec.Values{"client_ca_keys": ca.File, "client_cert": theirs.Cert, "client_key": theirs.Key}, false},
		"a server signed by who knows": {spec.Values{"client_ca_keys": stranger.File, "client_cert": ours.Cert, "client_key": ours.Key}, false},
		"a file that is missing":       {spec.Values{"client_ca_keys": "/no/such/ca.pem"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.options["nodes"] = []string{s.URL}
			cli, err := httpnodes.New("consul", "8500", c.options)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(cli.Close)
			resp, err := cli.Do(t.Context(), httpnodes.Request{})
			if c.works && (err != nil || string(resp.Body) != "1") || !c.works && !errors.Is(err, store.ErrUnavailable) {
				t.Fatalf("%s, %v", resp.Body, err)
			}
		})
	}
}

// A file that comes later is taken without a restart.
func TestCertificateComesLater(t *testing.T) {
	ca := testserver.NewCA(t)
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = ca.Server(t, false)
	s.StartTLS()
	t.Cleanup(s.Close)
	path := t.TempDir() + "/ca.pem"
	cli, err := httpnodes.New("consul", "8500", spec.Values{"nodes": []string{s.URL}, "client_ca_keys": path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cli.Close)
	if _, err := cli.Do(t.Context(), httpnodes.Request{}); err == nil || !strings.Contains(err.Error(), "client_ca_keys") {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(ca.File)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	if resp, err := cli.Do(t.Context(), httpnodes.Request{}); err != nil || resp.Status != http.StatusNotFound {
		t.Fatal(resp, err)
	}
}

// closed returns the URL of a node that nobody listens at.
func closed(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return "http://" + l.Addr().String()
}
