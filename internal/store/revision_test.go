package store_test

import (
	"maps"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/store"
)

// Two trees have one revision exactly if they have the same keys and values.
func TestTreeRevisionNamesTheContent(t *testing.T) {
	tree := rapid.Custom(func(t *rapid.T) map[string]store.Entry {
		out := map[string]store.Entry{}
		for k, v := range rapid.MapOfN(rapid.StringMatching(`[ab]{0,2}`), rapid.StringMatching(`[ab]{0,2}`), 0, 3).Draw(t, "tree") {
			out[k] = store.Entry{Key: k, Value: v, TooLarge: rapid.IntRange(0, 1).Draw(t, "large")}
		}
		return out
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := tree.Draw(t, "a"), tree.Draw(t, "b")
		if same, equal := maps.Equal(a, b), store.TreeRevision(a) == store.TreeRevision(b); same != equal {
			t.Fatalf("%v and %v: the same is %v, their revisions say %v", a, b, same, equal)
		}
	})
}

func TestWritingTheSameAgainIsNoRevision(t *testing.T) {
	a := map[string]store.Entry{"k": {Key: "k", Value: "v", Revision: "1"}}
	b := map[string]store.Entry{"k": {Key: "k", Value: "v", Revision: "2"}}
	if store.TreeRevision(a) != store.TreeRevision(b) {
		t.Fatal("the revision of an entry moves that of the tree")
	}
	if store.RevisionOf("a") == store.RevisionOf("b") || store.RevisionOf("") == "" {
		t.Fatal("the revision of a value does not name it")
	}
}
