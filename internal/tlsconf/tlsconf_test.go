package tlsconf_test

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/testserver"
	"datakit.dev/internal/tlsconf"
)

func TestNothingSet(t *testing.T) {
	o := tlsconf.FromValues(spec.Defaults(store.Fields()))
	if o.Set() {
		t.Fatalf("%+v asks for TLS", o)
	}
	if c, err := o.Load(); err != nil || c.InsecureSkipVerify || c.MinVersion < tls.VersionTLS12 {
		t.Fatalf("%+v, %v", c, err)
	}
}

// Every file that cannot work is named by its option, and nothing of what it
// holds is repeated.
func TestFilesThatCannotWork(t *testing.T) {
	ca := testserver.NewCA(t)
	pair, other := ca.Issue(t, "a"), ca.Issue(t, "b")
	const secret = "not-a-certificate-but-a-secret"
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		options tlsconf.Options
		want    string
	}{
		"no such authority":        {tlsconf.Options{CA: "/no/such"}, "client_ca_keys"},
		"an authority of text":     {tlsconf.Options{CA: text}, "holds no PEM certificate"},
		"a directory":              {tlsconf.Options{CA: t.TempDir()}, "no regular file"},
		"a certificate alone":      {tlsconf.Options{Cert: pair.Cert}, "go together"},
		"a key alone":              {tlsconf.Options{Key: pair.Key}, "go together"},
		"the key of another":       {tlsconf.Options{Cert: pair.Cert, Key: other.Key}, "client_key"},
		"a key that is a password": {tlsconf.Options{Cert: pair.Cert, Key: secret}, "client_key"},
		"a key of text":            {tlsconf.Options{Cert: pair.Cert, Key: text}, "client_key"},
		"no such certificate":      {tlsconf.Options{Cert: "/no/such", Key: pair.Key}, "client_cert"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.options.Load()
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
				t.Fatalf("%v; want one about %q, without secrets", err, c.want)
			}
		})
	}
}

// A certificate that is renewed on disk is used at the next handshake.
func TestRenewedCertificate(t *testing.T) {
	ca := testserver.NewCA(t)
	first, second := ca.Issue(t, "first"), ca.Issue(t, "second")
	server, err := tlsconf.Options{CA: ca.File, Cert: first.Cert, Key: first.Key}.Load()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := server.GetClientCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	listening := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: server.RootCAs}

	dir := t.TempDir()
	o := tlsconf.Options{CA: ca.File, Cert: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key")}
	install(t, first, o)
	c, err := o.Load()
	if err != nil {
		t.Fatal(err)
	}
	c.ServerName = "first"
	for _, p := range []testserver.Pair{first, second} {
		install(t, p, o)
		want := "first"
		if p == second {
			want = "second"
		}
		if got := peerName(t, listening, c); got != want {
			t.Errorf("the server sees %q, want %q", got, want)
		}
	}
}

func install(t *testing.T, p testserver.Pair, o tlsconf.Options) {
	t.Helper()
	for from, to := range map[string]string{p.Cert: o.Cert, p.Key: o.Key} {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// peerName returns the name of the client certificate that a server sees.
func peerName(t *testing.T, server, client *tls.Config) string {
	t.Helper()
	a, b := net.Pipe()
	done := make(chan error, 1)
	c := tls.Client(b, client)
	go func() { done <- c.HandshakeContext(t.Context()) }()
	s := tls.Server(a, server)
	if err := s.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return s.ConnectionState().PeerCertificates[0].Subject.CommonName
}
