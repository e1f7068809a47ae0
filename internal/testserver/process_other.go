//go:build !linux

package testserver

import (
	"os"
	"os/exec"
	"testing"
)

func own(*exec.Cmd) {}

func killGroup(p *os.Process) { _ = p.Kill() }

func (p *process) pause(tb testing.TB) {
	tb.Helper()
	tb.Skip("a server is paused on Linux only")
}

func (p *process) resume(testing.TB) {}
