package file_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datakit.dev/internal/store"
)

// Each way in which people and programs change files wakes Wait, and the next
// read shows it.
func TestChangesAreSeen(t *testing.T) {
	for name, c := range map[string]struct {
		before, change func(t *testing.T, dir string)
		want           string
	}{
		"a file in a new folder": {nil, func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "confd/new/deep/a.conf"), "1")
		}, "confd/new/deep/a.conf=1"},
		"written in place": {func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "confd/a.conf"), "1")
		}, func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "confd/a.conf"), "2")
		}, "confd/a.conf=2"},
		"the same size, with the time set back": {func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "confd/a.conf"), "1")
			longAgo(t, filepath.Join(dir, "confd/a.conf"))
		}, func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "confd/a.conf"), "2")
			longAgo(t, filepath.Join(dir, "confd/a.conf"))
		}, "confd/a.conf=2"},
		"a file renamed": {func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "confd/a.conf"), "1")
		}, func(t *testing.T, dir string) {
			rename(t, filepath.Join(dir, "confd/a.conf"), filepath.Join(dir, "confd/b.conf"))
		}, "confd/b.conf=1"},
		"a folder renamed": {func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "confd/old/a.conf"), "1")
		}, func(t *testing.T, dir string) {
			rename(t, filepath.Join(dir, "confd/old"), filepath.Join(dir, "confd/new"))
		}, "confd/new/a.conf=1"},
		"a folder put in the place of another": {func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "confd/in/a.conf"), "1")
			put(t, filepath.Join(dir, "next/a.conf"), "2")
		}, func(t *testing.T, dir string) {
			rename(t, filepath.Join(dir, "confd/in"), filepath.Join(dir, "gone"))
			rename(t, filepath.Join(dir, "next"), filepath.Join(dir, "confd/in"))
		}, "confd/in/a.conf=2"},
		"the way vim saves": {func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "confd/a.conf"), "1")
		}, func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "confd/4913"), "")
			write(t, filepath.Join(dir, "confd/.a.conf.swp"), "swap")
			rename(t, filepath.Join(dir, "confd/a.conf"), filepath.Join(dir, "confd/a.conf~"))
			write(t, filepath.Join(dir, "confd/a.conf"), "2")
		}, "confd/a.conf=2"},
		"the way emacs saves": {func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "confd/a.conf"), "1")
		}, func(t *testing.T, dir string) {
			link(t, "someone@host.1234:1", filepath.Join(dir, "confd/.#a.conf"))
			write(t, filepath.Join(dir, "confd/#a.conf#"), "autosave")
			write(t, filepath.Join(dir, "confd/a.conf"), "2")
		}, "confd/a.conf=2"},
		"a ConfigMap that is swapped": {func(t *testing.T, dir string) {
			configMap(t, filepath.Join(dir, "confd"), "1")
			link(t, "..data/a.conf", filepath.Join(dir, "confd/a.conf"))
		}, func(t *testing.T, dir string) {
			configMap(t, filepath.Join(dir, "confd"), "2")
		}, "confd/a.conf=2"},
		"a link to a file elsewhere that changes": {func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "elsewhere/real"), "1")
			mkdir(t, filepath.Join(dir, "confd"))
			link(t, filepath.Join(dir, "elsewhere/real"), filepath.Join(dir, "confd/a.conf"))
		}, func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "elsewhere/real"), "2")
		}, "confd/a.conf=2"},
		"a bare .conf file": {nil, func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "cpu.conf"), "1")
			put(t, filepath.Join(dir, "README.md"), "no configuration")
		}, "confd/cpu.conf=1"},
		"the last file goes": {func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "confd/a.conf"), "1")
		}, func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, "confd")); err != nil {
				t.Fatal(err)
			}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if c.before != nil {
				c.before(t, dir)
			}
			st := openFiles(t, dir)
			since := read(t, st).Revision
			done := make(chan error, 1)
			go func() { done <- st.Wait(t.Context(), since) }()
			c.change(t, dir)
			if err := <-done; err != nil {
				t.Fatalf("Wait: %v", err)
			}
			until(t, func() error { return wants(read(t, st), c.want) })
			if st.(store.Poller).Polling() {
				t.Error("the store polls on a local file system")
			}
		})
	}
}

// A listed file is replaced by a rename, which a watch on the file alone misses.
func TestListedFileIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cpu.conf")
	put(t, path, "1")
	st := openFiles(t, path)
	for _, v := range []string{"2", "3", "4"} {
		since := read(t, st).Revision
		put(t, path, v)
		if err := st.Wait(t.Context(), since); err != nil {
			t.Fatal(err)
		}
		until(t, func() error { return wants(read(t, st), "confd/cpu.conf="+v) })
	}
}

func TestDirectoryThatComesLater(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "yet")
	st := openFiles(t, dir)
	if _, err := st.Read(t.Context()); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), dir) {
		t.Fatalf("Read: %v, which does not say that %s is missing", err, dir)
	}
	put(t, filepath.Join(dir, "confd/a.conf"), "1")
	until(t, func() error { return wants(read(t, st), "confd/a.conf=1") })
}

func TestBurstOfFiles(t *testing.T) {
	dir := t.TempDir()
	st := openFiles(t, dir)
	since := read(t, st).Revision
	for i := range 500 {
		write(t, filepath.Join(dir, fmt.Sprintf("n%03d.conf", i)), "x")
	}
	until(t, func() error {
		if err := st.Wait(t.Context(), since); err != nil {
			return err
		}
		if snap := read(t, st); len(snap.Entries) != 500 {
			since = snap.Revision
			return fmt.Errorf("%d files", len(snap.Entries))
		}
		return nil
	})
}
