package file_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/stores/file"
)

func TestEditorFilesAreNoKeys(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "confd/cpu.conf"), "1")
	for _, name := range []string{".cpu.conf.swp", "cpu.conf~", "#cpu.conf#", ".#cpu.conf", "4913", ".hidden", "cpu.conf.swp", "x.tmp", ".git/config", "cpu.conf.bak"} {
		put(t, filepath.Join(dir, "confd", name), "no key")
	}
	if err := wants(read(t, openFiles(t, dir)), "confd/cpu.conf=1"); err != nil {
		t.Fatal(err)
	}
}

func TestLinksThatGoInCircles(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "confd/sub/cpu.conf"), "1")
	link(t, "..", filepath.Join(dir, "confd/sub/up"))
	link(t, dir, filepath.Join(dir, "confd/root"))
	st := openFiles(t, dir)
	if err := wants(read(t, st), "confd/sub/cpu.conf=1"); err != nil {
		t.Fatal(err)
	}
	link(t, "loop.conf", filepath.Join(dir, "confd/loop.conf"))
	if snap, err := st.Read(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("a link to itself: %v, %v", snap, err)
	}
}

// A key that is there but cannot be read must not look deleted: the read fails
// and names the file.
func TestNoPartOfATree(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, path string)
		want  error
	}{
		"a link to nothing": {func(t *testing.T, path string) { link(t, "/no/such/file", path) }, store.ErrUnavailable},
		"a file without permission": {func(t *testing.T, path string) {
			put(t, path, "1")
			forbid(t, path)
		}, store.ErrDenied},
		"a folder without permission": {func(t *testing.T, path string) {
			mkdir(t, path)
			forbid(t, path)
		}, store.ErrDenied},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, filepath.Join(dir, "confd/good.conf"), "1")
			c.spoil(t, filepath.Join(dir, "confd/bad.conf"))
			snap, err := openFiles(t, dir).Read(t.Context())
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), "bad.conf") {
				t.Fatalf("%v, %v; want %v that names the file", snap, err, c.want)
			}
		})
	}
}

func TestHugeFileIsMarked(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "confd/cpu.conf"), "1")
	path := filepath.Join(dir, "confd/huge.conf")
	write(t, path, "")
	const size = 10 << 30 // sparse: reading it would take the memory, not the disk
	if err := os.Truncate(path, size); err != nil {
		t.Skip(err)
	}
	snap := read(t, openFiles(t, dir))
	if e, _ := snap.Get("confd/huge.conf"); e.TooLarge != size || e.Value != "" {
		t.Errorf("huge.conf: TooLarge %d, %d bytes", e.TooLarge, len(e.Value))
	}
	if e, _ := snap.Get("confd/cpu.conf"); e.Value != "1" {
		t.Errorf("cpu.conf is %q", e.Value)
	}
}

func TestTenThousandFiles(t *testing.T) {
	dir := t.TempDir()
	mkdir(t, filepath.Join(dir, "confd"))
	for i := range 10_000 {
		write(t, filepath.Join(dir, fmt.Sprintf("confd/n%05d.conf", i)), "x")
	}
	if snap := read(t, openFiles(t, dir)); len(snap.Entries) != 10_000 {
		t.Fatalf("%d files", len(snap.Entries))
	}
}

func TestNestingIsBounded(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "confd", strings.Repeat("d/", 40), "a.conf"), "1")
	if snap, err := openFiles(t, dir).Read(t.Context()); err == nil || !strings.Contains(err.Error(), "deep") {
		t.Fatalf("%v, %v", snap, err)
	}
}

func TestNameThatIsNoText(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "confd/cpu.conf"), "1")
	name := "confd/\xff\xfe.conf"
	if err := os.WriteFile(filepath.Join(dir, name), []byte("2"), 0o600); err != nil {
		t.Skip(err)
	}
	snap := read(t, openFiles(t, dir))
	if e, ok := snap.Get(name); !ok || e.Value != "2" || len(snap.Entries) != 2 {
		t.Fatalf("%v", snap.Entries)
	}
}

// Two listed files of one name are two keys, and which is which depends on the
// list alone.
func TestListedFilesOfOneName(t *testing.T) {
	dir := t.TempDir()
	paths := make([]string, 4)
	for i, name := range []string{"a/cpu.conf", "b/cpu.conf", "b/cpu-2.conf", "c/cpu.conf"} {
		paths[i] = filepath.Join(dir, name)
		put(t, paths[i], strconv.Itoa(i))
	}
	if err := wants(read(t, openFiles(t, paths...)), "confd/cpu-2.conf=2 confd/cpu-3.conf=1 confd/cpu-4.conf=3 confd/cpu.conf=0"); err != nil {
		t.Fatal(err)
	}
}

// The first listed directory wins, and the other file is named in the log.
func TestOneKeyInTwoDirectories(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	put(t, filepath.Join(first, "pipeline/metric/x.p"), "first")
	put(t, filepath.Join(second, "pipeline/metric/x.p"), "second")
	put(t, filepath.Join(second, "confd/a.conf"), "1")
	var logged bytes.Buffer
	st, err := file.Backend().Open(store.Options{
		Values: spec.Values{"file": []string{first, second}, "circle_interval": int64(1)}, Log: slog.New(slog.NewTextHandler(&logged, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := wants(read(t, st), "confd/a.conf=1 pipeline/metric/x.p=first"); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(logged.String(), filepath.Join(second, "pipeline/metric/x.p")); n != 1 {
		t.Errorf("the file that is not read is named %d times in %q", n, logged.String())
	}
}

func TestNothingListed(t *testing.T) {
	if _, err := file.Backend().Open(store.Options{Values: spec.Values{}}); err == nil || !strings.Contains(err.Error(), "needs file") {
		t.Fatalf("%v", err)
	}
}
