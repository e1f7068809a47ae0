package file

import (
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// limitFileSize makes every file of this process stop growing at n bytes, as a
// full disk does, until the returned function is called.
func limitFileSize(t *testing.T, n uint64) (lift func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFullDiskLeavesNoHalfLine(t *testing.T) {
	d := destinationAt(t, filepath.Join(t.TempDir(), "p"), 0, 0)
	write(t, d, "a", "b")
	lift := limitFileSize(t, 25) // within the third line
	err := d.Write(t.Context(), batch("c", "d"))
	have := content(t, d.path)
	lift()
	if err == nil {
		t.Fatal("no error from a full disk")
	}
	if have != "a f=1i 1\nb f=1i 1\n" {
		t.Errorf("after the failure: %q", have)
	}
	write(t, d, "c", "d")
	if got := strings.ReplaceAll(content(t, d.path), " f=1i 1\n", ""); got != "abcd" {
		t.Errorf("in the end: %q", got)
	}
}

func TestADeviceIsWrittenToAsItIs(t *testing.T) {
	d := destinationAt(t, "/dev/full", 10, 1)
	if err := d.Write(t.Context(), batch("a")); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("got %v", err)
	}
	null := destinationAt(t, "/dev/null", 10, 1)
	write(t, null, "a", "b", "c")
	write(t, null, "d")
}
