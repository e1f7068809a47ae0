package nvidiasmi

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// endGroup keeps the program's window away. Windows ends the program alone:
// nvidia-smi starts no others there.
func endGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{HideWindow: true, CreationFlags: windows.CREATE_NO_WINDOW}
}
