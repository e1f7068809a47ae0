package docs

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var goFile = regexp.MustCompile(`^// (internal/\S+\.go)\n\n?`)

// The Go files of the page about extending, laid into the tree, compile and pass
// their suites.
func TestTheCodeInTheManualPassesItsSuite(t *testing.T) {
	t.Parallel()
	overlay, folders := goFiles(t)
	if len(folders) != 3 {
		t.Fatalf("the page has files of %q", folders)
	}
	for _, folder := range folders {
		t.Run(path.Base(folder), func(t *testing.T) {
			t.Parallel()
			// The folder is in no tree, so its test cannot run there.
			binary := filepath.Join(t.TempDir(), "test.exe")
			build := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, "./"+folder)
			build.Dir = ".."
			build.Env = append(os.Environ(), "CGO_ENABLED=0")
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			run := exec.CommandContext(t.Context(), binary, "-test.v")
			run.Dir = t.TempDir()
			out, err := run.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "--- PASS: Test") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// goFiles writes the Go files of the page, and returns the overlay that lays them
// into the tree, and their folders.
func goFiles(t *testing.T) (overlay string, folders []string) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var over struct{ Replace map[string]string }
	over.Replace = map[string]string{}
	for _, b := range ofLang(t, "docs/extending.md", "go") {
		m := goFile.FindStringSubmatch(b.text)
		if m == nil {
			continue // a line of a list
		}
		file := filepath.Join(dir, strings.ReplaceAll(m[1], "/", "_"))
		if err := os.WriteFile(file, []byte(strings.TrimPrefix(b.text, m[0])), 0o600); err != nil {
			t.Fatal(err)
		}
		over.Replace[filepath.Join(root, filepath.FromSlash(m[1]))] = file
		if folder := path.Dir(m[1]); !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
	}
	text, err := json.Marshal(over)
	if err != nil {
		t.Fatal(err)
	}
	overlay = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return overlay, folders
}

// The files are formatted, and the line of each is one that its list could hold.
func TestTheCodeInTheManualIsFormatted(t *testing.T) {
	for _, b := range ofLang(t, "docs/extending.md", "go") {
		m := goFile.FindStringSubmatch(b.text)
		if m == nil {
			name, _, _ := strings.Cut(b.text, ".")
			if list := find(t, "docs/extending.md").prose; !strings.Contains(list, "/all/all.go`") || name == "" {
				t.Errorf("%s:%d: of no list: %s", b.page, b.line, b.text)
			}
			continue
		}
		cmd := exec.CommandContext(t.Context(), "gofmt")
		want := strings.TrimPrefix(b.text, m[0])
		cmd.Stdin = strings.NewReader(want)
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != want {
			t.Errorf("%s:%d: gofmt makes of %s\n%s%v", b.page, b.line, m[1], out, err)
		}
	}
}
