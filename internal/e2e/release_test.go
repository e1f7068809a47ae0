package e2e

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A release is what a base URL serves: an archive of a program for this machine,
// and the file of checksums.
type release struct {
	dir string
	url string
}

// publish serves program, the file at a path, as a release.
func publish(t *testing.T, program string) *release {
	t.Helper()
	r := &release{dir: t.TempDir()}
	server := httptest.NewServer(http.FileServer(http.Dir(r.dir)))
	t.Cleanup(server.Close)
	r.url = server.URL
	r.put(t, program)
	return r
}

func (r *release) archive() string {
	return "datakit-" + runtime.GOOS + "-" + runtime.GOARCH + ".tar.gz"
}

// put replaces the release's program.
func (r *release) put(t *testing.T, program string) {
	t.Helper()
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(r.dir, r.archive())
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	zip, _ := gzip.NewWriterLevel(f, gzip.BestSpeed)
	w := tar.NewWriter(zip)
	for _, m := range []struct {
		name string
		text []byte
	}{{"datakit", text}, {"LICENSE", []byte("the license\n")}} {
		if err := w.WriteHeader(&tar.Header{Name: m.name, Mode: 0o755, Size: int64(len(m.text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(m.text); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []interface{ Close() error }{w, zip, f} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	r.sums(t, "")
}

// sums writes the file of checksums; behind wrong, it names another one.
func (r *release) sums(t *testing.T, wrong string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, r.archive()))
	if err != nil {
		t.Fatal(err)
	}
	r.write(t, "SHA256SUMS", fmt.Sprintf("%s  datakit-plan9-mips.tar.gz\n%s  %s\n", hex.EncodeToString(make([]byte, 32)), sum(append(text, wrong...)), r.archive()))
}

func sum(text []byte) string {
	s := sha256.Sum256(text)
	return hex.EncodeToString(s[:])
}

func (r *release) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// versioned builds the agent as the given version.
func versioned(t *testing.T, version string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "datakit")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w -X datakit.dev/internal/app.Version="+version, "-o", path, "datakit.dev/cmd/datakit")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// tree returns what lies below a folder, with owners, times and sizes.
func tree(t *testing.T, dir, below string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(filepath.Join(dir, below), func(path string, st os.FileInfo, err error) error {
		if err == nil {
			fmt.Fprintf(&b, "%s %v %d %v\n", path, st.Mode(), st.Size(), st.ModTime())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
