package cli

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"pgregory.net/rapid"
)

// unroff reads back what roff would print of a text.
func unroff(page string) string {
	var out []string
	for line := range strings.Lines(page) {
		switch line = strings.TrimSuffix(line, "\n"); {
		case line == ".PP":
			out = append(out, "")
		case strings.HasPrefix(line, "."), strings.HasPrefix(line, "'"): // a request prints nothing
		default:
			out = append(out, strings.NewReplacer(`\&`, "", `\(dq`, `"`, `\-`, "-", `\e`, `\`, `\[u2026]`, "…").Replace(line))
		}
	}
	return strings.Join(out, "\n")
}

// No line of a help text is taken for a request of roff, which would drop it.
func TestPagesShowWhatTheHelpSays(t *testing.T) {
	line := rapid.StringMatching(`( {2})?[.'"\\a-z<>*_…\[\]-]{1,12}`)
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(line, 1, 8).Draw(t, "lines"), "\n")
		var b bytes.Buffer
		writeText(&b, text)
		if got := unroff(b.String()); got != text {
			t.Fatalf("%q came out as %q", text, got)
		}
	})
}

// A packager's pages name every command and every flag, whatever is added.
func TestEveryCommandHasAPage(t *testing.T) {
	root := newRoot(program{Deps{Version: "1.2.3", Stdout: io.Discard, Stderr: io.Discard}})
	dir := t.TempDir()
	if err := (program{}).writePages(root, dir); err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(pages), 1+countCommands(root); got != want || want < 20 {
		t.Errorf("%d pages, expected %d", got, want)
	}
}

func countCommands(cmd *cobra.Command) (n int) {
	for _, c := range cmd.Commands() {
		if !c.Hidden && c.Name() != "help" {
			n += 1 + countCommands(c)
		}
	}
	return n
}
