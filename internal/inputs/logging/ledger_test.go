package logging

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datakit.dev/internal/input"
	"datakit.dev/internal/input/inputtest"
	"datakit.dev/internal/point"
)

func TestRestartGoesOnWhereItStopped(t *testing.T) {
	w := newWorld(t)
	w.write("a.log", "one\n")
	config := w.config("*.log", "from_beginning = true")
	stop := w.run(config)
	w.want("one")
	stop()
	w.write("a.log", "two\n")
	stop = w.run(config)
	p := w.want("one", "two")[1]
	inputtest.Want(t, &p, "log_read_lines", int64(2))
	stop()
	w.run(config)
	w.write("a.log", "three\n")
	w.want("one", "two", "three")
}

// A change of any option makes another instance: it takes the offsets over.
func TestChangedOptionsKeepThePlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("a.log", "one\n")
	w.run(w.config("a.log", "from_beginning = true"))()
	texts := []string{}
	for i, rest := range []string{"source = \"x\"", "service = \"y\"\nfrom_beginning = true", "pipeline = \"z\"", "", "from_beginning = true"} {
		w.write("a.log", fmt.Sprintf("line %d\n", i))
		texts = append(texts, fmt.Sprintf("line %d", i))
		stop := w.run(w.config([]string{"a.log", "*.log"}[i%2], rest))
		w.sink.until(t, texts[i], func(got []point.Point) bool {
			return strings.HasSuffix(strings.Join(messages(got), "|"), strings.Join(texts, "|"))
		})
		stop()
	}
	if got := len(w.sink.lines(t, len(texts))); got > len(texts)+1 {
		t.Errorf("%d points, want the line from before and %d", got, len(texts))
	}
	// One ledger is left: the others were emptied by their successors.
	if names, _ := filepath.Glob(filepath.Join(w.state, "*.json")); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

func TestTwoInstancesOfOneFileKeepTheirOwnPlace(t *testing.T) {
	w := newWorld(t)
	w.write("a.log", "one\n")
	a, b := w.config("*.log", "source = \"a\"\nfrom_beginning = true"), w.config("*.log", "source = \"b\"\nfrom_beginning = true")
	stopA, stopB := w.run(a), w.run(b)
	w.sink.lines(t, 2)
	stopB()
	w.write("a.log", "two\n")
	w.sink.lines(t, 3)
	stopB = w.run(b)
	got := w.sink.lines(t, 4)
	stopA()
	stopB()
	have := []string{}
	for i, m := range messages(got) {
		have = append(have, got[i].Name+" "+m)
	}
	for _, want := range []string{"a one", "b one", "a two", "b two"} {
		if !strings.Contains(strings.Join(have, "|"), want) {
			t.Errorf("no %q in %q", want, have)
		}
	}
}

func TestFilesThatAppearedBetweenTwoRunsAreReadWhole(t *testing.T) {
	w := newWorld(t)
	w.write("a.log", "before\n")
	stop := w.run(w.config("*.log", ""))
	w.settled()
	stop()
	w.write("b.log", "one\n")
	w.write("other.txt", "never followed\n")
	stop = w.run(w.config("*", "")) // a pattern more: what only it matches begins at its end
	w.want("one")
	stop()
}

// The number of a file that is gone is given to the next one.
func TestReusedNumberIsAnotherFile(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{"shorter": "x\n", "longer": "other, and longer than the first one was\n"} {
		w := newWorld(t)
		w.write("a.log", "one, of some length\n")
		stop := w.run(w.config("*.log", "from_beginning = true"))
		w.want("one, of some length")
		stop()
		// Written in place: the same number, as sure as any file system can make it.
		w.must(os.WriteFile(w.path("a.log"), []byte(text), 0o600))
		w.run(w.config("*.log", "from_beginning = true"))
		if got := w.sink.lines(t, 2); messages(got)[1]+"\n" != text {
			t.Errorf("%s: %q", what, messages(got))
		}
	}
}

func TestFileThatWasRotatedWhileNobodyRanIsFinished(t *testing.T) {
	w := newWorld(t)
	w.write("app.log", "one\n")
	config := w.config("app.log", "from_beginning = true")
	stop := w.run(config)
	w.want("one")
	stop()
	w.write("app.log", "two\n")
	w.rename("app.log", "app.log.1")
	w.write("app.log", "three\n")
	w.run(config)
	got := messages(w.sink.lines(t, 3))
	if all := strings.Join(got, "|"); !strings.Contains(all, "two") || !strings.Contains(all, "three") || len(got) != 3 {
		t.Errorf("%q", got)
	}
}

// Nothing counts as read before the flow has taken it.
func TestOffsetsMoveOnlyWithWhatWasTaken(t *testing.T) {
	w := newWorld(t)
	w.write("a.log", strings.Repeat("x\n", 5000))
	w.sink.block()
	config := w.config("*.log", "from_beginning = true")
	stop := w.run(config)
	w.sink.wrote(t, 1)
	stop() // the write that waits fails
	if got := w.offset(t); got != 0 {
		t.Errorf("offset %d, and nothing was taken", got)
	}
	w.sink = newSink()
	stop = w.run(config)
	w.sink.lines(t, 5000)
	stop()
	if got := w.offset(t); got != 10_000 {
		t.Errorf("offset %d", got)
	}
}

// offset returns the only offset that is kept.
func (w *world) offset(t *testing.T) int64 {
	t.Helper()
	names, _ := filepath.Glob(filepath.Join(w.state, "*.json"))
	if len(names) != 1 {
		t.Fatalf("ledgers: %v", names)
	}
	b, err := os.ReadFile(names[0])
	w.must(err)
	var doc struct{ Files []struct{ Offset int64 } }
	w.must(json.Unmarshal(b, &doc))
	if len(doc.Files) != 1 {
		t.Fatalf("%s", b)
	}
	return doc.Files[0].Offset
}

func TestFlowThatRefusesEndsTheRun(t *testing.T) {
	w := newWorld(t)
	w.write("a.log", "one\n")
	r := w.make(w.config("*.log", "from_beginning = true"))
	broken := errors.New("no more")
	if err := r.Run(t.Context(), refusing{broken}); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if got := w.offset(t); got != 0 {
		t.Errorf("offset %d", got)
	}
}

type refusing struct{ err error }

func (s refusing) Write(context.Context, point.Category, []point.Point) error { return s.err }

func TestBrokenLedgers(t *testing.T) {
	for what, text := range map[string]string{
		"no JSON": "{", "an entry of nothing": `{"files":[null]}`, "before the beginning": `{"files":[{"offset":-1}]}`, "a list": "[]",
		"samples of nonsense": `{"files":[{"path":"/x","Dev":1,"Ino":2,"head":{"len":-5},"tail":{"len":99999999}}],"globs":["["]}`,
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			w.write("a.log", "one\n")
			w.must(os.WriteFile(filepath.Join(w.state, "other.json"), []byte(text), 0o600))
			w.run(w.config("*.log", "from_beginning = true"))
			w.want("one")
		})
	}
}

// An entry of this very file that lies about it must not crash anything.
func TestForgedEntries(t *testing.T) {
	for _, forged := range []string{`"offset":2,"head":{"len":-5,"sum":1},"tail":{"len":-1}`, `"offset":9223372036854775807,"tail":{"len":64}`, `"offset":3,"head":{"len":99999999}`} {
		w := newWorld(t)
		w.write("a.log", "one\n")
		fi, err := os.Stat(w.path("a.log"))
		w.must(err)
		id, err := identify(w.path("a.log"), fi)
		w.must(err)
		text := fmt.Sprintf(`{"files":[{"path":%q,"Dev":%d,"Ino":%d,%s}]}`, w.path("a.log"), id.Dev, id.Ino, forged)
		doc := strings.Replace(text, `{"files"`, `{"saved":"2999-01-01T00:00:00Z","files"`, 1)
		w.must(os.WriteFile(filepath.Join(w.state, "other.json"), []byte(doc), 0o600))
		w.run(w.config("*.log", "from_beginning = true"))
		w.want("one")
	}
}

func TestStateThatCannotBeSavedStopsNoLog(t *testing.T) {
	w := newWorld(t)
	w.write("a.log", "one\n")
	w.state = w.path("a.log") // a file where a folder should be
	var told strings.Builder
	p := w.plugin
	r, err := p.NewRunner(input.Env{Log: slog.New(slog.NewTextHandler(&told, nil)), Dir: w.state}, inputtest.Decode(t, p, w.config("*.log", "from_beginning = true")))
	w.must(err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx, w.sink) }()
	w.want("one")
	cancel()
	w.must(<-ended)
	if !strings.Contains(told.String(), "offsets cannot be") {
		t.Errorf("the log says %q", told.String())
	}
}
