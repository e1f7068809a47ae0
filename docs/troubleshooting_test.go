package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// quoted is a text of the program in the manual: a code span.
var quoted = regexp.MustCompile("`([^`\n]+)`")

// foreign are texts that the system and the standard library print.
var foreign = []string{"connection refused", "x509"}

// The texts that the page shows people to look for are texts of the program.
func TestTheTextsOfTroubleshootingAreOurs(t *testing.T) {
	// This one is put together where it is needed.
	program := source(t) + fate(parts(t), "[[inputs.cpu]]\n  interval = 5").Error
	for _, path := range []string{"docs/troubleshooting.md", "docs/zh/troubleshooting.md"} {
		n := 0
		for line := range strings.Lines(find(t, path).prose) {
			cells := strings.Split(line, " | ")
			if !strings.HasPrefix(line, "| ") || len(cells) < 2 {
				continue
			}
			for _, m := range quoted.FindAllStringSubmatch(cells[0], -1) {
				n++
				if slices.Contains(foreign, m[1]) {
					continue
				}
				if !strings.Contains(program, m[1]) {
					t.Errorf("%s: nothing prints %q", path, m[1])
				}
			}
		}
		if n < 12 {
			t.Errorf("%s: only %d texts were found", path, n)
		}
	}
}

// source returns the program's own Go files, with quotes as they are printed.
func source(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	err := fs.WalkDir(os.DirFS(".."), "internal", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(filepath.Join("..", path))
		b.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(b.String(), `\"`, `"`)
}

// The columns and states that it names are those of the status.
func TestTheColumnsOfTroubleshootingAreOurs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "internal", "cli", "status.go"))
	if err != nil {
		t.Fatal(err)
	}
	column := regexp.MustCompile("`([A-Z][A-Z ]+[A-Z])`")
	for _, path := range []string{"docs/troubleshooting.md", "docs/zh/troubleshooting.md"} {
		pg := find(t, path)
		for _, m := range column.FindAllStringSubmatch(pg.prose, -1) {
			if !strings.Contains(string(text), `"`+m[1]+`"`) {
				t.Errorf("%s: the status has no column %s", path, m[1])
			}
		}
		for _, s := range []string{"stale", "denied", "held", "rejected", "kept", "ignored", "duplicate", "singleton", "shadowed", "failed"} {
			if !slices.Contains(states(t), s) || !slices.ContainsFunc(pg.headings, func(h heading) bool { return strings.Contains(h.text, "`"+s+"`") }) {
				t.Errorf("%s: no section is about %s", path, s)
			}
		}
	}
}
