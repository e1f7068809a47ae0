package inputtest

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/shirou/gopsutil/v4/common"
)

// A Host is a folder tree that stands for the machine's /proc, /sys, /run and
// /var: the kernel's own texts, written by a test.
type Host struct {
	t   testing.TB
	Dir string
}

// NewHost returns a host that holds files, by path: "proc/stat".
func NewHost(t testing.TB, files map[string]string) Host {
	h := Host{t, t.TempDir()}
	for _, dir := range []string{"proc", "sys", "run", "var", "dev", "etc"} {
		h.mkdir(dir)
	}
	for path, text := range files {
		h.Put(path, text)
	}
	return h
}

// Put writes one file.
func (h Host) Put(path, text string) {
	h.t.Helper()
	h.mkdir(filepath.Dir(path))
	if err := os.WriteFile(filepath.Join(h.Dir, path), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// Remove takes a file or a folder away.
func (h Host) Remove(path string) {
	h.t.Helper()
	if err := os.RemoveAll(filepath.Join(h.Dir, path)); err != nil {
		h.t.Fatal(err)
	}
}

// Context returns a context in which an input sees h instead of the machine.
func (h Host) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, common.EnvKey, common.EnvMap{
		common.HostProcEnvKey: filepath.Join(h.Dir, "proc"),
		common.HostSysEnvKey:  filepath.Join(h.Dir, "sys"),
		common.HostRunEnvKey:  filepath.Join(h.Dir, "run"),
		common.HostVarEnvKey:  filepath.Join(h.Dir, "var"),
		common.HostDevEnvKey:  filepath.Join(h.Dir, "dev"),
		common.HostEtcEnvKey:  filepath.Join(h.Dir, "etc"),
	})
}

func (h Host) mkdir(path string) {
	h.t.Helper()
	if err := os.MkdirAll(filepath.Join(h.Dir, path), 0o700); err != nil {
		h.t.Fatal(err)
	}
}
