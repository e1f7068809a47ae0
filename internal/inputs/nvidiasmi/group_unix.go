//go:build unix

package nvidiasmi

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// endGroup puts the program into a process group, all of which ends with it:
// scripts that wrap nvidia-smi leave it running otherwise.
func endGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
}
