package redis

import (
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/store"
)

func TestNames(t *testing.T) {
	for _, c := range []struct{ root, separator, key, name string }{
		{"/datakit", "/", "confd/cpu", "/datakit/confd/cpu"},
		{"/datakit", ":", "confd/cpu", "datakit:confd:cpu"},
		{"/a/b", "::", "c/d", "a::b::c::d"},
		{"/datakit", "/", "", "/datakit"},
	} {
		n := newNames(c.root, c.separator)
		if got := n.of(c.key); got != c.name {
			t.Errorf("%q is named %q, want %q", c.key, got, c.name)
		}
		if got, ok := n.key(c.name); c.key != "" && (!ok || got != c.key) {
			t.Errorf("%q is the key %q, %t", c.name, got, ok)
		}
	}
}

func TestNamesThatAreNoneOfOurs(t *testing.T) {
	for separator, names := range map[string][]string{
		"/": {"/datakit", "/datakit/", "/datakitX/a", "datakit/a", ""},
		":": {"datakit", "datakit:", "/datakit/a", "datakit:a/b"},
	} {
		for _, name := range names {
			if key, ok := newNames("/datakit", separator).key(name); ok {
				t.Errorf("%q is the key %q", name, key)
			}
		}
	}
}

// No two names are one key, and a key that is taken comes back as itself.
func TestNamesAndKeysGoTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := newNames("/datakit", rapid.SampledFrom([]string{"/", ":", "::", ".", "a"}).Draw(t, "separator"))
		text := rapid.StringOf(rapid.SampledFrom([]rune("/:.ab")))
		name := n.root + n.separator + text.Draw(t, "name")
		if key, ok := n.key(name); ok && n.of(key) != name {
			t.Fatalf("%q is the key %q, which is named %q", name, key, n.of(key))
		}
		key := text.Draw(t, "key")
		if n.takes(key) && key != "" {
			if back, ok := n.key(n.of(key)); !ok || back != key {
				t.Fatalf("%q comes back as %q", key, back)
			}
		}
	})
}

func TestPatternQuotesWildcards(t *testing.T) {
	if got := newNames(`/a*[b]?\`, "/").pattern(); got != `/a\*\[b]\?\\/*` {
		t.Errorf("the pattern is %s", got)
	}
}

func bulkOf(text string) reply { return reply{kind: '$', text: text} }

// However changes come, and in whatever portions, the copy is what a fresh look
// at the whole shows.
func TestMergeIsAFreshLook(t *testing.T) {
	n := newNames("/datakit", "/")
	name := rapid.SampledFrom([]string{"/datakit", "/datakit/a", "/datakit/a/b", "/datakit/a/b/c", "/datakit/d"})
	field := rapid.SampledFrom([]string{"a", "b", "a/b", "b/c", "c", "a/b/c"})
	holds := rapid.Custom(func(t *rapid.T) func(string) value {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			text := rapid.SampledFrom([]string{"1", "2"}).Draw(t, "text")
			return func(name string) value { return n.stringOf(name, bulkOf(text)) }
		case 1:
			var list []reply
			for _, f := range rapid.SliceOfNDistinct(field, 0, 3, rapid.ID).Draw(t, "fields") {
				list = append(list, bulkOf(f), bulkOf("of "+f))
			}
			return func(name string) value { return n.hashOf(name, reply{items: list}) }
		case 2:
			return func(string) value { return value{kind: "list"} }
		}
		return func(string) value { return value{kind: kindNone} }
	})
	rapid.Check(t, func(t *rapid.T) {
		kept, all, copied := tree{}, tree{}, map[string]store.Entry{}
		for _, names := range rapid.SliceOf(rapid.SliceOf(name)).Draw(t, "changes") {
			part := tree{}
			for _, one := range names {
				part[one] = holds.Draw(t, "value")(one)
			}
			maps.Copy(all, part)
			set, removed := kept.merge(n, part)
			for _, e := range set {
				copied[e.Key] = e
			}
			for _, key := range removed {
				delete(copied, key)
			}
		}
		fresh := tree{}
		fresh.merge(n, all)
		if want := fresh.entries(n); !maps.Equal(copied, want) || !maps.Equal(kept.entries(n), want) {
			t.Fatalf("the copy is %v, a fresh look %v", copied, want)
		}
	})
}

func TestFoldersAboveAKey(t *testing.T) {
	var got []string
	for folder := range above("a/b/c") {
		got = append(got, folder)
	}
	if s := strings.Join(got, " "); s != "a/b/c a/b a " {
		t.Errorf("they are %q", s)
	}
}

func TestEnoughIsTold(t *testing.T) {
	for flags, want := range map[string]bool{
		"": false, "AKE": true, "KA": true, "EA": false, "K": false, "Kg$hxe": true, "Kg$xe": false, "g$hxeK": true, "Kg$lshzxetd": true, "Elg$hxe": false,
	} {
		if enough(flags) != want {
			t.Errorf("%q is enough: %t", flags, !want)
		}
	}
}
