package file_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/store"
)

func read(t *testing.T, st store.Store) store.Snapshot {
	t.Helper()
	snap, err := st.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// wants compares a tree with "key=value key=value".
func wants(snap store.Snapshot, want string) error {
	var got []string
	for _, e := range snap.Entries {
		got = append(got, e.Key+"="+e.Value)
	}
	if s := strings.Join(got, " "); s != want {
		return fmt.Errorf("the tree is %q, want %q", s, want)
	}
	return nil
}

func until(t *testing.T, try func() error) {
	t.Helper()
	end := time.Now().Add(40 * time.Second)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// write writes a file in place, as a careless program does.
func write(t *testing.T, path, value string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
		t.Error(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Skip(err)
	}
}

// configMap writes a.conf as the kubelet does: a new folder, and a link that is
// renamed to point to it.
func configMap(t *testing.T, dir, value string) {
	t.Helper()
	version := "..2026_" + value
	put(t, filepath.Join(dir, version, "a.conf"), value)
	old, _ := os.Readlink(filepath.Join(dir, "..data"))
	link(t, version, filepath.Join(dir, "..data_tmp"))
	rename(t, filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data"))
	if old != "" {
		if err := os.RemoveAll(filepath.Join(dir, old)); err != nil {
			t.Fatal(err)
		}
	}
}

// forbid takes every permission away, which root does not notice.
func forbid(t *testing.T, path string) {
	t.Helper()
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(path, 0o700) })
}

// longAgo sets the time of a file's last change to one and the same past moment.
func longAgo(t *testing.T, path string) {
	t.Helper()
	if err := os.Chtimes(path, time.Time{}, time.Unix(1_700_000_000, 0)); err != nil {
		t.Fatal(err)
	}
}
