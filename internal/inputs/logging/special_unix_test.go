//go:build unix

package logging

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// Opening a pipe waits for its other end, and a device may have no end at all.
func TestPipesAndDevicesHoldUpNobody(t *testing.T) {
	w := newWorld(t)
	w.must(syscall.Mkfifo(w.path("a.log"), 0o600))
	w.must(os.Symlink("/dev/zero", w.path("b.log")))
	w.must(os.Symlink("nowhere", w.path("c.log")))
	w.must(os.Symlink("d.log", w.path("d.log")))
	w.write("e.log", "one\n")
	w.run(w.config("*.log", "from_beginning = true"))
	w.want("one")
}

// Behind ** a link to a parent has no end.
func TestLinksInACircle(t *testing.T) {
	w := newWorld(t)
	w.write("a/b/x.log", "one\n")
	w.must(os.Symlink("..", w.path("a/b/up")))
	w.must(os.Symlink(".", w.path("a/self")))
	w.run(w.config("**/*.log", "from_beginning = true"))
	w.want("one")
}

func TestFileThatMayNotBeReadIsToldOnce(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	w := newWorld(t)
	w.write("a.log", "secret\n")
	w.must(os.Chmod(w.path("a.log"), 0))
	told := w.told(t, w.config("*.log", "from_beginning = true"))
	if n := strings.Count(told, "permission denied"); n != 1 {
		t.Errorf("told %d times:\n%s", n, told)
	}
}
