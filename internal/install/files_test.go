//go:build unix

package install

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"datakit.dev/internal/workdir"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func uidOf(t *testing.T, path string) int {
	t.Helper()
	var st syscall.Stat_t
	if err := syscall.Lstat(path, &st); err != nil {
		t.Fatal(err)
	}
	return int(st.Uid)
}

func TestDirectoriesOfOthersAreRefused(t *testing.T) {
	for _, dir := range []workdir.Dir{"", "datakit", "/", "/etc", "/usr/local/", "/tmp/a\nb", "/srv/{{x}}", `/srv/"a"`} {
		if checkDir(dir) == nil {
			t.Errorf("%q was taken", string(dir))
		}
	}
	for _, dir := range []workdir.Dir{"/usr/local/datakit", "/srv/a b$c%"} {
		if err := checkDir(dir); err != nil {
			t.Error(err)
		}
	}
}

func TestPlaceReplacesOnlyWhatDiffers(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "datakit")
	write(t, from, "one")
	for _, c := range []struct {
		text    string
		changed bool
	}{{"one", true}, {"one", false}, {"two", true}} {
		write(t, from, c.text)
		changed, err := place(from, to)
		got, _ := os.ReadFile(to)
		if err != nil || changed != c.changed || string(got) != c.text {
			t.Errorf("%q: changed %v, %v, %q", c.text, changed, err, got)
		}
	}
	if _, err := place(filepath.Join(t.TempDir(), "gone"), to); err == nil {
		t.Error("a program that is not there was placed")
	}
	if names, _ := os.ReadDir(filepath.Dir(to)); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

// The scripts work with a strict umask, and the agent has to get in all the same.
func TestFoldersHaveTheirPermissionsUnderAnyUmask(t *testing.T) {
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	dir := workdir.Dir(filepath.Join(t.TempDir(), "datakit"))
	if err := folders(t.Context(), dir, owner{}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{string(dir): 0o755, dir.Conf(): 0o750, dir.Scripts(): 0o750, dir.ScriptBackup(): 0o750} {
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", path, st.Mode(), err, want)
		}
	}
}

// A link in the agent's own folders leads to what is not the agent's.
func TestOwnerFollowsNoLink(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	outside := filepath.Join(t.TempDir(), "shadow")
	write(t, outside, "x")
	dir := workdir.Dir(t.TempDir())
	write(t, filepath.Join(string(dir), "data", "own"), "x")
	if err := os.Symlink(outside, filepath.Join(string(dir), "data", "link")); err != nil {
		t.Fatal(err)
	}
	if err := folders(t.Context(), dir, owner{uid: 12345, gid: 12345, set: true}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		outside: 0, filepath.Join(string(dir), "data", "own"): 12345, filepath.Join(string(dir), "data"): 12345, dir.Conf(): 0,
	} {
		if got := uidOf(t, path); got != want {
			t.Errorf("%s belongs to %d, want %d", path, got, want)
		}
	}
}

func TestOnlyYesDeletes(t *testing.T) {
	for answer, want := range map[string]bool{"yes\n": true, " yes ": true, "y\n": false, "": false, "no\n": false, "yes please\n": false} {
		var out strings.Builder
		got, err := confirm(strings.NewReader(answer), &out, []string{"/srv/data"})
		if err != nil || got != want || !strings.Contains(out.String(), "/srv/data") {
			t.Errorf("%q: %v %v %s", answer, got, err, out.String())
		}
	}
}
