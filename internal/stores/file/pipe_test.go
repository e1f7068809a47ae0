//go:build unix

package file_test

import (
	"path/filepath"
	"syscall"
	"testing"
)

// A pipe would block the read for ever, a socket or device is no configuration.
func TestPipesAreNoKeys(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "confd/cpu.conf"), "1")
	if err := syscall.Mkfifo(filepath.Join(dir, "confd/pipe.conf"), 0o600); err != nil {
		t.Skip(err)
	}
	link(t, "/dev/zero", filepath.Join(dir, "confd/zero.conf"))
	if err := wants(read(t, openFiles(t, dir)), "confd/cpu.conf=1"); err != nil {
		t.Fatal(err)
	}
}
