package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func writePEM(t *testing.T, kind string, body []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: body}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// keyFile makes a key and returns the paths of both halves.
func keyFile(t *testing.T) (private, public string) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	body, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	half, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, "PRIVATE KEY", body), writePEM(t, "PUBLIC KEY", half)
}

func smallRelease(t *testing.T) *release {
	t.Helper()
	r := &release{out: t.TempDir(), version: testVersion, made: time.Unix(1700000000, 0), log: io.Discard}
	if err := r.write("one", []byte("1\n")); err != nil {
		t.Fatal(err)
	}
	return r
}

// Whoever has the public key sees with openssl alone that the list is ours, and
// that no byte of it was changed.
func TestSignature(t *testing.T) {
	private, public := keyFile(t)
	r := smallRelease(t)
	key, err := readKey(private)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.checksums([]string{"one"}, key); err != nil {
		t.Fatal(err)
	}
	list, sig := made(t, r, checksumFile), made(t, r, signatureFile)
	if !ed25519.Verify(key.Public().(ed25519.PublicKey), list, sig) {
		t.Error("the signature is not of the list")
	}
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl to check with")
	}
	verify := func() error {
		return exec.CommandContext(t.Context(), "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin",
			"-in", filepath.Join(r.out, checksumFile), "-sigfile", filepath.Join(r.out, signatureFile)).Run()
	}
	if err := verify(); err != nil {
		t.Errorf("openssl refuses it: %v", err)
	}
	if err := r.write(checksumFile, append(list, '\n')); err != nil {
		t.Fatal(err)
	}
	if verify() == nil {
		t.Error("openssl takes a list that was changed")
	}
}

// A list without a signature must not stand beside the signature of an older one.
func TestOldSignatureGoes(t *testing.T) {
	r := smallRelease(t)
	if err := r.write(signatureFile, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := r.checksums([]string{"one"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(r.out, signatureFile)); !os.IsNotExist(err) {
		t.Errorf("it is there: %v", err)
	}
	if err := r.checksums([]string{"two"}, nil); err == nil || !strings.Contains(err.Error(), "two") {
		t.Errorf("a file that is missing: %v", err)
	}
}

// Only a key that openssl can check by is taken.
func TestOtherKeysAreRefused(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		writePEM(t, "PRIVATE KEY", other):          "expected an Ed25519 key",
		writePEM(t, "PRIVATE KEY", []byte("junk")): "read the key",
		text:                      "no PEM block",
		filepath.Join(text, "no"): "read the key",
	} {
		if _, err := readKey(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", path, err, want)
		}
	}
}
