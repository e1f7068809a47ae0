package docs

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"datakit.dev/internal/app"
	"datakit.dev/internal/testserver"
)

// TestMain makes `datakit` a command: the shell examples run the real program.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"datakit": func() {
		os.Exit(app.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}})
}

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

// A reader is who follows the quick start: in a folder of their own, with two
// terminals.
type reader struct {
	t     *testing.T
	dir   string
	env   []string
	swap  *strings.Replacer // the addresses of the page for those of the test
	steps []block

	points *output // the first terminal
}

func newReader(t *testing.T, etcd string) *reader {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	return &reader{
		t: t, dir: t.TempDir(), points: &output{}, steps: ofLang(t, "docs/quick-start.md", "sh"),
		env:  append(os.Environ(), "ENV_HTTP_LISTEN="+addr, "ETCDCTL_API=3", "ETCDCTL_ENDPOINTS="+etcd, "GORACE=atexit_sleep_ms=0"),
		swap: strings.NewReplacer("localhost:9529", addr, "127.0.0.1:2379", etcd),
	}
}

// next returns the next example of the page.
func (r *reader) next() string {
	r.t.Helper()
	if len(r.steps) == 0 {
		r.t.Fatal("the page has fewer steps than this test")
	}
	s := r.steps[0].text
	r.steps = r.steps[1:]
	return s
}

func (r *reader) command(script string) *exec.Cmd {
	cmd := exec.CommandContext(r.t.Context(), "bash", "-euc", r.swap.Replace(script))
	cmd.Dir, cmd.Env = r.dir, r.env
	return cmd
}

// do types an example into the second terminal.
func (r *reader) do(script string) string {
	r.t.Helper()
	out, err := r.command(script).CombinedOutput()
	if err != nil {
		r.t.Fatalf("%s\n%v\n%s", script, err, out)
	}
	return string(out)
}

// start types an example into the first terminal, where it stays until the end.
func (r *reader) start(script string) {
	r.t.Helper()
	cmd := r.command("exec " + script)
	cmd.Stdout, cmd.Stderr = r.points, r.points
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = cmd.Wait() }) // its context has ended by then
}

// see looks until what f returns matches.
func (r *reader) see(want string, f func() string) {
	r.t.Helper()
	re := regexp.MustCompile(want)
	limit := time.NewTimer(30 * time.Second)
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
			r.t.Fatalf("%s was not seen in\n%s\n%s", want, last, r.points)
		}
	}
}

func (r *reader) status() string {
	out, _ := r.command("datakit status --dir datakit-dev").CombinedOutput()
	return string(out)
}

// Each step of the quick start, in its order, shows what the page says. The
// Chinese page has the same examples: another test compares them.
func TestTheQuickStart(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash on this machine")
	}
	r := newReader(t, testserver.StartEtcd(t).Endpoint)
	r.build(r.next())

	r.start(r.next())
	r.see(`(?m)^cpu,cpu=cpu-total,\S* .*usage_idle=`, r.points.String)
	status := r.next()
	r.see(`(?m)^converged: what runs is what is asked for$`, func() string { return r.do(status) })

	r.do(r.next())
	r.see(`(?m)^cpu,cpu=cpu0,`, r.points.String)
	r.see(`input/cpu +running +\S+ +2 `, r.status)
	r.see(`input/disk +running +\S+ +1 `, r.status)

	if out := r.do(r.next()); !strings.Contains(out, "/datakit/confd/mem") {
		t.Error(out)
	}
	r.see(`input/mem +running .*file:/datakit/confd/mem`, r.status)

	r.do(r.next())
	r.see(`/datakit/confd/mem +kept .*:2:\d+: interval: `, r.status)
	r.see(`input/mem +running `, r.status)
	r.do(r.next())
	r.see(`input/mem +running .* default`, r.status)

	r.do(r.next())
	r.see(`(?m)^cpu,.*busy=`, r.points.String)

	r.do(r.next())
	r.do(r.next())
	r.see(`input/net +running .*etcdv3:/datakit/confd/net`, r.status)
	if last := r.next(); len(r.steps) > 0 || last != "rm -r datakit-dev\n" {
		t.Errorf("the page has more steps than this test, or another last one: %s", last)
	}
}

// build checks the first step. CI builds with that very command; here the program
// is this test's own.
func (r *reader) build(example string) {
	r.t.Helper()
	makefile, err := os.ReadFile(filepath.Join("..", "Makefile"))
	lines := strings.SplitN(example, "\n", 3)
	if err != nil || lines[0] != "make build" || !strings.Contains(string(makefile), "\nbuild: ##") {
		r.t.Errorf("%v: there is no such target: %s", err, example)
	}
	if out := r.do(lines[2]); !strings.HasPrefix(out, "datakit ") {
		r.t.Error(out)
	}
}
