package testserver

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// own puts cmd into a process group of its own, and has it killed should the
// test die without cleaning up.
func own(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

func (p *process) pause(tb testing.TB) {
	tb.Helper()
	p.signal(tb, syscall.SIGSTOP)
}

func (p *process) resume(tb testing.TB) {
	tb.Helper()
	p.signal(tb, syscall.SIGCONT)
}

func (p *process) signal(tb testing.TB, s syscall.Signal) {
	tb.Helper()
	if err := syscall.Kill(-p.cmd.Process.Pid, s); err != nil {
		tb.Fatal(err)
	}
}
