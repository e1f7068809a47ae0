package testserver

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Need skips the test where program, or the file of that whole path, is not
// installed, and fails it in CI.
func Need(tb testing.TB, program, install string) {
	tb.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if _, err := os.Stat(program); err == nil && filepath.IsAbs(program) {
		return
	}
	Missing(tb, program, install)
}

// Missing skips the test for want of what, and fails it in CI.
func Missing(tb testing.TB, what, install string) {
	tb.Helper()
	if os.Getenv("CI") != "" {
		tb.Fatalf("%s is missing: %s", what, install)
	}
	tb.Skipf("%s is missing, get it with: %s", what, install)
}

// freeAddress returns a loopback address that nobody listens on.
func freeAddress(tb testing.TB) string {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// portOf returns the port of host:port.
func portOf(tb testing.TB, address string) int {
	tb.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		tb.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// A process is a running server.
type process struct {
	cmd  *exec.Cmd
	log  tail
	done chan struct{} // closed when it has ended
	once sync.Once
}

// start starts cmd. The caller has it killed with the test that asked for the
// server, which need not be the one that starts it again.
func start(tb testing.TB, cmd *exec.Cmd) *process {
	tb.Helper()
	p := &process{cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.log, &p.log
	own(cmd)
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() {
		_ = cmd.Wait()
		close(p.done)
	}()
	return p
}

// ready returns once try succeeds.
func (p *process) ready(tb testing.TB, limit time.Duration, try func(context.Context) error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			tb.Fatalf("%s is not ready: %v\n%s", p.cmd.Path, err, p.log.String())
		case <-p.done:
			tb.Fatalf("%s has ended\n%s", p.cmd.Path, p.log.String())
		case <-tick.C:
		}
	}
}

// kill ends the process and what it has started, and waits for its end.
func (p *process) kill() {
	p.once.Do(func() { killGroup(p.cmd.Process) })
	<-p.done
}

// tail keeps the end of a server's log.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 64 << 10

func (l *tail) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf = append(l.buf, b...)
	if over := len(l.buf) - tailSize; over > 0 {
		l.buf = bytes.Clone(l.buf[over:])
	}
	return len(b), nil
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.buf)
}
