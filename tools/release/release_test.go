package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testVersion = "v1.2.3"
	testEpoch   = "1700000000"
)

// shared is what several tests look at: everything for Linux on this machine's
// architecture, built once.
var shared = sync.OnceValues(func() (*release, error) {
	dir, err := os.MkdirTemp("", "datakit-release-test-")
	if err != nil {
		return nil, err
	}
	sharedDir = dir
	src, err := filepath.Abs("../..")
	if err != nil {
		return nil, err
	}
	r := &release{src: src, out: dir, version: testVersion, maintainer: maintainer, made: time.Unix(1700000000, 0).UTC(), log: io.Discard}
	r.targets = []target{{"linux", runtime.GOARCH}}
	if err := r.packages(context.Background(), ""); err != nil {
		return nil, err
	}
	return r, r.image(context.Background())
})

var sharedDir string

func TestMain(m *testing.M) {
	code := m.Run()
	if sharedDir != "" {
		_ = os.RemoveAll(sharedDir)
	}
	os.Exit(code)
}

func built(t *testing.T) *release {
	t.Helper()
	r, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// made reads one of the files of r.
func made(t *testing.T, r *release, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(r.out, name))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func archiveName(r *release) string {
	return fmt.Sprintf("datakit-linux-%s-%s.tar.gz", runtime.GOARCH, r.version)
}

// untar reads a tar; folders end in a slash.
func untar(t *testing.T, r io.Reader) (headers []*tar.Header, bodies map[string][]byte) {
	t.Helper()
	bodies = map[string][]byte{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return headers, bodies
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		headers, bodies[h.Name] = append(headers, h), body
	}
}

func gunzip(t *testing.T, body []byte) io.Reader {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// unpacked writes the archive of r to a folder.
func unpacked(t *testing.T, r *release) string {
	t.Helper()
	dir := t.TempDir()
	headers, bodies := untar(t, gunzip(t, made(t, r, archiveName(r))))
	for _, h := range headers {
		path := filepath.Join(dir, h.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bodies[h.Name], os.FileMode(h.Mode)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func onLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("what was built runs on Linux only")
	}
}

// The archive holds what an installer and a person look for, and nothing of the
// machine that it was made on.
func TestArchive(t *testing.T) {
	r := built(t)
	headers, bodies := untar(t, gunzip(t, made(t, r, archiveName(r))))
	var names []string
	for _, h := range headers {
		names = append(names, h.Name)
		want := int64(0o644)
		if h.Name == "datakit" {
			want = 0o755
		}
		if h.Mode != want || h.Uid != 0 || h.Gid != 0 || h.Uname != "root" || !h.ModTime.Equal(time.Unix(1700000000, 0)) {
			t.Errorf("%s: mode %o, owner %d %s, dated %v", h.Name, h.Mode, h.Uid, h.Uname, h.ModTime)
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("the names are not in order: %v", names)
	}
	want := []string{
		"datakit", "LICENSE", noticesFile, "README.md", "README.zh.md", "datakit.conf.sample", "completions/datakit.bash", "completions/_datakit",
		"completions/datakit.fish", "completions/datakit.ps1", "man/man1/datakit.1", "man/man1/datakit-confd-put.1",
	}
	if _, err := os.Stat(filepath.Join(r.src, filepath.FromSlash(unitTemplate))); err == nil {
		want = append(want, unit)
	}
	for _, name := range want {
		if len(bodies[name]) == 0 {
			t.Errorf("%s is missing", name)
		}
	}
	if here, err := os.Getwd(); err != nil || bytes.Contains(bodies["datakit"], []byte(filepath.Dir(here))) {
		t.Errorf("the binary names the folder that it was built in (%v)", err)
	}
}

func TestArchiveRuns(t *testing.T) {
	onLinux(t)
	r := built(t)
	dir := unpacked(t, r)
	agent := filepath.Join(dir, "datakit")
	if got := command(t, agent, "version"); !strings.HasPrefix(got, "datakit "+testVersion+" ") {
		t.Errorf("it says %q", got)
	}
	// The sample is right as it is, and with its examples taken as they are.
	sample, err := os.ReadFile(filepath.Join(dir, "datakit.conf.sample"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"as it is": string(sample), "with every example": uncomment(string(sample))} {
		work := t.TempDir()
		if err := os.MkdirAll(filepath.Join(work, "conf.d"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(work, "conf.d", "datakit.conf"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := command(t, agent, "check", "--dir", work); !strings.Contains(got, "1 files are valid") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// uncomment takes the # from every line that looks like TOML behind it.
func uncomment(text string) string {
	var out []string
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "# "); ok && (strings.HasPrefix(rest, "[[") || strings.Contains(rest, " = ")) {
			line = strings.TrimSpace(strings.TrimPrefix(rest, "#")) + "\n"
		} else if rest, ok := strings.CutPrefix(line, "#   "); ok {
			line = rest
		}
		out = append(out, line)
	}
	return strings.Join(out, "")
}

// What the shells read is right by their own word.
func TestCompletions(t *testing.T) {
	onLinux(t)
	dir := filepath.Join(unpacked(t, built(t)), "completions")
	out := command(t, "bash", "-c", `. "$1" && complete -p datakit`, "bash", filepath.Join(dir, "datakit.bash"))
	if !strings.Contains(out, "__start_datakit datakit") {
		t.Errorf("bash completes by %q", out)
	}
	for shell, args := range map[string][]string{
		"zsh":  {"-n", filepath.Join(dir, "_datakit")},
		"fish": {"--no-execute", filepath.Join(dir, "datakit.fish")},
	} {
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("no %s here to read its file", shell)
			continue
		}
		command(t, shell, args...)
	}
}

// A zip keeps which file is a program, and dates all of them alike.
func TestZip(t *testing.T) {
	var b bytes.Buffer
	when := time.Unix(1700000000, 0).UTC()
	files := []file{{"datakit.exe", 0o755, []byte("MZ")}, {"completions/datakit.ps1", 0o644, []byte("ps")}}
	if err := writeZip(&b, files, when); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if len(z.File) != 2 || z.File[0].Name != "completions/datakit.ps1" || z.File[1].Mode() != 0o755 {
		t.Fatalf("it holds %+v", z.File)
	}
	for i, want := range []string{"ps", "MZ"} {
		rc, err := z.File[i].Open()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(rc); err != nil || string(got) != want || !z.File[i].Modified.Equal(when) {
			t.Errorf("%s holds %q, dated %v: %v", z.File[i].Name, got, z.File[i].Modified, err)
		}
	}
}

// The list of checksums names every file that was made, and is right.
func TestChecksums(t *testing.T) {
	r := built(t)
	listed := map[string]bool{}
	for line := range strings.Lines(string(made(t, r, checksumFile))) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if want := fmt.Sprintf("%x", sha256.Sum256(made(t, r, name))); !ok || sum != want {
			t.Errorf("%s: listed with %s, and has %s", name, sum, want)
		}
		listed[name] = true
	}
	entries, err := os.ReadDir(r.out)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		// The image is made by another command, with a list of its own.
		if name := e.Name(); name != checksumFile && !strings.HasPrefix(name, "datakit-image-") && !listed[name] {
			t.Errorf("%s is not listed", name)
		}
	}
	for _, name := range []string{archiveName(r), target{"linux", runtime.GOARCH}.archive(""), debName(r), rpmName(r)} {
		if !listed[name] {
			t.Errorf("%s was not made", name)
		}
	}
}
