package all_test

import (
	"testing"

	"datakit.dev/internal/stores/all"
)

// Every backend is described in both languages, and no two go by one name.
func TestBackends(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range all.All() {
		if b.Name == "" || b.Doc == "" || b.DocZH == "" || b.Open == nil {
			t.Errorf("%q has no name, text or Open", b.Name)
		}
		if err := b.Spec.Check(); err != nil {
			t.Errorf("%s: %v", b.Name, err)
		}
		for _, name := range append([]string{b.Name}, b.Aliases...) {
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
		}
	}
}
