package testserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A Debian is a small Debian system that systemd has booted, in namespaces of its
// own. It shares the network, so that a server of another test is in its reach
// at the same address.
type Debian struct {
	Root string // where its files lie on this machine

	boot   string // the program that boots it
	cgroup string
	cmd    *process
	init   int // its process 1, as this machine counts
}

// StartDebian boots a fresh system and ends it with the test. It takes part in
// `make test-all` only: it needs root, and a minute.
func StartDebian(tb testing.TB) *Debian {
	tb.Helper()
	if os.Getenv("DATAKIT_TEST_ALL") == "" {
		tb.Skip("it boots a Debian with systemd: run `make test-all`")
	}
	if os.Geteuid() != 0 {
		tb.Skip("only root can boot a Debian")
	}
	d := &Debian{boot: tool(tb, "debian"), Root: filepath.Join(tb.TempDir(), "root")}
	base := "/sys/fs/cgroup"
	if _, err := os.Stat(base + "/unified"); err == nil {
		base += "/unified" // where the machine also has groups of the first version
	}
	d.cgroup = filepath.Join(base, "datakit-test-"+strconv.Itoa(os.Getpid())+"-"+filepath.Base(filepath.Dir(filepath.Dir(d.Root))))
	master := filepath.Join(toolDir(tb), "debian", "root")
	if out, err := exec.CommandContext(context.Background(), "cp", "-a", "--reflink=auto", master, d.Root).CombinedOutput(); err != nil {
		tb.Fatalf("copy the system: %v\n%s", err, out)
	}
	tb.Cleanup(func() {
		d.cmd.kill()
		_ = os.WriteFile(filepath.Join(d.cgroup, "cgroup.kill"), []byte("1"), 0o600) // should something have stayed
	})
	d.up(tb)
	return d
}

// up boots the system.
func (d *Debian) up(tb testing.TB) {
	tb.Helper()
	d.cmd = start(tb, exec.CommandContext(context.Background(), d.boot, d.Root, d.cgroup))
	d.cmd.ready(tb, startup, func(ctx context.Context) error {
		if d.init = childOf(d.cmd.cmd.Process.Pid); d.init == 0 {
			return errors.New("it has no process 1 yet")
		}
		// One that comes too early, into the half-made system, may never end.
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		out, err := d.run(ctx, "systemctl is-system-running", nil)
		if state := strings.TrimSpace(out); state != "running" && state != "degraded" {
			return fmt.Errorf("it is %q: %w", state, err)
		}
		return nil
	})
}

// Reboot has the system shut itself down, and boots it again.
func (d *Debian) Reboot(tb testing.TB) {
	tb.Helper()
	_, _ = d.Run(tb, "systemctl reboot") // which ends before it can answer
	limit := time.NewTimer(startup)
	defer limit.Stop()
	select {
	case <-d.cmd.done:
	case <-limit.C:
		tb.Fatalf("the system does not go down\n%s", d.cmd.log.String())
	}
	d.up(tb)
}

// Run runs a script in the system, as root, and returns what it printed.
func (d *Debian) Run(tb testing.TB, script string, env ...string) (string, error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	return d.run(ctx, script, env)
}

func (d *Debian) run(ctx context.Context, script string, env []string) (string, error) {
	cmd := exec.CommandContext(ctx, "nsenter", "--target", strconv.Itoa(d.init), "--mount", "--pid", "--uts", "--ipc", "--cgroup",
		"--", "/bin/sh", "-c", script)
	cmd.Env = append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C"}, env...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// childOf returns a child of process pid, 0 where it has none.
func childOf(pid int) int {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := bytes.Cut(text, []byte(") "))
		if f := bytes.Fields(rest); len(f) > 1 && string(f[1]) == strconv.Itoa(pid) {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			return child
		}
	}
	return 0
}
