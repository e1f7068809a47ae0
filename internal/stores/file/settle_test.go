package file

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// writing opens a store whose looks have someone write between them: step is
// called before each look but the first of a read.
func writing(t *testing.T, dir string, step func(n int)) *files {
	t.Helper()
	f, err := open(store.Options{Values: spec.Values{"file": []string{dir}, "circle_interval": int64(1)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	n := 0
	f.rest = func(ctx context.Context, _ time.Duration) error {
		n++
		step(n)
		return ctx.Err()
	}
	return f
}

func write(t *testing.T, path, value string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A file that is written piece by piece is not taken before it is whole.
func TestHalfWrittenFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.conf")
	const pieces = 20
	whole := strings.Repeat("line\n", pieces)
	write(t, path, "")
	f := writing(t, dir, func(n int) {
		if n <= pieces {
			write(t, path, strings.Repeat("line\n", n))
		}
	})
	if e, _ := mustRead(t, f).Get("confd/a.conf"); e.Value != whole {
		t.Fatalf("%d of %d bytes were taken for the file", len(e.Value), len(whole))
	}
}

// The size stays, the time too, and still the content has changed in between.
func TestFileChangedWithinOneTick(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.conf")
	now := time.Now()
	put := func(value string) {
		write(t, path, value)
		if err := os.Chtimes(path, time.Time{}, now); err != nil {
			t.Fatal(err)
		}
	}
	put("0")
	f := writing(t, dir, func(n int) { put(strconv.Itoa(min(n, 5))) })
	if e, _ := mustRead(t, f).Get("confd/a.conf"); e.Value != "5" {
		t.Fatalf("the file is %q", e.Value)
	}
}

// A file that was just emptied is about to be written: an editor or a shell's >
// does the one before the other.
func TestTruncatedFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.conf")
	write(t, path, "")
	f := writing(t, dir, func(n int) {
		if n == emptyLooks-1 {
			write(t, path, "content")
		}
	})
	if e, _ := mustRead(t, f).Get("confd/a.conf"); e.Value != "content" {
		t.Fatalf("the file is %q", e.Value)
	}
}

// A file that stays empty is empty: it asks for nothing.
func TestEmptyFile(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.conf"), "")
	f := writing(t, dir, func(int) {})
	if e, ok := mustRead(t, f).Get("confd/a.conf"); !ok || e.Value != "" {
		t.Fatalf("%v, %v", e, ok)
	}
}

// A file that appears or goes while the others are read is in the tree, or is not.
func TestFileComesAndGoes(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.conf"), "1")
	f := writing(t, dir, func(n int) {
		switch n {
		case 1:
			write(t, filepath.Join(dir, "b.conf"), "2")
		case 2:
			if err := os.Remove(filepath.Join(dir, "a.conf")); err != nil {
				t.Fatal(err)
			}
		}
	})
	snap := mustRead(t, f)
	if e, ok := snap.Get("confd/b.conf"); !ok || e.Value != "2" || len(snap.Entries) != 1 {
		t.Fatalf("%v", snap.Entries)
	}
}

// What never settles fails the read, and says which file it is.
func TestFileThatNeverSettles(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "good.conf"), "1")
	path := filepath.Join(dir, "log.conf")
	write(t, path, "0")
	f := writing(t, dir, func(n int) { write(t, path, strings.Repeat("x", n)) })
	if snap, err := f.Read(t.Context()); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), path) {
		t.Fatalf("%v, %v", snap, err)
	}
	f.rest = f.sleep
	if snap := mustRead(t, f); len(snap.Entries) != 2 {
		t.Fatalf("%v", snap.Entries)
	}
}
