package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// The list of checksums, which an installer checks what it fetched against.
const (
	checksumFile  = "SHA256SUMS"
	signatureFile = checksumFile + ".sig"
)

// purpose is what a signature is for: one that was made for something else does
// not count.
const purpose = "datakit"

// checksums writes the list that `sha256sum -c` reads, and signs it where there
// is a key.
func (r *release) checksums(ctx context.Context, names []string, key string) error {
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
	if err := r.write(checksumFile, list.Bytes()); err != nil || key == "" {
		return err
	}
	// OpenSSH has its part on every system that the agent runs on, and takes a key
	// from an agent or a token as well, so that it need not lie on this machine.
	sign := exec.CommandContext(ctx, "ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", purpose, filepath.Join(r.out, checksumFile))
	if _, err := sign.Output(); err != nil {
		return failedCommand("sign the checksums with ssh-keygen", err)
	}
	return nil
}

// checkKey finds out before the long build whether there is a key to sign with.
func checkKey(key string) error {
	if key == "" {
		return nil
	}
	if _, err := os.Stat(key); err != nil {
		return fmt.Errorf("the key to sign with: %w", err)
	}
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		return fmt.Errorf("sign with OpenSSH, which has to be installed: %w", err)
	}
	return nil
}
