package logging

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/input"
	"datakit.dev/internal/input/inputtest"
	"datakit.dev/internal/point"
)

// A full flow costs no line, no memory for those that wait, and no rotation.
func TestFullFlowHoldsReadingUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	release := w.sink.block()
	w.write("app.log", "0\n")
	w.run(w.config("app.log", "from_beginning = true"))
	w.sink.wrote(t, 1)
	// While the first point waits, files come and go under their name.
	for i := 1; i <= 3; i++ {
		w.rename("app.log", fmt.Sprintf("old.%d", i))
		w.write("app.log", fmt.Sprintf("%d\n", i))
		w.noticed("app.log")
	}
	w.sink.mu.Lock()
	writes := w.sink.writes
	w.sink.mu.Unlock()
	if writes != 1 {
		t.Errorf("%d writes while the first one waits", writes)
	}
	release()
	got := strings.Join(messages(w.sink.lines(t, 4)), "")
	for i := range 4 {
		if strings.Count(got, strconv.Itoa(i)) != 1 {
			t.Errorf("%q", got)
		}
	}
}

// noticed waits until the ledger on disk names the file that now has this name.
func (w *world) noticed(name string) {
	w.t.Helper()
	fi, err := os.Stat(w.path(name))
	w.must(err)
	id, err := identify(w.path(name), fi)
	w.must(err)
	limit := time.Now().Add(patience)
	for time.Now().Before(limit) {
		names, _ := filepath.Glob(filepath.Join(w.state, "*.json"))
		for _, n := range names {
			if doc, err := readDocument(n); err == nil && doc.byID[id] != nil {
				return
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.t.Fatalf("%s is never noticed", name)
}

func TestThousandFilesWithFewOpen(t *testing.T) {
	t.Parallel()
	const files = 1000
	w := newWorld(t)
	for i := range files {
		w.write(fmt.Sprintf("%d/%d.log", i%10, i), fmt.Sprintf("one of %d\n", i))
	}
	w.run(w.config("**/*.log", "from_beginning = true\nmax_open_files = 20"))
	w.sink.lines(t, files)
	if n := w.held(); n > 20 {
		t.Errorf("%d logs are open", n)
	}
	for i := range files {
		w.write(fmt.Sprintf("%d/%d.log", i%10, i), fmt.Sprintf("two of %d\n", i))
	}
	count := map[string]int{}
	for _, m := range messages(w.sink.lines(t, 2*files)) {
		count[m]++
	}
	for i := range files {
		for _, m := range []string{fmt.Sprintf("one of %d", i), fmt.Sprintf("two of %d", i)} {
			if count[m] != 1 {
				t.Fatalf("%s came %d times", m, count[m])
			}
		}
	}
}

// held counts the logs that this process has open, where the system tells.
func (w *world) held() int {
	names, _ := os.ReadDir("/proc/self/fd")
	n := 0
	for _, name := range names {
		if to, err := os.Readlink("/proc/self/fd/" + name.Name()); err == nil && strings.HasPrefix(to, w.logs) && strings.HasSuffix(to, ".log") {
			n++
		}
	}
	return n
}

func TestDeadFilesWaitUntilTheyAreWritten(t *testing.T) {
	w := newWorld(t)
	w.write("dead.log", "old\n")
	long := time.Now().Add(-48 * time.Hour)
	w.must(os.Chtimes(w.path("dead.log"), long, long))
	w.write("live.log", "one\n")
	config := w.config("*.log", "from_beginning = true\nignore_dead_log = \"24h\"")
	stop := w.run(config)
	w.want("one")
	stop()
	stop = w.run(config) // it is still dead, and known now
	w.write("live.log", "two\n")
	w.want("one", "two")
	stop()
	w.run(config)
	w.write("dead.log", "new\n")
	w.want("one", "two", "old", "new")
}

func TestStopLeavesNothingBehind(t *testing.T) {
	w := newWorld(t)
	w.write("a.log", "one\n")
	w.run(w.config("*.log", ""))() // what the first use of inotify starts once and for all
	before := runtime.NumGoroutine()
	for range 5 {
		stop := w.run(w.config("*.log", "from_beginning = true"))
		w.sink.block()
		stop()
	}
	for limit := time.Now().Add(patience); runtime.NumGoroutine() > before; {
		if time.Now().After(limit) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines became %d\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
		}
		runtime.Gosched()
	}
	if n := w.held(); n > 0 {
		t.Errorf("%d logs are open", n)
	}
}

func TestPanicOfTheFlowEndsTheReaderToo(t *testing.T) {
	w := newWorld(t)
	w.write("a.log", "one\n")
	r := w.make(w.config("*.log", "from_beginning = true"))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is gone")
			}
		}()
		_ = r.Run(t.Context(), panicking{})
	}()
	if n := w.held(); n > 0 {
		t.Errorf("%d logs are open", n)
	}
}

type panicking struct{}

func (panicking) Write(context.Context, point.Category, []point.Point) error { panic("flow") }

const childEnv = "LOGGING_TEST_CHILD"

// TestChild is no test: it is the agent that TestKilledAgent kills. It follows a
// log and writes what the flow takes into a file, one unbuffered write a batch.
func TestChild(t *testing.T) {
	dir := os.Getenv(childEnv)
	if dir == "" {
		t.Skip("runs as a process of its own")
	}
	f, err := os.OpenFile(filepath.Join(dir, "taken"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	p := Plugin()
	v := inputtest.Decode(t, p, fmt.Sprintf("logfiles = [%q]\nfrom_beginning = true", filepath.ToSlash(dir)+"/app.log"))
	r, err := p.NewRunner(input.Env{Log: slog.New(slog.DiscardHandler), Dir: filepath.Join(dir, "state")}, v)
	if err != nil {
		t.Fatal(err)
	}
	t.Fatal(r.Run(context.Background(), toFile{f}))
}

type toFile struct{ f *os.File }

func (s toFile) Write(_ context.Context, _ point.Category, pts []point.Point) error {
	_, err := s.f.WriteString(strings.Join(messages(pts), "\n") + "\n")
	return err
}

// An agent that is killed, again and again, loses no line; what it reads twice
// goes on without a gap.
func TestKilledAgent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := w.logs
	n := 0
	for range 4 {
		child := exec.Command(os.Args[0], "-test.run=^TestChild$")
		child.Env = append(os.Environ(), childEnv+"="+dir)
		w.must(child.Start())
		for range 40 {
			var b strings.Builder
			for range 200 {
				n++
				fmt.Fprintf(&b, "%d\n", n)
			}
			w.write("app.log", b.String())
			time.Sleep(5 * time.Millisecond) // so that the kill falls among reads and saves
		}
		w.taken(t, dir, n-4000) // it runs, and is busy
		w.must(child.Process.Kill())
		var exit *exec.ExitError
		if err := child.Wait(); !errors.As(err, &exit) {
			t.Fatal(err)
		}
	}
	child := exec.Command(os.Args[0], "-test.run=^TestChild$")
	child.Env = append(os.Environ(), childEnv+"="+dir)
	w.must(child.Start())
	got := w.taken(t, dir, n)
	w.must(child.Process.Kill())
	_ = child.Wait()
	again, last := 0, 0
	for _, k := range got {
		if k > last+1 {
			t.Fatalf("%d follows %d", k, last)
		}
		if k <= last {
			again++
		}
		last = k
	}
	t.Logf("%d lines, going back %d times", n, again)
	if again > 4 {
		t.Errorf("went back %d times for 4 kills", again)
	}
}

// taken waits until line n was taken, and returns all that were, in order.
func (w *world) taken(t *testing.T, dir string, n int) []int {
	t.Helper()
	for limit := time.Now().Add(patience); ; {
		b, _ := os.ReadFile(filepath.Join(dir, "taken"))
		var got []int
		for lines := bufio.NewScanner(strings.NewReader(string(b))); lines.Scan(); {
			k, err := strconv.Atoi(lines.Text())
			if err != nil {
				continue // the write that the kill cut off
			}
			got = append(got, k)
		}
		if len(got) > 0 && got[len(got)-1] >= n {
			return got
		}
		if time.Now().After(limit) {
			t.Fatalf("line %d is never taken; %d are", n, len(got))
		}
		time.Sleep(5 * time.Millisecond)
	}
}
