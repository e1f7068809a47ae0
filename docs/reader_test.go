package docs

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"datakit.dev/internal/testserver"
)

// output is what a process printed so far.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// A reader is who follows a page: in a folder of their own, with two terminals,
// example by example.
type reader struct {
	t     *testing.T
	dir   string
	env   []string
	swap  *strings.Replacer // the addresses of the page for those of the test
	page  string
	steps []block

	points *output // the first terminal
}

// newReader opens a page. Its test is the one that typed names, and has to come to
// the end of the page. swaps are pairs: what the page says, and what it is here.
func newReader(t *testing.T, page string, swaps ...string) *reader {
	t.Helper()
	testserver.Need(t, "bash", "apt-get install bash")
	testserver.Need(t, "curl", "apt-get install curl")
	if name, _, _ := strings.Cut(t.Name(), "/"); typed()[page] != name {
		t.Fatalf("%s is typed by %q, not by %s: correct the list", page, typed()[page], name)
	}
	r := &reader{
		t: t, dir: t.TempDir(), points: &output{}, page: page, swap: strings.NewReplacer(swaps...),
		// A busy machine is slower than what the vendors' commands wait for.
		env: append(os.Environ(), "GORACE=atexit_sleep_ms=0", "ETCDCTL_COMMAND_TIMEOUT=60s", "ETCDCTL_DIAL_TIMEOUT=60s"),
	}
	for _, b := range ofLang(t, page, "sh") {
		if whyNot(b) == "" {
			r.steps = append(r.steps, b)
		}
	}
	t.Cleanup(func() {
		if len(r.steps) > 0 && !t.Failed() && !t.Skipped() {
			t.Errorf("%s:%d: nothing types this:\n%s", page, r.steps[0].line, r.steps[0].text)
		}
	})
	return r
}

// has puts files into the folder.
func (r *reader) has(files ...string) {
	r.t.Helper()
	for f := range slices.Chunk(files, 2) {
		path := filepath.Join(r.dir, f[0])
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			r.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(f[1]), 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
}

// at gives the reader a vendor's terminal.
func (r *reader) at(v testserver.Terminal) *reader {
	r.env = append(append(r.env, v.Env...), "PATH="+v.Bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "HOME="+r.dir)
	return r
}

// next returns the next example of the page.
func (r *reader) next() string {
	r.t.Helper()
	if len(r.steps) == 0 {
		r.t.Fatalf("%s has fewer examples than its test", r.page)
	}
	s := r.steps[0].text
	r.steps = r.steps[1:]
	return s
}

// rest types all examples that are left, and returns what they print.
func (r *reader) rest() (out string) {
	r.t.Helper()
	for len(r.steps) > 0 {
		out += r.do(r.next())
	}
	return out
}

func (r *reader) command(script string) *exec.Cmd {
	cmd := exec.CommandContext(r.t.Context(), "bash", "-euo", "pipefail", "-c", r.swap.Replace(script))
	cmd.Dir, cmd.Env = r.dir, r.env
	return cmd
}

// do types an example into the second terminal.
func (r *reader) do(script string) string {
	r.t.Helper()
	out, err := r.command(script).CombinedOutput()
	if err != nil {
		r.t.Fatalf("%s: %s\n%v\n%s", r.page, script, err, out)
	}
	return string(out)
}

// start types an example into the first terminal, where it stays until the end.
func (r *reader) start(script string) (stop func()) {
	r.t.Helper()
	return r.startAfter("", script)
}

// startAfter is start behind what a shell has done before.
func (r *reader) startAfter(before, script string) (stop func()) {
	r.t.Helper()
	cmd := r.command(before + "exec " + script)
	cmd.Stdout, cmd.Stderr = r.points, r.points
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = cmd.Cancel()
		_ = cmd.Wait()
	})
	r.t.Cleanup(stop)
	return stop
}

// stays types what ends only when it is told to, which it is once want is seen.
func (r *reader) stays(script, want string) {
	r.t.Helper()
	before, last, both := strings.Cut(script, "&& ")
	if !both {
		before, last = "", script
	} else {
		before += "&& "
	}
	first, seen := r.points, &output{}
	r.points = seen
	stop := r.startAfter(before, last)
	r.see(want, seen.String)
	stop()
	r.points = first
}

// see looks until what f returns matches.
func (r *reader) see(want string, f func() string) {
	r.t.Helper()
	re := regexp.MustCompile(want)
	limit := time.NewTimer(2 * time.Minute)
	defer limit.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		last := f()
		if re.MatchString(last) {
			return
		}
		select {
		case <-again.C:
		case <-limit.C:
			r.t.Fatalf("%s: %s was not seen in\n%s\n%s", r.page, want, last, r.points)
		}
	}
}

// lines returns the commands of an example that has one on each line.
func lines(example string) (out []string) {
	for line := range strings.Lines(example) {
		if line = strings.TrimSpace(comment.ReplaceAllString(line, "")); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// free returns an address that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
