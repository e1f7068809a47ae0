package logging

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/input"
	"datakit.dev/internal/input/inputtest"
	"datakit.dev/internal/point"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// A sink takes points while it is open, and wakes who waits for them.
type sink struct {
	mu     sync.Mutex
	moved  chan struct{}
	got    []point.Point
	shut   chan struct{} // not nil: writes wait for it
	writes int
}

func newSink() *sink { return &sink{moved: make(chan struct{})} }

func (s *sink) Write(ctx context.Context, category point.Category, pts []point.Point) error {
	if category != point.Logging {
		return fmt.Errorf("category %s", category)
	}
	s.mu.Lock()
	shut := s.shut
	s.writes++
	close(s.moved)
	s.moved = make(chan struct{})
	s.mu.Unlock()
	if shut != nil {
		select {
		case <-shut:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, pts...)
	close(s.moved)
	s.moved = make(chan struct{})
	return nil
}

// block makes writes wait until the result is called.
func (s *sink) block() func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	gate := make(chan struct{})
	s.shut = gate
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.shut = nil
		close(gate)
	}
}

// until waits for ok of what was written.
func (s *sink) until(t testing.TB, what string, ok func([]point.Point) bool) []point.Point {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		s.mu.Lock()
		got, moved := slices.Clip(s.got), s.moved
		s.mu.Unlock()
		if ok(got) {
			return got
		}
		select {
		case <-moved:
		case <-limit.C:
			t.Fatalf("%s never came; there are %d points, the last %.500q", what, len(got), strings.Join(messages(got[max(0, len(got)-20):]), "|"))
		}
	}
}

// lines waits for n points.
func (s *sink) lines(t testing.TB, n int) []point.Point {
	t.Helper()
	return s.until(t, fmt.Sprintf("%d points", n), func(got []point.Point) bool { return len(got) >= n })
}

func messages(pts []point.Point) []string {
	out := make([]string, len(pts))
	for i := range pts {
		v, _ := pts[i].Field("message")
		out[i] = v.Text()
	}
	return out
}

// A world is a folder of logs, one of offsets, and the plugin.
type world struct {
	t      testing.TB
	logs   string
	state  string
	plugin input.Plugin
	sink   *sink
}

func newWorld(t testing.TB) *world {
	return &world{t, t.TempDir(), t.TempDir(), Plugin(), newSink()}
}

func (w *world) path(name string) string { return filepath.Join(w.logs, name) }

// write appends to a log.
func (w *world) write(name, text string) {
	w.t.Helper()
	path := w.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		w.t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) rename(from, to string) { w.t.Helper(); w.must(os.Rename(w.path(from), w.path(to))) }

// config is a table that follows the patterns in the folder of logs.
func (w *world) config(globs, rest string) string {
	var list []string
	for g := range strings.FieldsSeq(globs) {
		list = append(list, fmt.Sprintf("%q", filepath.ToSlash(w.logs)+"/"+g))
	}
	return "logfiles = [" + strings.Join(list, ", ") + "]\n" + rest
}

// make returns an instance.
func (w *world) make(config string) input.Runner {
	w.t.Helper()
	r, err := w.plugin.NewRunner(input.Env{Log: slog.New(slog.DiscardHandler), Dir: w.state}, inputtest.Decode(w.t, w.plugin, config))
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// run starts an instance; the result stops it and waits for its end.
func (w *world) run(config string) (stop func()) {
	w.t.Helper()
	r := w.make(config)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx, w.sink) }()
	once := sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				w.t.Errorf("the run ended with %v", err)
			}
		case <-time.After(patience):
			w.t.Errorf("the run does not end")
		}
	})
	w.t.Cleanup(once)
	return once
}

// want fails the test where the points are not these texts, in order.
func (w *world) want(texts ...string) []point.Point {
	w.t.Helper()
	got := w.sink.lines(w.t, len(texts))
	if strings.Join(messages(got), "|") != strings.Join(texts, "|") {
		w.t.Fatalf("got %q, want %q", messages(got), texts)
	}
	return got
}

// settled waits until the instances that run have looked for files once: they
// save what they found.
func (w *world) settled() {
	w.t.Helper()
	limit := time.Now().Add(patience)
	for {
		if names, _ := filepath.Glob(filepath.Join(w.state, "*.json")); len(names) > 0 {
			return
		}
		if time.Now().After(limit) {
			w.t.Fatal("nothing is saved")
		}
		time.Sleep(time.Millisecond)
	}
}

// wrote waits until n writes have begun.
func (s *sink) wrote(t testing.TB, n int) {
	t.Helper()
	s.until(t, fmt.Sprintf("write %d", n), func([]point.Point) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.writes >= n
	})
}

// told runs an instance over a few polls and returns what it logged.
func (w *world) told(t *testing.T, config string) string {
	t.Helper()
	var log strings.Builder
	faketime.Test(t, func(t *testing.T) {
		p := deaf()
		r, err := p.NewRunner(input.Env{Log: slog.New(slog.NewTextHandler(&log, nil)), Dir: w.state}, inputtest.Decode(t, p, config))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := r.Run(ctx, w.sink); err != nil {
			t.Error(err)
		}
	})
	return log.String()
}
