package logging

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRotationByRename(t *testing.T) {
	t.Parallel()
	for name, globs := range map[string]string{"out of the pattern": "app.log", "within the pattern": "app.log*"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.write("app.log", "one\n")
			w.run(w.config(globs, "from_beginning = true"))
			w.want("one")
			w.write("app.log", "two\n")
			w.rename("app.log", "app.log.1")
			w.write("app.log.1", "three\n") // its writer does not know yet
			w.sink.lines(t, 3)
			w.write("app.log", "four\n")
			w.sink.lines(t, 4)
			w.write("app.log.1", "five\n")
			got := w.want("one", "two", "three", "four", "five")
			if path, _ := got[4].Tag("filepath"); path != w.path("app.log") {
				t.Errorf("a renamed file became %s", path)
			}
		})
	}
}

func TestTruncation(t *testing.T) {
	w := newWorld(t)
	w.write("app.log", "one, which is long\nhalf")
	w.run(w.config("app.log", "from_beginning = true\nmultiline_timeout = \"1h\""))
	w.want("one, which is long")
	w.must(os.Truncate(w.path("app.log"), 0))
	w.write("app.log", "2\n")
	// What there was of the last line is not lost.
	p := w.want("one, which is long", "half", "2")[2]
	if v, _ := p.Field("log_read_offset"); v.Int() != 0 {
		t.Errorf("it begins at %d", v.Int())
	}
}

// A file that was cut off and has grown past the old place before anybody looked
// shows only in the bytes before that place.
func TestTruncationThatGrewPastTheOldPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plugin = deaf()
	w.write("app.log", "one\n")
	w.run(w.config("app.log", "from_beginning = true"))
	w.want("one")
	w.must(os.WriteFile(w.path("app.log"), []byte("first\nsecond\nthird\n"), 0o600))
	w.want("one", "first", "second", "third")
}

// A writer that does not append goes on at its old place and leaves a hole.
func TestTruncationUnderAWriterThatDoesNotAppend(t *testing.T) {
	w := newWorld(t)
	f, err := os.Create(w.path("app.log"))
	w.must(err)
	defer f.Close()
	_, err = f.WriteString(strings.Repeat("x", 3000) + "\n")
	w.must(err)
	w.run(w.config("app.log", "from_beginning = true\nmaximum_length = 1024"))
	w.sink.lines(t, 3)
	w.must(f.Truncate(0))
	_, err = f.WriteString("behind the hole\n")
	w.must(err)
	got := messages(w.sink.lines(t, 4))
	if len(got) != 4 || got[3] != "behind the hole" {
		t.Errorf("%.100q", got)
	}
}

func TestFileThatDisappearsAndReturns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("app.log", "one\n")
	w.run(w.config("app.log", "from_beginning = true"))
	w.want("one")
	// Another file of that name is new, the same one goes on.
	w.rename("app.log", "away")
	w.write("app.log", "two\n")
	w.want("one", "two")
	w.must(os.Remove(w.path("app.log")))
	w.write("away", "three\n")
	w.rename("away", "app.log")
	w.want("one", "two", "three")
}

func TestFileThatIsRemovedIsReadToItsEnd(t *testing.T) {
	w := newWorld(t)
	w.write("app.log", "one\n")
	release := w.sink.block()
	w.run(w.config("app.log", "from_beginning = true"))
	w.sink.wrote(t, 1)
	f, err := os.OpenFile(w.path("app.log"), os.O_APPEND|os.O_WRONLY, 0)
	w.must(err)
	defer f.Close()
	w.must(os.Remove(w.path("app.log")))
	_, err = f.WriteString("two\n")
	w.must(err)
	release()
	w.want("one", "two")
}

// A yard is what random operations work on: one log, its rotated files, and the
// instance that follows it.
type yard struct {
	*world
	globs   string
	n       int // lines written
	rotated int
	known   bool // app.log, as it is now, was seen by the instance
	stop    func()
	release func()
	starts  int
}

func (y *yard) line() string { y.n++; return fmt.Sprintf("line %d of the log\n", y.n) }

func (y *yard) lines(r *rapid.T) {
	var b strings.Builder
	for range rapid.IntRange(1, 500).Draw(r, "lines") {
		b.WriteString(y.line())
	}
	text := b.String()
	if _, err := os.Stat(y.path("app.log")); err != nil {
		y.known = false // a new file, whatever was seen of the last one
	}
	// In two bits, neither of which need end with a line.
	cut := rapid.IntRange(0, len(text)).Draw(r, "cut")
	y.write("app.log", text[:cut])
	y.write("app.log", text[cut:])
}

func (y *yard) caughtUp() {
	if y.stop != nil && y.release == nil {
		y.sink.lines(y.t, y.n)
		y.known = true
	}
}

func (y *yard) start() {
	if y.stop == nil {
		y.starts++
		// Another instance each time, so that it takes over from its predecessor.
		y.stop = y.run(y.config(y.globs, fmt.Sprintf("from_beginning = true\nmultiline_timeout = \"1h\"\nmax_open_files = %d", y.starts)))
	}
}

func (y *yard) halt() {
	if y.stop != nil {
		y.stop()
		y.stop = nil
	}
}

func (y *yard) open() {
	if y.release != nil {
		y.release()
		y.release = nil
	}
}

func (y *yard) rotate() {
	y.caughtUp()
	if _, err := os.Stat(y.path("app.log")); err != nil || y.globs == "app.log" && !y.known {
		return // nobody could know of that file
	}
	y.rotated++
	y.rename("app.log", fmt.Sprintf("app.log.%d", y.rotated))
	y.known = false
}

func (y *yard) truncate() {
	if y.stop == nil || y.release != nil || y.n == 0 {
		return // what was not read yet would be lost for good
	}
	y.caughtUp()
	y.write("app.log", "")
	y.must(os.Truncate(y.path("app.log"), 0))
	// The next lines come once that was seen, or are longer than what was there.
	y.write("app.log", strings.Repeat("\n", 1))
}

func (y *yard) copy() {
	fi, err := os.Stat(y.path("app.log"))
	if err != nil || fi.Size() < headLen || y.globs == "app.log" {
		return // too short to be known for a copy, or a copy that nobody looks at
	}
	y.rotated++
	y.copyTruncate("app.log", fmt.Sprintf("app.log.%d", y.rotated))
}

// Whatever is done to a log, each of its lines comes exactly once.
func TestNoLineIsLostOrDoubled(t *testing.T) {
	t.Parallel()
	checks := flag.Lookup("rapid.checks")
	defer func(was string) { _ = checks.Value.Set(was) }(checks.Value.String())
	if checks.Value.String() == checks.DefValue {
		_ = checks.Value.Set("6")
	}
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(t)
		y := &yard{world: w, globs: rapid.SampledFrom([]string{"app.log", "app.log*"}).Draw(r, "globs")}
		t.Log("follow", y.globs)
		defer y.halt()
		defer y.open()
		y.start()
		for range rapid.IntRange(1, 20).Draw(r, "operations") {
			op := rapid.SampledFrom([]string{"write", "write", "write", "rotate", "truncate", "copy", "start", "stop", "block", "open", "wait"}).Draw(r, "operation")
			t.Log(op, y.n)
			switch op {
			case "write":
				y.lines(r)
			case "rotate":
				y.rotate()
			case "truncate":
				y.truncate()
			case "copy":
				y.copy()
			case "start":
				y.start()
			case "stop":
				y.halt()
			case "block":
				if y.release == nil {
					y.release = w.sink.block()
				}
			case "open":
				y.open()
			case "wait":
				y.caughtUp()
			}
		}
		y.open()
		y.start()
		y.lines(r)
		count := map[string]int{}
		for _, m := range messages(w.sink.lines(t, y.n)) {
			count[m]++
		}
		y.halt()
		for i := 1; i <= y.n; i++ {
			m := fmt.Sprintf("line %d of the log", i)
			if count[m] != 1 {
				r.Fatalf("%q came %d times", m, count[m])
			}
			delete(count, m)
		}
		if len(count) > 0 {
			r.Fatalf("what is this: %v", count)
		}
	})
}
