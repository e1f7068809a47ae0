package file_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datakit.dev/internal/store"
)

// What is put is private, whole, and leaves nothing behind.
func TestPutIsPrivateAndWhole(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "on", "the", "way")
	st := openFiles(t, dir)
	for _, v := range []string{"1", "2"} {
		if _, err := st.(store.Writer).Put(t.Context(), "pipeline/metric/x.p", v, store.Cond{}); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "pipeline", "metric", "x.p")
	for p, want := range map[string]os.FileMode{path: 0o640, filepath.Dir(path): 0o750 | os.ModeDir} {
		if info, err := os.Stat(p); err != nil || info.Mode()&^want != 0 {
			t.Errorf("%s: %v, %v; want at most %v", p, info.Mode(), err, want)
		}
	}
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 1 {
		t.Errorf("%v, %v", names, err)
	}
	if err := wants(read(t, st), "pipeline/metric/x.p=2"); err != nil {
		t.Error(err)
	}
}

func TestPutKeepsPermissionsAndLinks(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	target := filepath.Join(elsewhere, "real.conf")
	put(t, target, "1")
	if err := os.Chmod(target, 0o600); err != nil {
		t.Fatal(err)
	}
	mkdir(t, filepath.Join(dir, "confd"))
	link(t, target, filepath.Join(dir, "confd/a.conf"))
	st := openFiles(t, dir)
	if _, err := st.(store.Writer).Put(t.Context(), "confd/a.conf", "2", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(target); err != nil || string(b) != "2" {
		t.Errorf("the target holds %q, %v", b, err)
	}
	if info, err := os.Lstat(filepath.Join(dir, "confd/a.conf")); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(target); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the permissions are %v, %v", info.Mode(), err)
	}
}

// A key is written where it is read from, bare .conf and listed files included.
func TestPutWhereTheKeyIs(t *testing.T) {
	dir, second := t.TempDir(), t.TempDir()
	single := filepath.Join(t.TempDir(), "single.conf")
	put(t, filepath.Join(dir, "bare.conf"), "1")
	put(t, filepath.Join(second, "confd/second.conf"), "1")
	put(t, single, "1")
	st := openFiles(t, dir, second, single)
	for key, path := range map[string]string{
		"confd/bare.conf":   filepath.Join(dir, "bare.conf"),
		"confd/second.conf": filepath.Join(second, "confd/second.conf"),
		"confd/single.conf": single,
		"confd/new.conf":    filepath.Join(dir, "confd/new.conf"),
	} {
		if _, err := st.(store.Writer).Put(t.Context(), key, "2", store.Cond{}); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != "2" {
			t.Errorf("%s holds %q, %v", path, b, err)
		}
	}
}

func TestPutWhatWouldNotBeRead(t *testing.T) {
	dir := t.TempDir()
	st := openFiles(t, dir)
	for _, key := range []string{"confd/.hidden", "confd/a~", "confd/4913", "confd/.git/config", "other/a.conf", "a.conf", "confd"} {
		if _, err := st.(store.Writer).Put(t.Context(), key, "1", store.Cond{}); err == nil {
			t.Errorf("key %q was written", key)
		}
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 0 {
		t.Errorf("%v, %v", names, err)
	}
}

func TestPutWithoutADirectory(t *testing.T) {
	single := filepath.Join(t.TempDir(), "single.conf")
	put(t, single, "1")
	_, err := openFiles(t, single).(store.Writer).Put(t.Context(), "confd/new.conf", "1", store.Cond{})
	if err == nil || !strings.Contains(err.Error(), "no directory is listed") {
		t.Fatalf("%v", err)
	}
}

// A folder left empty would refuse a later key of its name.
func TestDeleteLeavesNoEmptyFolder(t *testing.T) {
	st := openFiles(t, t.TempDir())
	w := st.(store.Writer)
	if _, err := w.Put(t.Context(), "confd/a/b/c", "1", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(t.Context(), "confd/a/b/c", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Put(t.Context(), "confd/a", "2", store.Cond{}); err != nil {
		t.Fatal(err)
	}
	if err := wants(read(t, st), "confd/a=2"); err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(t.Context(), "confd/none", store.Cond{}); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("%v", err)
	}
}
