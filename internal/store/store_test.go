package store_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/store"
)

// Whatever entries come, in whatever order, the snapshot is sorted, has each key
// once with its last value, and Get finds just what is there.
func TestNewSnapshot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := map[string]string{}
		var entries []store.Entry
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			k, v := rapid.StringMatching(`[a-c]{1,2}`).Draw(t, "key"), rapid.String().Draw(t, "value")
			want[k] = v
			entries = append(entries, store.Entry{Key: k, Value: v, Revision: "1"})
		}
		snap, err := store.NewSnapshot("7", entries)
		if err != nil || snap.Revision != "7" || len(snap.Entries) != len(want) {
			t.Fatalf("%v, %v; want %v", snap, err, want)
		}
		for i, e := range snap.Entries {
			if i > 0 && snap.Entries[i-1].Key >= e.Key {
				t.Fatalf("%q comes before %q", snap.Entries[i-1].Key, e.Key)
			}
			if got, ok := snap.Get(e.Key); !ok || got != e || e.Value != want[e.Key] {
				t.Fatalf("%q is %v, want %q", e.Key, got, want[e.Key])
			}
		}
		if e, ok := snap.Get("none"); ok {
			t.Fatalf("a key that is not there is %v", e)
		}
	})
}

func TestSnapshotBounds(t *testing.T) {
	snap, err := store.NewSnapshot("1", []store.Entry{{Key: "huge", Value: strings.Repeat("x", store.MaxValue+1)}, {Key: "full", Value: strings.Repeat("x", store.MaxValue)}})
	if err != nil {
		t.Fatal(err)
	}
	if e, _ := snap.Get("huge"); e.TooLarge != store.MaxValue+1 || e.Value != "" {
		t.Errorf("huge: TooLarge %d, %d bytes", e.TooLarge, len(e.Value))
	}
	if e, _ := snap.Get("full"); e.TooLarge != 0 || len(e.Value) != store.MaxValue {
		t.Errorf("full: TooLarge %d, %d bytes", e.TooLarge, len(e.Value))
	}
	if _, err := store.NewSnapshot("1", make([]store.Entry, store.MaxEntries+1)); err == nil {
		t.Error("a tree of too many keys was taken")
	}
	many, value := make([]store.Entry, store.MaxTree/store.MaxValue+1), strings.Repeat("x", store.MaxValue)
	for i := range many {
		many[i] = store.Entry{Key: strings.Repeat("k", i+1), Value: value}
	}
	if _, err := store.NewSnapshot("1", many); err == nil {
		t.Error("a tree of too many bytes was taken")
	}
}

func TestCheckKey(t *testing.T) {
	for _, key := range []string{"confd/cpu", "pipeline/metric/cpu.p", "confd/a b", "confd/ünïcode 名前", "confd/100%", "confd/..."} {
		if err := store.CheckPut(key, ""); err != nil {
			t.Errorf("%q is refused: %v", key, err)
		}
	}
	for _, key := range []string{"", "/", "a/", "/a", "a//b", "..", "a/../b", "a/.", "a\x00b", "a\nb", "a\\b", "\xff"} {
		if err := store.CheckPut(key, ""); err == nil {
			t.Errorf("%q is taken", key)
		}
	}
	if err := store.CheckPut("confd/a", strings.Repeat("x", store.MaxValue+1)); err == nil {
		t.Error("a value over the limit is taken")
	}
}
