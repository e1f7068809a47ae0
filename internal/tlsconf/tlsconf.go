// Package tlsconf builds a client's TLS configuration from the files that the
// client_… options name.
package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"datakit.dev/internal/spec"
)

// Options names the files of one connection. Empty paths stand for nothing.
type Options struct {
	CA       string // certificate authorities, PEM; the system's where empty
	Cert     string // our certificate, PEM
	Key      string // the key of Cert, PEM
	Insecure bool   // take any server certificate
}

// FromValues returns the options written in client_ca_keys, client_cert,
// client_key and client_insecure.
func FromValues(v spec.Values) Options {
	return Options{
		CA: v.String("client_ca_keys"), Cert: v.String("client_cert"),
		Key: v.String("client_key"), Insecure: v.Bool("client_insecure"),
	}
}

// Set reports whether anything is configured, which asks for TLS.
func (o Options) Set() bool { return o != Options{} }

// Check reports what can never work, without looking at any file.
func (o Options) Check() error {
	if (o.Cert == "") != (o.Key == "") {
		return errors.New("client_cert and client_key go together: set both or none")
	}
	return nil
}

// maxPEM bounds a certificate or key file.
const maxPEM = 4 << 20

// Load reads the files. Our own certificate is read again at each handshake, so
// that a renewed one is used without a restart.
func (o Options) Load() (*tls.Config, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	c := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: o.Insecure, //nolint:gosec // the user asks for it by name
	}
	if o.CA != "" {
		pem, err := readPEM(o.CA)
		if err != nil {
			return nil, fmt.Errorf("client_ca_keys: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("client_ca_keys: %s holds no PEM certificate", o.CA)
		}
	}
	if o.Cert == "" {
		return c, nil
	}
	if _, err := o.pair(); err != nil {
		return nil, err
	}
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return o.pair() }
	return c, nil
}

func (o Options) pair() (*tls.Certificate, error) {
	cert, err := readPEM(o.Cert)
	if err != nil {
		return nil, fmt.Errorf("client_cert: %w", err)
	}
	key, err := readPEM(o.Key)
	if err != nil {
		// The path is left out: for one backend client_key may be a password.
		return nil, fmt.Errorf("client_key: the file cannot be read: %w", errors.Unwrap(err))
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("client_cert and client_key: %w", err)
	}
	return &pair, nil
}

func readPEM(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxPEM {
		return nil, &os.PathError{Op: "read", Path: path, Err: errors.New("no regular file of a sane size")}
	}
	return os.ReadFile(path)
}
