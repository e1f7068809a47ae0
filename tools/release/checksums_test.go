package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func smallRelease(t *testing.T) *release {
	t.Helper()
	r := &release{out: t.TempDir(), version: testVersion, made: time.Unix(1700000000, 0), log: io.Discard}
	if err := r.write("one", []byte("1\n")); err != nil {
		t.Fatal(err)
	}
	return r
}

// Whoever has the public key sees with OpenSSH alone that the list is ours, is
// for this purpose, and that no byte of it was changed.
func TestSignature(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("no ssh-keygen here")
	}
	key := filepath.Join(t.TempDir(), "key")
	command(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key)
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	signers := filepath.Join(t.TempDir(), "signers")
	if err := os.WriteFile(signers, append([]byte("datakit "), public...), 0o600); err != nil {
		t.Fatal(err)
	}
	r := smallRelease(t)
	if err := r.checksums(t.Context(), []string{"one"}, key); err != nil {
		t.Fatal(err)
	}
	verify := func(list []byte, what string) error {
		cmd := exec.CommandContext(t.Context(), "ssh-keygen", "-Y", "verify", "-f", signers, "-I", "datakit", "-n", what,
			"-s", filepath.Join(r.out, signatureFile))
		cmd.Stdin = strings.NewReader(string(list))
		return cmd.Run()
	}
	list := made(t, r, checksumFile)
	if err := verify(list, "datakit"); err != nil {
		t.Errorf("it is refused: %v", err)
	}
	if verify(append(list, '\n'), "datakit") == nil || verify(list, "git") == nil {
		t.Error("a list that was changed, or a signature for something else, is taken")
	}
	// The same list once more: the old signature is not in the way.
	if err := r.checksums(t.Context(), []string{"one"}, key); err != nil {
		t.Error(err)
	}
}

// A list without a signature must not stand beside the signature of an older one.
func TestOldSignatureGoes(t *testing.T) {
	r := smallRelease(t)
	if err := r.write(signatureFile, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := r.checksums(t.Context(), []string{"one"}, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(r.out, signatureFile)); !os.IsNotExist(err) {
		t.Errorf("it is there: %v", err)
	}
	if err := r.checksums(t.Context(), []string{"two"}, ""); err == nil || !strings.Contains(err.Error(), "two") {
		t.Errorf("a file that is missing: %v", err)
	}
}

// What is no key leaves no signature.
func TestWhatIsNoKey(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("no ssh-keygen here")
	}
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := smallRelease(t)
	if err := r.checksums(t.Context(), []string{"one"}, key); err == nil || !strings.Contains(err.Error(), "sign the checksums") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(r.out, signatureFile)); !os.IsNotExist(err) {
		t.Errorf("it is there: %v", err)
	}
}
