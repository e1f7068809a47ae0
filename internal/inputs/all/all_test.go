package all

import (
	"os"
	"strings"
	"testing"
)

func TestListIsCompleteAndNamesAreUnique(t *testing.T) {
	folders, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	listed := map[string]bool{}
	for _, p := range All() {
		listed[strings.ReplaceAll(p.Name, "_", "")] = true
		for _, name := range append([]string{p.Name}, p.Aliases...) {
			if seen[name] {
				t.Errorf("two inputs are called %s", name)
			}
			seen[name] = true
		}
	}
	for _, f := range folders {
		if f.IsDir() && f.Name() != "all" && !listed[f.Name()] {
			t.Errorf("folder %s is not in the list", f.Name())
		}
	}
	for _, name := range []string{"cpu", "disk", "diskio", "mem", "swap", "system", "net", "processes", "host_processes"} {
		if !seen[name] {
			t.Errorf("%s, a default input, is missing", name)
		}
	}
}
