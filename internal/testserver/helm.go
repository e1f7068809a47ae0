package testserver

import (
	"context"
	"os"
	"os/exec"
	"testing"
)

// Helm runs Helm, for a test of our chart, and returns what it prints. It talks
// to no cluster, and keeps what it caches to itself.
func Helm(tb testing.TB, args ...string) (out string, err error) {
	tb.Helper()
	cmd := exec.CommandContext(context.Background(), tool(tb, "helm"), args...)
	home := tb.TempDir()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "KUBECONFIG=" + os.DevNull}
	text, err := cmd.CombinedOutput()
	return string(text), err
}
