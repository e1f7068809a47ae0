package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
)

// The list of checksums, which an installer checks what it fetched against.
const (
	checksumFile  = "checksums.txt"
	signatureFile = "checksums.txt.sig"
)

// checksums writes the list that `sha256sum -c` reads, and signs it where there
// is a key.
func (r *release) checksums(names []string, key ed25519.PrivateKey) error {
	var list bytes.Buffer
	for _, name := range names {
		body, err := os.ReadFile(filepath.Join(r.out, name))
		if err != nil {
			return fmt.Errorf("add up %s: %w", name, err)
		}
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(body), name)
	}
	// A signature of an older list would make a good list look forged.
	if err := os.RemoveAll(filepath.Join(r.out, signatureFile)); err != nil {
		return fmt.Errorf("remove the old signature: %w", err)
	}
	if err := r.write(checksumFile, list.Bytes()); err != nil || key == nil {
		return err
	}
	return r.write(signatureFile, ed25519.Sign(key, list.Bytes()))
}

// readKey reads the key that signs; no path is no key. `openssl genpkey
// -algorithm ed25519` makes one.
func readKey(path string) (ed25519.PrivateKey, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("read the key: %s holds no PEM block", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the key %s: %w", path, err)
	}
	signer, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read the key: %s holds a %T, expected an Ed25519 key", path, key)
	}
	return signer, nil
}
