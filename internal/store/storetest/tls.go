package storetest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// Certificates names the files of a test of TLS: an authority that signed the
// server's certificate and ours, and a stranger that signed another pair.
type Certificates struct {
	CA, Cert, Key                 string
	Stranger, TheirCert, TheirKey string
}

// TLS tries what may stand in the TLS options, right and wrong, on a server that
// asks its clients for a certificate and holds the key confd/a. open returns a
// store with these options, on that server's address written without a scheme;
// it closes the store with the test.
func TLS(t *testing.T, c Certificates, open func(*testing.T, spec.Values) store.Store) {
	t.Helper()
	for name, tc := range map[string]struct {
		options spec.Values
		works   bool
	}{
		"both sides known":             {spec.Values{"client_ca_keys": c.CA, "client_cert": c.Cert, "client_key": c.Key}, true},
		"without checking the server":  {spec.Values{"client_insecure": true, "client_cert": c.Cert, "client_key": c.Key}, true},
		"without a certificate":        {spec.Values{"client_ca_keys": c.CA}, false},
		"with a stranger's":            {spec.Values{"client_ca_keys": c.CA, "client_cert": c.TheirCert, "client_key": c.TheirKey}, false},
		"a server signed by who knows": {spec.Values{"client_ca_keys": c.Stranger, "client_cert": c.Cert, "client_key": c.Key}, false},
		"the system's authorities":     {spec.Values{"scheme": "https", "client_cert": c.Cert, "client_key": c.Key}, false},
		"no TLS at all":                {spec.Values{"scheme": "http"}, false},
		"a file that is missing":       {spec.Values{"client_ca_keys": "/no/such/ca.pem"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			st := open(t, tc.options)
			if tc.works {
				ReadUntil(t, st, "confd/a=")
				return
			}
			snap, err := st.Read(Deadline(t, Patience))
			if !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrDenied) {
				t.Fatalf("Read: %v, %v", snap, err)
			}
		})
	}
	t.Run("a certificate that comes later is taken", func(t *testing.T) { certificateComesLater(t, c, open) })
}

func certificateComesLater(t *testing.T, c Certificates, open func(*testing.T, spec.Values) store.Store) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	st := open(t, spec.Values{"client_ca_keys": c.CA, "client_cert": cert, "client_key": key})
	_, err := st.Read(Deadline(t, Patience))
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "client_cert") {
		t.Fatalf("Read: %v, which does not name client_cert", err)
	}
	if err := errors.Join(os.Link(c.Cert, cert), os.Link(c.Key, key)); err != nil {
		t.Fatal(err)
	}
	ReadUntil(t, st, "confd/a=")
}
