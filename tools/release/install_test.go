package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The folder that `make release` fills is what the install script can be pointed
// at: it finds the archive for this machine, takes it for whole, and installs it.
func TestInstallScriptTakesTheRelease(t *testing.T) {
	onLinux(t)
	r := built(t)
	script := filepath.Join(r.out, "install.sh")
	if _, err := os.Stat(script); os.IsNotExist(err) {
		t.Skip("this source brings no install.sh")
	}
	server := httptest.NewServer(http.FileServer(http.Dir(r.out)))
	defer server.Close()
	dir := filepath.Join(t.TempDir(), "datakit")
	cmd := exec.CommandContext(t.Context(), "sh", script)
	cmd.Env = append(os.Environ(), "DK_INSTALLER_BASE_URL="+server.URL, "DK_FILES_ONLY=1", "DK_INSTALL_DIR="+dir,
		"DK_CONFD_BACKEND=etcdv3", "DK_CONFD_BACKEND_NODES=[127.0.0.1:2379]")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := command(t, filepath.Join(dir, "datakit"), "version"); !strings.Contains(got, testVersion) {
		t.Errorf("it installed %s", got)
	}
	conf, err := os.ReadFile(filepath.Join(dir, "conf.d", "datakit.conf"))
	if err != nil || !strings.Contains(string(conf), `"127.0.0.1:2379"`) {
		t.Errorf("datakit.conf: %s (%v)", conf, err)
	}
}
