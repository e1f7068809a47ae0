package atomicfile

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func write(t *testing.T, path, text string, perm fs.FileMode) {
	t.Helper()
	if err := Write(path, []byte(text), perm); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, path, text string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		t.Errorf("%q, %v; want %q", got, err, text)
	}
}

// alone fails where anything but the file at path is in its folder.
func alone(t *testing.T, path string) {
	t.Helper()
	list, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(list) != 1 || list[0].Name() != filepath.Base(path) {
		t.Errorf("the folder holds %v, %v", list, err)
	}
}

func TestWriteReplacesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "folders", "x.conf")
	write(t, path, "a longer first text", 0o600)
	want(t, path, "a longer first text")
	write(t, path, "second", 0o600)
	want(t, path, "second")
	write(t, path, "", 0o600)
	want(t, path, "")
	alone(t, path)
}

func TestPermissionsAreThoseAskedFor(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such permissions")
	}
	path := filepath.Join(t.TempDir(), "d", "x.conf")
	for _, perm := range []fs.FileMode{0o644, 0o600, 0o640} { // also over a file of other ones
		write(t, path, "x", perm)
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != perm {
			t.Errorf("%v, %v; want %v", st.Mode(), err, perm)
		}
	}
	if st, err := os.Stat(filepath.Dir(path)); err != nil || st.Mode().Perm()&0o007 != 0 {
		t.Errorf("the folder is open to all: %v, %v", st.Mode(), err)
	}
}

// A process that was killed has left its temporary file, here open to all.
func TestLeftoverIsTakenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.conf")
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), ".x.conf.tmp"), bytes.Repeat([]byte("x"), 1000), 0o644); err != nil { //nolint:gosec // on purpose
		t.Fatal(err)
	}
	write(t, path, "whole", 0o600)
	want(t, path, "whole")
	alone(t, path)
	if st, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
}

func TestFailureLeavesTheOldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.conf")
	write(t, path, "old", 0o600)
	block := filepath.Join(filepath.Dir(path), ".x.conf.tmp")
	if err := os.MkdirAll(filepath.Join(block, "full"), 0o750); err != nil {
		t.Fatal(err)
	}
	var pe *fs.PathError
	if err := Write(path, []byte("new"), 0o600); !errors.As(err, &pe) {
		t.Errorf("%v names no path", err)
	}
	want(t, path, "old")
	if err := os.RemoveAll(block); err != nil {
		t.Fatal(err)
	}
	write(t, path, "new", 0o600)
	want(t, path, "new")
}

func TestFolderInTheWayIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.conf")
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("new"), 0o600); err == nil {
		t.Error("a folder was replaced")
	}
	alone(t, path) // the temporary file is gone
	if err := Write(filepath.Join(path, "full", "x", "y"), nil, 0o600); err != nil {
		t.Error(err)
	}
	if err := Write(filepath.Join(path, "full", "x", "y", "z"), nil, 0o600); err == nil {
		t.Error("a file was taken for a folder")
	}
}

// Who reads while the file is replaced finds one of the texts whole.
func TestReaderNeverSeesAPart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.conf")
	texts := [][]byte{bytes.Repeat([]byte("a"), 1<<20), bytes.Repeat([]byte("b"), 1<<18)}
	write(t, path, string(texts[0]), 0o600)
	done := make(chan error, 1)
	go func() {
		for i := range 20 {
			if err := Write(path, texts[i%2], 0o600); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for {
		got, err := os.ReadFile(path)
		if err != nil && runtime.GOOS != "windows" || err == nil && !bytes.Equal(got, texts[0]) && !bytes.Equal(got, texts[1]) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		select {
		case err := <-done:
			if err != nil && runtime.GOOS != "windows" {
				t.Fatal(err)
			}
			return
		default:
		}
	}
}
