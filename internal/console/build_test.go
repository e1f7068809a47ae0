package console_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Without npm the agent is built all the same, and one line says what it lacks; CI,
// which would publish it so, fails.
func TestWithoutNpmThePlainPageStandsIn(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the script is for a shell of Unix")
	}
	bin := t.TempDir()
	for _, name := range []string{"bash", "env", "dirname", "find"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Skipf("%s is missing", name)
		}
		if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		ci   string
		fine bool
	}{{"", true}, {"true", false}} {
		cmd := exec.CommandContext(t.Context(), "../../scripts/console", "lint")
		cmd.Env = []string{"PATH=" + bin, "CI=" + c.ci}
		out, err := cmd.CombinedOutput()
		if (err == nil) != c.fine || strings.Count(string(out), "\n") != 1 || !strings.Contains(string(out), "npm is missing") {
			t.Errorf("CI=%q: %v, %s", c.ci, err, out)
		}
	}
}

// The lock file names what is installed and no place that it comes from: each
// machine has its own.
func TestTheLockFileNamesNoRegistry(t *testing.T) {
	text, err := os.ReadFile("../../web/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if s := string(text); strings.Contains(s, `"resolved"`) || strings.Count(s, `"integrity"`) < 20 {
		t.Error("web/package-lock.json holds addresses, or no sums")
	}
}
