package all

import (
	"slices"
	"strings"
	"testing"

	"datakit.dev/internal/output"
)

func TestEveryOutputDescribesItself(t *testing.T) {
	plugins := All()
	if !slices.IsSortedFunc(plugins, func(a, b output.Plugin) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the list is not in order")
	}
	for i, p := range plugins {
		if p.Name == "" || p.Doc == "" || p.DocZH == "" || p.Open == nil || i > 0 && plugins[i-1].Name == p.Name {
			t.Errorf("%q: incomplete, or there twice", p.Name)
		}
		if err := p.Spec.Check(); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}
