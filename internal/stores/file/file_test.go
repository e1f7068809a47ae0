package file_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
	"datakit.dev/internal/stores/file"
)

// server is a directory, written as an operator would write it.
type server struct{ dir string }

func (s server) Open(t *testing.T) store.Store { return openFiles(t, s.dir) }

func (s server) Put(t *testing.T, key, value string) {
	put(t, filepath.Join(s.dir, filepath.FromSlash(key)), value)
}

func (s server) PutBeside(t *testing.T, key, value string) {
	put(t, filepath.Join(s.dir+"X", filepath.FromSlash(key)), value)
}

func (s server) Delete(t *testing.T, key string) {
	if err := os.Remove(filepath.Join(s.dir, filepath.FromSlash(key))); err != nil {
		t.Error(err)
	}
}

// Stop takes the whole directory away, as a mount that is gone does.
func (s server) Stop(t *testing.T) { rename(t, s.dir, s.dir+".away") }

func (s server) Start(t *testing.T) { rename(t, s.dir+".away", s.dir) }

// Save and Rewind do as a backup tool does: the files come back with their old
// times.
func (s server) Save(t *testing.T) { copyTree(t, s.dir, s.dir+".backup") }

func (s server) Rewind(t *testing.T) {
	rename(t, s.dir, s.dir+".replaced")
	copyTree(t, s.dir+".backup", s.dir)
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	err := fs.WalkDir(os.DirFS(from), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		old, err := d.Info()
		if err != nil {
			return err
		}
		return os.Chtimes(filepath.Join(to, path), old.ModTime(), old.ModTime())
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestConformance(t *testing.T) {
	storetest.Run(t, file.Backend().Traits, func(t *testing.T) storetest.Server {
		dir := filepath.Join(t.TempDir(), "datakit")
		mkdir(t, dir)
		return server{dir}
	})
}

// openFiles opens a store on the listed paths.
func openFiles(t *testing.T, paths ...string) store.Store {
	t.Helper()
	st, err := file.Backend().Open(store.Options{Root: "/datakit", Values: spec.Values{"file": paths, "circle_interval": int64(1)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

// put writes value beside path and renames it there.
func put(t *testing.T, path, value string) {
	t.Helper()
	mkdir(t, filepath.Dir(path))
	tmp := filepath.Join(filepath.Dir(path), ".new~")
	if err := os.WriteFile(tmp, []byte(value), 0o600); err != nil {
		t.Error(err)
	}
	rename(t, tmp, path)
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Error(err)
	}
}

func mkdir(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
}
