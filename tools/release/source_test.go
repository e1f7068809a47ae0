package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Whoever doubts a published file builds it again, in a folder of their own, and
// gets the same bytes.
func TestSameSourceSameBytes(t *testing.T) {
	first, targets := sums(t, built(t)), built(t).targets
	if os.Getenv("DATAKIT_TEST_ALL") != "" {
		var err error
		if targets, err = parseTargets(allTargets); err != nil {
			t.Fatal(err)
		}
		first = build(t, "../..", targets)
	} else {
		t.Logf("only %v; DATAKIT_TEST_ALL=1 builds every platform", targets)
	}
	// Another machine has other settings.
	t.Setenv("GOFLAGS", "-tags=other")
	t.Setenv("GOAMD64", "v3")
	t.Setenv("TZ", "Asia/Shanghai")
	t.Setenv("LC_ALL", "C")
	second := build(t, copySource(t, filepath.Join(t.TempDir(), "a", "folder with another name")), targets)
	if len(first) < 8 || !maps.Equal(first, second) {
		for name := range first {
			if first[name] != second[name] {
				t.Errorf("%s differs", name)
			}
		}
		t.Errorf("the first build made %d files, the second %d", len(first), len(second))
	}
}

// build makes everything from the source in src and returns the sum of each file.
func build(t *testing.T, src string, targets []target) map[string]string {
	t.Helper()
	t.Setenv("SOURCE_DATE_EPOCH", testEpoch)
	r, err := newRelease(t.Context(), src, t.TempDir(), testVersion, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	r.targets = targets
	if err := r.packages(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if err := r.image(t.Context()); err != nil {
		t.Fatal(err)
	}
	return sums(t, r)
}

func sums(t *testing.T, r *release) map[string]string {
	t.Helper()
	sums := map[string]string{}
	entries, err := os.ReadDir(r.out)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		sums[e.Name()] = fmt.Sprintf("%x", sha256.Sum256(made(t, r, e.Name())))
	}
	return sums
}

// copySource copies what git knows of the source, and not its history.
func copySource(t *testing.T, to string) string {
	t.Helper()
	list, err := exec.CommandContext(t.Context(), "git", "-C", "../..", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Skipf("no git repository to copy: %v", err)
	}
	names := strings.Split(strings.TrimRight(string(list), "\x00"), "\x00")
	for _, name := range append(names, pages(t)...) {
		body, err := os.ReadFile(filepath.Join("../..", name))
		if os.IsNotExist(err) {
			continue // deleted, and not yet committed
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// pages returns the console's files that `make console` has built, which git does
// not know: the first build has them, so the second has to.
func pages(t *testing.T) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS("../.."), "internal/console/dist", func(name string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".gz") {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// Git says which version it is, and of when.
func TestVersionAndDateComeFromGit(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("GIT_AUTHOR_DATE", "1600000000 +0000")
	t.Setenv("GIT_COMMITTER_DATE", "1600000001 +0000")
	t.Setenv("SOURCE_DATE_EPOCH", "")
	command(t, "git", "-C", dir, "init", "-q")
	command(t, "git", "-C", dir, "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-q", "--allow-empty", "-m", "One")
	command(t, "git", "-C", dir, "tag", "v0.4.0")
	r, err := newRelease(t.Context(), dir, t.TempDir(), "", io.Discard)
	if err != nil || r.version != "v0.4.0" || r.made.Unix() != 1600000001 {
		t.Errorf("%+v, %v", r, err)
	}
	// What was asked for goes before it.
	t.Setenv("SOURCE_DATE_EPOCH", testEpoch)
	r, err = newRelease(t.Context(), dir, t.TempDir(), "v9", io.Discard)
	if err != nil || r.version != "v9" || r.made.Unix() != 1700000000 {
		t.Errorf("%+v, %v", r, err)
	}
}

// What cannot be right is refused before anything is built, and says what to do.
func TestWrongUse(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", testEpoch)
	cases := []struct{ want, args string }{
		{"say what to build", ""},
		{"say what to build", "packages image"},
		{`unknown "everything"`, "everything"},
		{"not defined", "-nosuch packages"},
		{"has to be letters", "-version v1/../../etc packages"},
		{"has to be letters", "-version -X packages"},
		{"is not OS/ARCH", "-targets linux packages"},
		{"is not OS/ARCH", "-targets linux/../../etc packages"},
		{"is not OS/ARCH", "-targets linux/amd64,/arm64 packages"},
		{"no target is named", "-targets , packages"},
		{"named twice", "-targets linux/amd64,linux/amd64 packages"},
		{"the key to sign with", "-key /nonexistent packages"},
		{"for Linux", "-targets windows/amd64 image"},
	}
	for _, c := range cases {
		args := []string{"-out", t.TempDir(), "-version", testVersion}
		err := run(t.Context(), append(args, strings.Fields(c.args)...), io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, expected %q", c.args, err, c.want)
		}
	}
	for _, epoch := range []string{"soon", "-1", "0", "99999999999"} {
		t.Setenv("SOURCE_DATE_EPOCH", epoch)
		err := run(t.Context(), []string{"-out", t.TempDir(), "-version", testVersion, "packages"}, io.Discard)
		if err == nil || !strings.Contains(err.Error(), "expected seconds since 1970") {
			t.Errorf("SOURCE_DATE_EPOCH=%s: %v", epoch, err)
		}
	}
}

// A source that does not build leaves no list of checksums that would publish it.
func TestBrokenSource(t *testing.T) {
	src, out := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"go.mod": "module datakit.dev\n", "cmd/datakit/main.go": "package main\n\nfunc main() { nothing() }\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(src, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(src, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"LICENSE", "README.md", "README.zh.md"} {
		if err := os.WriteFile(filepath.Join(src, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SOURCE_DATE_EPOCH", testEpoch)
	var log strings.Builder
	err := run(context.WithoutCancel(t.Context()), []string{"-src", src, "-out", out, "-version", testVersion, "packages"}, &log)
	if err == nil || !strings.Contains(err.Error(), "go build") || !strings.Contains(log.String(), "undefined: nothing") {
		t.Errorf("%v, %s", err, log.String())
	}
	if left, _ := os.ReadDir(out); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}
