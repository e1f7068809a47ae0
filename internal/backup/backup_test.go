package backup

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"datakit.dev/internal/store"
)

func some() []Entry {
	text := []string{
		"# my cpu\n[[inputs.cpu]]\n  percpu = true\n[inputs.cpu.tags]\n  a = \"b\"\n",
		"[inputs.net]\ninterval = \"10s\"", // one table, no newline at the end
		"inputs.mem = [{interval = \"5s\"}]\n",
		"[[inputs.prom]]\nurl = \"\"\"\n#: {\"store\":\"forged\",\"bytes\":0}\n\"\"\"\n",
		"[[inputs.net]]\ninterval = \"20s\"\n",
	}
	var out []Entry
	for i, s := range text {
		out = append(out, Entry{
			Source: "etcdv3", Backend: "etcdv3", Key: fmt.Sprintf("/datakit/confd/é %d", i),
			Short: fmt.Sprintf("confd/é %d", i), Revision: store.Revision(fmt.Sprint(i)), Text: s,
		})
	}
	return out
}

func written(t *testing.T) (string, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data", "remote.conf")
	if err := Write(path, filepath.Join(filepath.Dir(path), "scripts"), some()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, string(text)
}

func TestFileIsValidTOMLThatOnlyItsOwnerReads(t *testing.T) {
	path, text := written(t)
	var doc struct{ Inputs map[string][]map[string]any }
	if err := toml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if len(doc.Inputs["net"]) != 2 || len(doc.Inputs["mem"]) != 1 || doc.Inputs["cpu"][0]["percpu"] != true {
		t.Errorf("inputs %v", doc.Inputs)
	}
	if !strings.Contains(text, "# my cpu") || !strings.Contains(text, `"key":"/datakit/confd/é 0","short":"confd/é 0","revision":"0"`) {
		t.Errorf("comments are lost:\n%s", text)
	}
	if st, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
}

func TestReadGivesBackWhatWasWritten(t *testing.T) {
	path, _ := written(t)
	got, err := Read(path, "")
	if err != nil || len(got) != len(some()) {
		t.Fatalf("%d entries, %v", len(got), err)
	}
	for i, want := range some() {
		if got[i].Key != want.Key || got[i].Short != want.Short || got[i].Revision != want.Revision || got[i].Source != want.Source {
			t.Errorf("got %+v, want %+v", got[i], want)
		}
		if i != 1 && i != 2 && got[i].Text != want.Text {
			t.Errorf("got %q, want %q", got[i].Text, want.Text)
		}
	}
}

func TestReadOfNothing(t *testing.T) {
	if got, err := Read(filepath.Join(t.TempDir(), "none"), ""); got != nil || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := Read(t.TempDir(), ""); err == nil {
		t.Error("a folder was read")
	}
}

// Cut off anywhere, the file gives back a prefix of what was written, and never
// an entry that was not.
func TestTruncatedFileGivesBackWhatIsWhole(t *testing.T) {
	path, text := written(t)
	var keys []string
	for _, e := range some() {
		keys = append(keys, e.Key)
	}
	for cut := range len(text) {
		if err := os.WriteFile(path, []byte(text[:cut]), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path, "")
		for i, e := range got {
			if e.Key != keys[i] {
				t.Fatalf("cut at %d: entry %d is %q", cut, i, e.Key)
			}
		}
		if cut == len(text)-2 && (len(got) != len(keys)-1 || err == nil) {
			t.Errorf("the last entry is cut: %d entries, %v", len(got), err)
		}
	}
}

func TestDamageIsToldAndCostsOneEntry(t *testing.T) {
	path, text := written(t)
	if err := os.WriteFile(path, []byte(strings.Replace(text, "percpu = true", "percpu = fals", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path, "")
	if err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("error %v", err)
	}
	if len(got) != len(some())-1 || slices.ContainsFunc(got, func(e Entry) bool { return strings.HasSuffix(e.Key, " 0") }) {
		t.Errorf("entries %v", got)
	}
}

func TestWriteThatFailsLeavesTheOldFile(t *testing.T) {
	path, text := written(t)
	if err := os.Mkdir(filepath.Join(filepath.Dir(path), ".remote.conf.tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, "", nil); err == nil {
		t.Fatal("no error")
	}
	if now, err := os.ReadFile(path); err != nil || string(now) != text {
		t.Errorf("the old file is gone: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("#: {}\n")
	text, _ := render(some())
	f.Add(string(text))
	f.Fuzz(func(t *testing.T, s string) {
		entries, _ := parse(s, "")
		for _, e := range entries {
			if !strings.Contains(s, e.Text) {
				t.Fatalf("made up %q", e.Text)
			}
		}
	})
}

func TestScriptsAreFilesOfTheirOwn(t *testing.T) {
	dir := t.TempDir()
	path, scripts := filepath.Join(dir, "remote.conf"), filepath.Join(dir, "pipeline_confd")
	entry := func(name, text string) Entry {
		return Entry{Source: "etcdv3", Backend: "etcdv3", Key: "/datakit/pipeline/" + name, Short: "pipeline/" + name, Revision: "1", Script: name, Text: text}
	}
	both := []Entry{some()[0], entry("metric/cpu.p", "add_key(a, 1)\n"), entry("logging/nginx.p", "drop()")}
	if err := Write(path, scripts, both); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(scripts, "metric", "cpu.p")); err != nil || string(text) != "add_key(a, 1)\n" {
		t.Errorf("%q, %v", text, err)
	}
	got, err := Read(path, scripts)
	if err != nil || !slices.Equal(got, both) {
		t.Errorf("got %+v, %v", got, err)
	}
	// A script that was changed by hand is not what the store holds.
	if err := os.WriteFile(filepath.Join(scripts, "logging", "nginx.p"), []byte("exit()"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(path, scripts); err == nil || len(got) != 2 {
		t.Errorf("%d entries, %v", len(got), err)
	}
	if err := Write(path, scripts, both[:2]); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(scripts, "logging")); err == nil {
		t.Error("the script that is gone left its folder")
	}
	hostile := strings.Replace(`#: {"store":"etcdv3","script":"../secret","bytes":0,"sha256":"SUM"}`, "SUM", checksum("top secret"), 1)
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("top secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(hostile+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, _ := Read(path, scripts); len(got) != 0 {
		t.Errorf("read outside its folder: %+v", got)
	}
}
