package cli

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A key means the same however it is spelled.
func TestKeyOfSpellings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		root := "/" + rapid.StringMatching(`[a-z]{1,5}(/[a-z]{1,3})?`).Draw(t, "root")
		name := rapid.StringMatching(`[a-z0-9._=-]{0,8}[a-z](/[a-z]{1,4}\.p)?`).Draw(t, "name")
		if ours(name) || strings.HasPrefix("/"+name, root+"/") {
			t.Skip("a name that spells a folder")
		}
		want := confdFolder + name
		for _, arg := range []string{name, want, "/" + want, root + "/" + want, strings.TrimPrefix(root, "/") + "/" + want} {
			if strings.HasPrefix(root+"/", "/"+confdFolder) {
				t.Skip("a root that spells a folder")
			}
			if got, err := keyOf(root, arg); got != want || err != nil {
				t.Fatalf("keyOf(%q, %q) = %q, %v, expected %q", root, arg, got, err, want)
			}
		}
	})
}

func TestKeyOfRefuses(t *testing.T) {
	for _, arg := range []string{"", "/", "//", "/other/x", "../x", "a//b", "a/./b", "a\\b", "a\x00b", "/datakit/", "confd/"} {
		key, err := keyOf("/datakit", arg)
		if _, ok := errors.AsType[misuse](err); !ok {
			t.Errorf("keyOf(%q) = %q, %v: no wrong use", arg, key, err)
		}
	}
	// One part right below the root is a key of its own.
	if key, err := keyOf("/datakit", "/datakit/cpu"); key != "cpu" || err != nil {
		t.Errorf("got %q, %v", key, err)
	}
}
