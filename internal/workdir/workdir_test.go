package workdir

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"datakit.dev/internal/store"
)

// tree makes a work directory with files under conf.d: pairs of path and content.
func tree(t *testing.T, files ...string) Dir {
	t.Helper()
	d := Dir(t.TempDir())
	for pair := range slices.Chunk(files, 2) {
		path := filepath.Join(d.Conf(), filepath.FromSlash(pair[0]))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(pair[1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// keys renders entries: "key=value".
func keys(entries []store.Entry) string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Key+"="+e.Value)
	}
	return strings.Join(out, " ")
}

func TestLayoutOfTheContract(t *testing.T) {
	d := Dir("w")
	for got, want := range map[string]string{
		d.Main(): "w/conf.d/datakit.conf", d.Conf(): "w/conf.d", d.Backup(): "w/data/remote.conf",
		d.Scripts(): "w/pipeline", d.ScriptBackup(): "w/pipeline_confd", d.State("cpu"): "w/data/inputs/cpu",
	} {
		if filepath.ToSlash(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	want := "/usr/local/datakit"
	if runtime.GOOS == "windows" {
		want = `C:\Program Files\datakit`
	}
	if got := string(Default()); got != want {
		t.Errorf("the default is %s", got)
	}
}

func TestReadsEveryConfFileInOrder(t *testing.T) {
	d := tree(t,
		"datakit.conf", "main", "cpu.conf", "1", "host/net.conf", "2", "host-a.conf", "3", "host.conf", "4", "a/b/c/d.conf", "5",
		"sub/datakit.conf", "6", // only the one at the top is the main file
		"notes.txt", "x", "cpu.conf.sample", "x", ".hidden.conf", "x", ".git/x.conf", "x", "samples/cpu.conf", "x", "a/samples/x.conf", "x",
	)
	entries, err := d.ReadConf()
	want := "confd/a/b/c/d.conf=5 confd/cpu.conf=1 confd/host-a.conf=3 confd/host.conf=4 confd/host/net.conf=2 confd/sub/datakit.conf=6"
	if err != nil || keys(entries) != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, keys(entries), want)
	}
}

func TestMissingFolderIsEmpty(t *testing.T) {
	if entries, err := tree(t).ReadConf(); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

// A config map of Kubernetes, and many an installation, links folder and files.
func TestLinksAreFollowed(t *testing.T) {
	own := tree(t, "..data/cpu.conf", "1", "datakit.conf", "main")
	if err := os.Symlink(filepath.Join("..data", "cpu.conf"), filepath.Join(own.Conf(), "cpu.conf")); err != nil {
		t.Skip("this system makes no links: ", err)
	}
	linked := Dir(t.TempDir())
	if err := os.Symlink(own.Conf(), linked.Conf()); err != nil {
		t.Fatal(err)
	}
	for _, d := range []Dir{own, linked} {
		if entries, err := d.ReadConf(); err != nil || keys(entries) != "confd/cpu.conf=1" {
			t.Errorf("%s, %v", keys(entries), err)
		}
	}
}

func TestWhatCannotBeReadHoldsUpNothing(t *testing.T) {
	d := tree(t, "a.conf", "1", "z.conf", "2")
	if err := os.Symlink("nowhere", filepath.Join(d.Conf(), "gone.conf")); err != nil {
		t.Skip("this system makes no links: ", err)
	}
	if err := os.Symlink(t.TempDir(), filepath.Join(d.Conf(), "folder.conf")); err != nil {
		t.Fatal(err)
	}
	entries, err := d.ReadConf()
	if keys(entries) != "confd/a.conf=1 confd/z.conf=2" {
		t.Errorf("got %s", keys(entries))
	}
	if err == nil || !strings.Contains(err.Error(), "gone.conf") || !strings.Contains(err.Error(), "folder.conf is no regular file") {
		t.Errorf("%v", err)
	}
}

func TestLargeFileIsNamedAndNotRead(t *testing.T) {
	d := tree(t, "a.conf", strings.Repeat("#", store.MaxValue), "b.conf", strings.Repeat("#", store.MaxValue+1))
	entries, err := d.ReadConf()
	if err != nil || len(entries) != 2 || entries[0].TooLarge != 0 || entries[1].TooLarge != store.MaxValue+1 || entries[1].Value != "" {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

func TestFilesAreBounded(t *testing.T) {
	d := tree(t, "a/0.conf", "")
	for i := range maxFiles + 5 {
		name := filepath.Join(d.Conf(), "a", strconv.Itoa(i)+".conf")
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := d.ReadConf()
	if len(entries) != maxFiles || err == nil || !strings.Contains(err.Error(), "more than 10000 files") {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}
