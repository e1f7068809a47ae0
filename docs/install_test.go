package docs

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"datakit.dev/internal/testserver"
)

// serve serves install.sh and an archive whose datakit is a script that runs the
// program of this test: what the page takes from the address of the releases.
func serve(t *testing.T) (url string) {
	t.Helper()
	dir := t.TempDir()
	datakit, err := exec.LookPath("datakit")
	if err != nil {
		t.Fatal(err)
	}
	script := []byte("#!/bin/sh\nexec " + datakit + " \"$@\"\n")
	var archive bytes.Buffer
	zip := gzip.NewWriter(&archive)
	w := tar.NewWriter(zip)
	if err := w.WriteHeader(&tar.Header{Name: "datakit", Mode: 0o755, Size: int64(len(script))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(script); err != nil || w.Close() != nil || zip.Close() != nil {
		t.Fatal(err)
	}
	installer, err := os.ReadFile("../deploy/install.sh")
	if err != nil {
		t.Fatal(err)
	}
	name := "datakit-" + runtime.GOOS + "-" + runtime.GOARCH + ".tar.gz"
	sum := sha256.Sum256(archive.Bytes())
	for name, text := range map[string][]byte{
		"install.sh": installer, name: archive.Bytes(), "SHA256SUMS": []byte(hex.EncodeToString(sum[:]) + "  " + name + "\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	return server.URL
}

// The lines of the page about installing install, upgrade and uninstall. Services
// are left alone here; TestInstalledOnDebian has a machine for them.
func TestThePageAboutInstalling(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("install.sh is not for Windows")
	}
	testserver.Need(t, "ssh-keygen", "apt-get install openssh-client")
	url := serve(t)
	r := newReader(t, "docs/datakit-install.md")
	work, bin := filepath.Join(r.dir, "datakit"), t.TempDir()
	r.swap = strings.NewReplacer("https://static.guance.com/datakit", url, "/srv/datakit", filepath.Join(r.dir, "srv"), "datakit uninstall", work+"/datakit uninstall --files-only --dir "+work)
	r.env = append(r.env, "DK_INSTALLER_BASE_URL="+url, "DK_INSTALL_DIR="+work, "DK_FILES_ONLY=1", "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"))

	if out := r.do(r.next()); strings.Contains(out, "TOKEN") {
		t.Errorf("it shows the token:\n%s", out)
	}
	conf, err := os.ReadFile(filepath.Join(work, "conf.d", "datakit.conf"))
	if err != nil {
		t.Fatal(err)
	}
	shows(t, string(conf), "backend = \"etcdv3\"\n  nodes = [\"127.0.0.1:2379\"]\n", `["https://openway.guance.com?token=<TOKEN>"]`)
	if m := check(parts(t), string(conf)); len(m) > 0 {
		t.Error(m.Text())
	}
	shows(t, r.do(r.next()), "dev")
	commands := lines(r.next())
	r.do(commands[0] + " </dev/null")
	if _, err := os.Stat(filepath.Join(work, "conf.d")); err != nil {
		t.Errorf("nobody was asked, and it is gone: %v", err)
	}
	// That took the program away, which the second line needs.
	r.do(`sh -c "$(curl -fsSL ` + url + `/install.sh)"`)
	r.do(commands[1])
	if _, err := os.Stat(work); err == nil {
		t.Error("purged, and it is there")
	}
	key := r.next()
	out, err := r.command(key + `sh -c "$(curl -fsSL ` + url + `/install.sh)"`).CombinedOutput()
	if err == nil {
		t.Errorf("without a signature it was installed:\n%s", out)
	}
	shows(t, string(out), "SHA256SUMS.sig could not be fetched")
	r.own()
}

// own types the last example: the program is its own installer.
func (r *reader) own() {
	r.t.Helper()
	datakit, err := exec.LookPath("datakit")
	if err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "datakit"), []byte("#!/bin/sh\nexec "+datakit+" \"$@\"\n"), 0o700); err != nil {
		r.t.Fatal(err)
	}
	r.env = append(r.env, "ENV_HTTP_LISTEN="+free(r.t), "DK_INSTALL_DIR=")
	commands := lines(r.next())
	r.do(commands[0])
	r.stays(commands[1], "the HTTP interface listens")
}

// The drop-in of the page changes only what the unit of the service has.
func TestTheDropInOfTheManual(t *testing.T) {
	unit, err := os.ReadFile("../internal/install/datakit.service")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"docs/datakit-install.md", "docs/zh/datakit-install.md"} {
		for line := range strings.Lines(ofLang(t, page, "ini")[0].text) {
			key, _, is := strings.Cut(line, "=")
			if is && !strings.Contains(string(unit), "\n"+key+"=") {
				t.Errorf("%s: the unit has no %s", page, key)
			}
		}
	}
}
