package app

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated pages")

const docs = "../../docs"

// The generated pages say what the code says: `make docs` writes them.
func TestReferenceIsCurrent(t *testing.T) {
	pages := reference()
	for name, want := range pages {
		path := filepath.Join(docs, filepath.FromSlash(name))
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		have, err := os.ReadFile(path)
		if err != nil || string(have) != want {
			t.Errorf("%s is not current: run `make docs` (%v)", name, err)
		}
	}
	for _, dir := range []string{"inputs", "zh/inputs"} {
		found, err := fs.Glob(os.DirFS(docs), dir+"/*.md")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if _, ok := pages[f]; !ok {
				t.Errorf("docs/%s is of no input: remove it", f)
			}
		}
	}
}

func TestReferenceNamesEveryInputAndStore(t *testing.T) {
	conf := reference()["configuration.md"]
	for _, b := range parts().Backends {
		if !strings.Contains(conf, "- `"+b.Name+"`") {
			t.Errorf("the store %s is missing", b.Name)
		}
	}
	for _, name := range []string{"cpu", "mem", "netstat", "nvidia_smi", "processes"} {
		if !strings.Contains(reference()["zh/inputs/README.md"], "["+name+"]") {
			t.Errorf("the input %s is missing", name)
		}
	}
}
