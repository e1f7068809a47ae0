//go:build unix

package e2e

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datakit.dev/internal/testserver"
)

// forWindows makes a release of what install.ps1 fetches. Its datakit.exe is a
// program of this machine.
func forWindows(t *testing.T, name, program string) *release {
	t.Helper()
	r := publish(t, binary)
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(text); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	r.write(t, "datakit-windows-amd64.zip", b.String())
	r.write(t, "SHA256SUMS", sum([]byte("x"))+"  datakit-windows-arm64.zip\n"+sum(b.Bytes())+" *datakit-windows-amd64.zip\n")
	return r
}

// runPS1 runs install.ps1 as an administrator of an AMD64 machine.
func runPS1(t *testing.T, r *release, env ...string) (string, error) {
	t.Helper()
	return testserver.RunPowerShell(t, "../../deploy/install.ps1", append([]string{
		"ADMINISTRATOR=1", "PROCESSOR_ARCHITECTURE=AMD64", "DK_INSTALLER_BASE_URL=" + r.url, "DK_FILES_ONLY=1",
	}, env...)...)
}

// install.ps1 takes the archive of its machine, hands every value on by the
// environment, and leaves nothing behind.
func TestScriptOfWindowsInstalls(t *testing.T) {
	r := forWindows(t, "datakit.exe", binary)
	dir, tmp := filepath.Join(t.TempDir(), "datakit"), t.TempDir()
	env := []string{
		"DK_INSTALL_DIR=" + dir, "TMPDIR=" + tmp, "DK_CONFD_BACKEND=etcdv3", "DK_CONFD_BACKEND_NODES=[127.0.0.1:2379]",
		"DK_CONFD_PASSWORD=" + nasty, "DK_DATAWAY=https://openway.guance.com?token=<TOKEN>",
	}
	out, err := runPS1(t, r, env...)
	if err != nil || !strings.HasPrefix(out, "fetch     datakit-windows-amd64.zip\n") || strings.Contains(out, "TOKEN") {
		t.Fatalf("%v\n%s", err, out)
	}
	conf, err := os.ReadFile(filepath.Join(dir, "conf.d", "datakit.conf"))
	if err != nil {
		t.Fatal(err)
	}
	compareStore(t, string(conf), map[string]any{"backend": "etcdv3", "nodes": []string{"127.0.0.1:2379"}, "password": nasty})
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if out, err := runPS1(t, r, append(env, "DK_UPGRADE=1")...); err != nil {
		t.Errorf("an upgrade: %v\n%s", err, out)
	}
}

// What is not the release of this machine is refused, with the reason.
func TestScriptOfWindowsRefuses(t *testing.T) {
	good := forWindows(t, "datakit.exe", binary)
	sums, err := os.ReadFile(filepath.Join(good.dir, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	key, sign := signer(t)
	otherKey, _ := signer(t)
	good.write(t, "SHA256SUMS.sig", sign(sums))
	failing := filepath.Join(t.TempDir(), "datakit.exe")
	if err := os.WriteFile(failing, []byte("#!/bin/sh\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	changed, unnamed, unsigned := forWindows(t, "datakit.exe", failing), forWindows(t, "datakit.exe", failing), forWindows(t, "datakit.exe", failing)
	changed.write(t, "SHA256SUMS", string(sums))
	unnamed.write(t, "SHA256SUMS", sum(nil)+"  datakit-windows-amd64.zip.old\n")
	for _, c := range []struct {
		says string
		r    *release
		env  string
	}{
		{"run this as an administrator", good, "ADMINISTRATOR=0 DK_FILES_ONLY=no"},
		{"there is no archive for x86", good, "PROCESSOR_ARCHITECTURE=x86"},
		{"datakit-windows-arm64.zip could not be fetched", good, "PROCESSOR_ARCHITECTURE=x86 PROCESSOR_ARCHITEW6432=ARM64"},
		{"is not what SHA256SUMS says: nothing was installed", changed, ""},
		{"SHA256SUMS does not name datakit-windows-amd64.zip", unnamed, ""},
		{"SHA256SUMS.sig could not be fetched", unsigned, "DK_PUBLIC_KEY=x"},
		{"SHA256SUMS is not signed with the key", good, "DK_PUBLIC_KEY=" + otherKey},
		{"holds no datakit.exe", forWindows(t, "other.exe", failing), ""},
		{"datakit install failed", forWindows(t, "datakit.exe", failing), ""},
		{"datakit upgrade failed", forWindows(t, "datakit.exe", failing), "DK_UPGRADE=1"},
	} {
		env := []string{"DK_INSTALL_DIR=" + filepath.Join(t.TempDir(), "datakit")}
		if strings.HasPrefix(c.env, "DK_PUBLIC_KEY=") {
			env = append(env, c.env)
		} else {
			env = append(env, strings.Fields(c.env)...)
		}
		out, err := runPS1(t, c.r, env...)
		if err == nil || !strings.Contains(out, "install.ps1: ") || !strings.Contains(out, c.says) {
			t.Errorf("want %q: %v\n%s", c.says, err, out)
		}
	}
	if out, err := runPS1(t, good, "DK_INSTALL_DIR="+filepath.Join(t.TempDir(), "datakit"), "DK_PUBLIC_KEY="+key); err != nil {
		t.Errorf("the right signature: %v\n%s", err, out)
	}
}

// What runs the script ends at whatever it does not know, instead of passing over it.
func TestPowerShellIsNotPassedOver(t *testing.T) {
	for _, script := range []string{"Get-Process", "$a = 1 + 1", "$x", "while ($true) { }", "'a' -match 'b'", "if ($true) { 1 } else { 2 }", "[Math]::Sqrt(2)"} {
		file := filepath.Join(t.TempDir(), "x.ps1")
		if err := os.WriteFile(file, []byte(script+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := testserver.RunPowerShell(t, file); err == nil {
			t.Errorf("%s gave %s", script, out)
		}
	}
}
