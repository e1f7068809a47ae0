package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"datakit.dev/internal/point"
	"datakit.dev/internal/point/lineproto"
	"datakit.dev/internal/status"
)

// binary is the agent that every test runs, built once.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "datakit-e2e")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "datakit")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "datakit.dev/cmd/datakit")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s", out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// patience is how long a test waits for what must come. It is no figure: it
// only ends a test that would hang.
const patience = 20 * time.Second

// An agent is one running process on a work directory of its own.
type agent struct {
	t      testing.TB
	dir    string
	addr   string
	cmd    *exec.Cmd
	log    *buffer
	exited chan struct{}
}

// buffer is what a process printed so far.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newAgent makes a work directory with conf as its datakit.conf; %ADDR% and
// %OUT% stand for the HTTP address and the output file.
func newAgent(t testing.TB, conf string) *agent {
	t.Helper()
	a := &agent{t: t, dir: t.TempDir(), addr: freeAddress(t)}
	a.configure(conf)
	return a
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// configure writes datakit.conf.
func (a *agent) configure(conf string) {
	a.t.Helper()
	base := "default_enabled_inputs = []\n[http_api]\n  listen = \"%ADDR%\"\n[io]\n  output_file = \"%OUT%\"\n"
	if strings.Contains(conf, "default_enabled_inputs") {
		_, base, _ = strings.Cut(base, "\n")
		head, rest, _ := strings.Cut(conf, "\n")
		base, conf = head+"\n"+base, rest
	}
	text := strings.NewReplacer("%ADDR%", a.addr, "%OUT%", a.output()).Replace(base + conf)
	a.write("conf.d/datakit.conf", text)
}

func (a *agent) output() string { return filepath.Join(a.dir, "points.lp") }

// write puts a file into the work directory.
func (a *agent) write(name, text string) {
	a.t.Helper()
	path := filepath.Join(a.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		a.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

func (a *agent) read(name string) string {
	b, err := os.ReadFile(filepath.Join(a.dir, filepath.FromSlash(name)))
	if err != nil {
		return ""
	}
	return string(b)
}

// start starts the process; it is ended with the test.
func (a *agent) start(env ...string) *agent {
	a.t.Helper()
	return a.startIn(append(os.Environ(), env...))
}

// startIn starts the process with these variables and no others.
func (a *agent) startIn(env []string) *agent {
	a.t.Helper()
	a.log, a.exited = &buffer{}, make(chan struct{})
	a.cmd = exec.Command(binary, "run", "--dir", a.dir)
	a.cmd.Env = env
	a.cmd.Stdout, a.cmd.Stderr = a.log, a.log
	if err := a.cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	cmd, exited := a.cmd, a.exited
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	a.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
		if a.t.Failed() {
			a.t.Logf("log of the agent:\n%s", tail(a.log.String(), 4000))
		}
	})
	return a
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// signal sends sig and waits for the end, unless sig is SIGHUP.
func (a *agent) signal(sig os.Signal) {
	a.t.Helper()
	if err := a.cmd.Process.Signal(sig); err != nil {
		a.t.Fatal(err)
	}
	if sig == syscall.SIGHUP {
		return
	}
	select {
	case <-a.exited:
	case <-time.After(patience):
		a.t.Fatalf("the agent did not end after %v", sig)
	}
}

func (a *agent) url(path string) string { return "http://" + a.addr + path }

// get asks the agent; it returns the status code and the body.
func (a *agent) get(path string) (int, string, error) {
	r, err := http.Get(a.url(path))
	if err != nil {
		return 0, "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return r.StatusCode, string(b), err
}

// post sends body to the agent; it returns the status code and the answer.
func (a *agent) post(path, body string) (int, string) {
	a.t.Helper()
	r, err := http.Post(a.url(path), "application/json", strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// status returns /v1/status, and false while the agent does not answer.
func (a *agent) status() (status.Status, bool) {
	var s status.Status
	code, body, err := a.get("/v1/status")
	if err != nil || code != http.StatusOK {
		return s, false
	}
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		a.t.Fatalf("status: %v\n%s", err, body)
	}
	return s, true
}

// until waits for cond, and returns the status that met it.
func (a *agent) until(what string, cond func(status.Status) bool) status.Status {
	a.t.Helper()
	var s status.Status
	for deadline := time.Now().Add(patience); ; {
		var ok bool
		if s, ok = a.status(); ok && cond(s) {
			return s
		}
		if time.Now().After(deadline) {
			b, _ := json.MarshalIndent(s, "", " ")
			a.t.Fatalf("waited in vain for: %s\n%s", what, b)
		}
		pause()
	}
}

// pause is the interval between two looks at what must come.
func pause() { time.Sleep(5 * time.Millisecond) }

// unit returns the first unit of kind.
func unit(s status.Status, kind string) status.Unit {
	i := slices.IndexFunc(s.Units, func(u status.Unit) bool { return u.Kind == kind })
	if i < 0 {
		return status.Unit{}
	}
	return s.Units[i]
}

// key returns the state of the key that ends in name.
func key(s status.Status, name string) status.Key {
	i := slices.IndexFunc(s.Keys, func(k status.Key) bool { return strings.HasSuffix(k.Key, name) })
	if i < 0 {
		return status.Key{}
	}
	return s.Keys[i]
}

func running(kind string) func(status.Status) bool {
	return func(s status.Status) bool { return unit(s, kind).State == status.Running }
}

func gone(kind string) func(status.Status) bool {
	return func(s status.Status) bool { return unit(s, kind).ID == "" && s.Generation > 0 }
}

// points decodes what the agent has written so far.
func (a *agent) points() []point.Point {
	a.t.Helper()
	text := a.read("points.lp")
	text = text[:strings.LastIndexByte(text, '\n')+1] // the last line may be half written
	pts, bad := lineproto.Decode(text, lineproto.Options{})
	if len(bad) > 0 {
		a.t.Fatalf("not line protocol: %v", bad)
	}
	return pts
}

// untilPoint waits for a point that cond takes.
func (a *agent) untilPoint(what string, cond func(point.Point) bool) point.Point {
	a.t.Helper()
	for deadline := time.Now().Add(patience); ; pause() {
		pts := a.points()
		if i := slices.IndexFunc(pts, cond); i >= 0 {
			return pts[i]
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("waited in vain for a point: %s\n%s", what, tail(a.read("points.lp"), 2000))
		}
	}
}

func named(name string) func(point.Point) bool {
	return func(p point.Point) bool { return p.Name == name }
}

func tagged(name, key, value string) func(point.Point) bool {
	return func(p point.Point) bool {
		v, _ := p.Tag(key)
		return p.Name == name && v == value
	}
}

// datakit runs one command of the command line.
func datakit(t testing.TB, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}
