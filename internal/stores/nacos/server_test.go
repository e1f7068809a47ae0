package nacos_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/testserver"
)

// A user that may only read follows everything and writes nothing; one of
// another namespace sees nothing, which is no empty tree.
func permissions(t *testing.T, s server) {
	const secret = "s3cret-of-reader"
	s.AddUser(t, "reader", secret, "r", s.confd, s.pipeline)
	s.AddUser(t, "stranger", secret, "rw", s.confd+"-other")
	v := s.values()
	v["username"], v["password"] = "reader", secret
	st := open(t, nil, v)
	s.Put(t, "confd/a", "1")
	storetest.ReadUntil(t, st, "confd/one/a=1")
	s.Put(t, "confd/a", "2")
	storetest.ReadUntil(t, st, "confd/one/a=2")
	s.Put(t, "pipeline/metric/cpu.p", "x")
	storetest.ReadUntil(t, st, "confd/one/a=2 pipeline/metric/cpu.p=x")
	if _, err := st.(store.Writer).Put(t.Context(), "confd/one/a", "3", store.Cond{}); !errors.Is(err, store.ErrDenied) {
		t.Errorf("Put: %v, which is not store.ErrDenied", err)
	}
	if err := st.(store.Writer).Delete(t.Context(), "confd/one/a", store.Cond{}); !errors.Is(err, store.ErrDenied) {
		t.Errorf("Delete: %v, which is not store.ErrDenied", err)
	}
	v["username"] = "stranger"
	if snap, err := open(t, nil, v).Read(storetest.Deadline(t, storetest.Patience)); !errors.Is(err, store.ErrDenied) {
		t.Errorf("a stranger reads %v, %v", snap, err)
	}
	delete(v, "username")
	delete(v, "password")
	if snap, err := open(t, nil, v).Read(storetest.Deadline(t, storetest.Patience)); !errors.Is(err, store.ErrDenied) {
		t.Errorf("nobody reads %v, %v", snap, err)
	}
}

// The public namespace has no id, and goes by the name that the console shows.
func publicNamespace(t *testing.T, s server) {
	v := s.values()
	v["confd_namespace"] = "public"
	st := open(t, nil, v)
	s.Nacos.Put(t, "", "web", "cpu.conf", "1")
	storetest.ReadUntil(t, st, "confd/web/cpu.conf=1")
	s.Nacos.Put(t, "", "web", "cpu.conf", "2")
	storetest.ReadUntil(t, st, "confd/web/cpu.conf=2")
	if err := st.(store.Writer).Delete(t.Context(), "confd/web/cpu.conf", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	storetest.ReadUntil(t, st, "")
}

// More keys than one page, and than one request can wait for: a change of any,
// and a removal, is pushed.
func manyKeys(t *testing.T, s server) {
	const keys = 1100
	for n := range keys {
		s.Put(t, fmt.Sprintf("confd/n%04d", n), "1")
	}
	st := open(t, nil, s.values())
	snap, err := st.Read(storetest.Deadline(t, storetest.Patience))
	if err != nil || len(snap.Entries) != keys {
		t.Fatalf("%d keys, %v", len(snap.Entries), err)
	}
	for _, n := range []int{0, 999, 1000, keys - 1} {
		key := fmt.Sprintf("n%04d", n)
		s.Put(t, "confd/"+key, "2")
		storetest.Until(t, "the new value of "+key, func() error {
			snap, err := st.Read(t.Context())
			if e, _ := snap.Get("confd/one/" + key); err == nil && e.Value != "2" {
				err = errors.New("still the old value")
			}
			return err
		})
	}
	s.Delete(t, "confd/n1000")
	storetest.Until(t, "the removal", func() error {
		snap, err := st.Read(t.Context())
		if _, still := snap.Get("confd/one/n1000"); err == nil && (still || len(snap.Entries) != keys-1) {
			err = fmt.Errorf("still %d keys", len(snap.Entries))
		}
		return err
	})
}

func nextNode(t *testing.T, s server) {
	v := s.values()
	v["nodes"] = []string{"127.0.0.1:1", s.relay.Address}
	st := open(t, nil, v)
	s.Put(t, "confd/a", "1")
	storetest.ReadUntil(t, st, "confd/one/a=1")
	if _, err := st.(store.Writer).Put(t.Context(), "confd/one/a", "2", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	storetest.ReadUntil(t, st, "confd/one/a=2")
}

func oneNamespace(t *testing.T, s server) {
	s.Put(t, "confd/a", "1")
	s.Put(t, "pipeline/metric/cpu.p", "x")
	v := s.values()
	delete(v, "confd_namespace")
	st := open(t, nil, v)
	storetest.ReadUntil(t, st, "pipeline/metric/cpu.p=x")
	if _, err := st.(store.Writer).Put(t.Context(), "confd/one/a", "2", store.Cond{}); err == nil || !strings.Contains(err.Error(), "confd_namespace is not set") {
		t.Errorf("Put: %v, which does not name the option", err)
	}
}

// mutualTLS puts a proxy that asks for certificates in front of the server, as
// operators do.
func mutualTLS(t *testing.T, s server) {
	ca, stranger := testserver.NewCA(t), testserver.NewCA(t)
	front := proxy(t, s, nil, serverTLS(t, ca))
	s.Put(t, "confd/a", "1")
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
			v := s.values()
			maps.Copy(v, c.options)
			v["nodes"] = []string{strings.TrimPrefix(front.URL, "https://")}
			st := open(t, nil, v)
			if c.works {
				storetest.ReadUntil(t, st, "confd/one/a=1")
				return
			}
			if snap, err := st.Read(storetest.Deadline(t, storetest.Patience)); !errors.Is(err, store.ErrUnavailable) {
				t.Fatalf("Read: %v, %v", snap, err)
			}
		})
	}
}

func serverTLS(t *testing.T, ca *testserver.CA) *tls.Config {
	t.Helper()
	pair := ca.Issue(t, "127.0.0.1")
	cert, err := tls.LoadX509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(ca.File)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
}

// proxy starts a proxy in front of s that may change its answers.
func proxy(t *testing.T, s server, change func(*http.Response) error, secure *tls.Config) *httptest.Server {
	t.Helper()
	target, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := httputil.NewSingleHostReverseProxy(target)
	p.ModifyResponse = change
	front := httptest.NewUnstartedServer(p)
	front.Config.ErrorLog = nil
	front.TLS = secure
	if secure != nil {
		front.StartTLS()
	} else {
		front.Start()
	}
	t.Cleanup(front.Close)
	return front
}

// A token that the server refuses although its time is not over, as after a
// restart or with clocks that differ, costs a new login and nothing else.
func TestRefusedTokenIsReplaced(t *testing.T) {
	t.Parallel()
	const ttl = time.Second
	next := namespaces(t, testserver.StartRNacos(t, testserver.WithNacosAuth(ttl)))
	s := next()
	refused := make(chan struct{}, 1000)
	front := proxy(t, s, func(r *http.Response) error {
		if r.StatusCode == http.StatusForbidden {
			refused <- struct{}{}
		}
		if strings.HasSuffix(r.Request.URL.Path, "/login") {
			return edit(r, `"tokenTtl":1,`, `"tokenTtl":99999,`)
		}
		return nil
	}, nil)
	v := s.values()
	v["nodes"] = []string{front.URL}
	st := open(t, nil, v)
	s.Put(t, "confd/a", "0")
	storetest.ReadUntil(t, st, "confd/one/a=0")
	for n := range 3 {
		storetest.Until(t, "a refusal", func() error {
			if snap, err := st.Read(t.Context()); err != nil || len(snap.Entries) != 1 {
				t.Fatalf("Read: %v, %v", snap, err)
			}
			if len(refused) <= n {
				return errors.New("none yet")
			}
			return nil
		})
		s.Put(t, "confd/a", fmt.Sprint(n+1))
		storetest.ReadUntil(t, st, fmt.Sprintf("confd/one/a=%d", n+1))
		if _, err := st.(store.Writer).Put(t.Context(), "confd/one/a", "mine", store.Cond{}); err != nil {
			t.Fatalf("Put: %v", err)
		}
		storetest.ReadUntil(t, st, "confd/one/a=mine")
	}
}

// edit replaces a part of the body of an answer.
func edit(r *http.Response, old, text string) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	changed := strings.Replace(string(body), old, text, 1)
	if changed == string(body) {
		return fmt.Errorf("no %s in %s", old, body)
	}
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(changed)), int64(len(changed))
	r.Header.Set("Content-Length", strconv.Itoa(len(changed)))
	return nil
}

// BenchmarkPutToWait measures the way of a change: from before the put until
// Wait has returned and Read shows it; of a key that is there, and of a new one.
func BenchmarkPutToWait(b *testing.B) {
	n := testserver.StartRNacos(b)
	for _, fresh := range []bool{false, true} {
		b.Run(fmt.Sprintf("new=%t", fresh), func(b *testing.B) {
			st := open(b, nil, spec.Values{"nodes": []string{n.Endpoint}, "confd_namespace": fmt.Sprintf("bench-%t", fresh)})
			snap, err := st.Read(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			for i := 0; b.Loop(); i++ {
				key := "a"
				if fresh {
					key = fmt.Sprint("a", i)
				}
				n.Put(b, fmt.Sprintf("bench-%t", fresh), "one", key, fmt.Sprint(i))
				storetest.Wait(b, st, snap.Revision)
				if snap, err = st.Read(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
