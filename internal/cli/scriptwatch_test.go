package cli_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datakit.dev/internal/cli"
)

// until reads output up to a text.
func (o *output) until(t *testing.T, text string) string {
	t.Helper()
	b := make([]byte, 4096)
	for {
		if before, rest, ok := strings.Cut(o.seen, text); ok {
			o.seen = rest
			return before
		}
		n, err := o.Read(b)
		if o.seen += string(b[:n]); err != nil {
			t.Fatalf("no %q before the end of %q: %v", text, o.seen, err)
		}
	}
}

type output struct {
	io.Reader
	seen string
}

// With --watch every save of the script, or of one that it uses, shows at once;
// a mistake is told, and the next save goes on.
func TestWatchedScriptRunsOnEachSave(t *testing.T) {
	dir := t.TempDir()
	save := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	save("a.p", `use("b.p")`)
	save("b.p", `add_key(v, 1)`)
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	code := make(chan int, 1)
	go func() {
		code <- cli.Execute(ctx, deps(strings.NewReader(""), w, io.Discard), []string{
			"pipeline", filepath.Join(dir, "a.p"), "--text", "x", "--watch",
		})
		w.Close()
	}()
	out := &output{Reader: r}
	out.until(t, "+ field v        1\n")
	save("b.p", `add_key(v, 2)`)
	out.until(t, "+ field v        2\n")
	save("a.p", `add_key(v,`)
	out.until(t, "a.p:1:11: ")
	out.until(t, "datakit: 1 problem")
	save("a.p", `add_key(v, 3)`)
	out.until(t, "+ field v        3\n")
	cancel()
	if rest, err := io.ReadAll(out); err != nil {
		t.Errorf("%q: %v", rest, err)
	}
	if got := <-code; got != 0 {
		t.Errorf("exit code %d after an interrupt", got)
	}
}
