//go:build unix

package reconcile_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"

	"datakit.dev/internal/backup"
	"datakit.dev/internal/store"
)

// childEnv tells the test binary, run again as a child, which file to write.
const childEnv = "DATAKIT_TEST_BACKUP"

// TestMain is the child's way in: it writes backups of growing and shrinking
// size, one after another, until it is killed.
func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		for n := 0; ; n++ {
			if err := backup.Write(path, "", generationOf(n)); err != nil {
				os.Exit(3)
			}
		}
	}
	os.Exit(m.Run())
}

// generationOf returns backup n: its entries all carry n, and their number
// follows from it.
func generationOf(n int) []backup.Entry {
	entries := make([]backup.Entry, 1+n*7%50)
	for i := range entries {
		entries[i] = backup.Entry{
			Source: "etcdv3", Backend: "etcdv3", Key: fmt.Sprint("/datakit/confd/", i), Short: fmt.Sprint("confd/", i),
			Revision: store.Revision(strconv.Itoa(n)), Text: "[[inputs.net]]\nurl = \"" + strings.Repeat("x", 1000) + "\"\n",
		}
	}
	return entries
}

// whole fails unless the file holds one generation, all of it, as valid TOML.
func whole(t *testing.T, path string) {
	t.Helper()
	entries, err := backup.Read(path, "")
	if err != nil || len(entries) == 0 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	n := 0
	if _, err := fmt.Sscan(string(entries[0].Revision), &n); err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(generationOf(n)) || entries[len(entries)-1].Revision != entries[0].Revision {
		t.Fatalf("%d entries of generation %d, want %d", len(entries), n, len(generationOf(n)))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := toml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
}

// A power cut is not to be had in a test; a SIGKILL in the middle of a write is.
func TestBackupIsWholeWhereverTheWriterIsKilled(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "data", "remote.conf")
	if err := backup.Write(path, "", generationOf(0)); err != nil {
		t.Fatal(err)
	}
	for range 25 {
		child := exec.CommandContext(t.Context(), self)
		child.Env = append(os.Environ(), childEnv+"="+path)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.IntN(30_000)) * time.Microsecond) // where in its write it is killed is left to chance
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		var exit *exec.ExitError
		if err := child.Wait(); !errors.As(err, &exit) || !exit.Sys().(syscall.WaitStatus).Signaled() { //nolint:forcetypeassert // so it is on unix
			t.Fatalf("the child ended by itself: %v", err)
		}
		whole(t, path)
	}
}

// Past the limit of a file's size the kernel cuts a write short, as a full disk
// does.
func TestFullDiskLeavesTheOldBackup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "remote.conf")
	if err := backup.Write(path, "", generationOf(1)); err != nil {
		t.Fatal(err)
	}
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	full := was
	full.Cur = 20_000
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		t.Fatal(err)
	}
	err := backup.Write(path, "", generationOf(7)) // 50 kB
	if rerr := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); rerr != nil {
		t.Fatal(rerr)
	}
	if err == nil || !strings.Contains(err.Error(), "back up to "+path) {
		t.Errorf("the write says %v", err)
	}
	whole(t, path)
	if list, err := os.ReadDir(filepath.Dir(path)); err != nil || len(list) != 1 {
		t.Errorf("the folder holds %v, %v", list, err)
	}
	if err := backup.Write(path, "", generationOf(7)); err != nil {
		t.Errorf("with room again: %v", err)
	}
	whole(t, path)
}
