package config

import (
	"fmt"
	"slices"
	"testing"

	"datakit.dev/internal/plan"
	"datakit.dev/internal/store"
)

// BenchmarkOneOfTenThousand compiles and plans one turn in which one of ten
// thousand keys has changed.
func BenchmarkOneOfTenThousand(b *testing.B) {
	const keys = 10_000
	src := Source{ID: "etcdv3", Backend: "etcdv3", Root: "/datakit"}
	for i := range keys {
		src.Entries = append(src.Entries, store.Entry{
			Key: fmt.Sprintf("confd/net%05d", i), Revision: "1", Value: fmt.Sprintf("[[inputs.net]]\nurl = \"http://host-%d\"\n", i),
		})
	}
	req := Request{Catalog: catalog(), Stores: []Source{src}}
	first, state := Compile(nil, req)
	running := first.Units
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		entries := slices.Clone(src.Entries)
		e := &entries[n%keys]
		e.Value, e.Revision = fmt.Sprintf("[[inputs.net]]\nurl = \"http://changed-%d\"\n", n), "2"
		req.Stores = []Source{{ID: src.ID, Backend: src.Backend, Root: src.Root, Entries: entries}}
		r, _ := Compile(state, req)
		touched := 0
		for _, s := range plan.Diff(running, r.Units) {
			if s.Touches() {
				touched++
			}
		}
		if touched != 1 {
			b.Fatalf("%d steps", touched)
		}
	}
}
