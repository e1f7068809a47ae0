package logging

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// copyTruncate does what logrotate does for a writer that never reopens its log.
func (w *world) copyTruncate(from, to string) {
	w.t.Helper()
	b, err := os.ReadFile(w.path(from))
	w.must(err)
	w.must(os.WriteFile(w.path(to), b, 0o600))
	w.must(os.Truncate(w.path(from), 0))
}

func numbered(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "line %d of many\n", i)
	}
	return b.String()
}

// A copy within the pattern is not read again, and what was not read of the
// original is read from it.
func TestCopiesGoOnWhereTheOriginalWasCutOff(t *testing.T) {
	t.Parallel()
	for _, running := range []bool{true, false} {
		w := newWorld(t)
		config := w.config("app.log*", "from_beginning = true")
		w.write("app.log", numbered(0, 100))
		stop := w.run(config)
		w.sink.lines(t, 100)
		if !running {
			stop()
		}
		w.write("app.log", numbered(100, 200))
		w.copyTruncate("app.log", "app.log.1")
		w.write("app.log", numbered(200, 300))
		if !running {
			stop = w.run(config)
		}
		w.sink.lines(t, 300)
		w.copyTruncate("app.log", "app.log.2")
		w.write("app.log", "the end\n")
		got := messages(w.sink.lines(t, 301))
		stop()
		count := map[string]int{}
		for _, m := range got {
			count[m]++
		}
		if len(count) != 301 || len(got) != 301 {
			t.Errorf("running %v: %d lines, %d of them different, want 301", running, len(got), len(count))
		}
	}
}

// What begins alike is a file of its own once it goes on in another way.
func TestAlikeIsNoCopy(t *testing.T) {
	t.Parallel()
	banner := strings.Repeat("=", 1500) + "\n"
	w := newWorld(t)
	w.write("app.log", banner+"one\n")
	w.run(w.config("app*", "from_beginning = true"))
	w.sink.lines(t, 2)
	w.write("app.log.new", banner+"other\n")
	w.sink.lines(t, 4)
	w.must(os.WriteFile(w.path("app.bak"), []byte(banner+"one\n"), 0o600)) // a copy, and nothing more
	w.write("app.log", "two\n")
	w.write("app.end", "end\n")
	got := strings.Join(messages(w.sink.lines(t, 6)), "|")
	for _, m := range []string{"one", "other", "two", "end"} {
		if strings.Count(got, m) != 1 {
			t.Errorf("%d times %q", strings.Count(got, m), m)
		}
	}
}
