package follow

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/store"
)

// A history is a server that is written to, and now and then set back to a
// backup: what our mirror has to keep up with.
type history struct {
	rev      int64
	numbered bool // the server names its revisions
	tree     map[string]store.Entry
	backup   *history
}

func newHistory(numbered bool) *history {
	h := &history{rev: 1, numbered: numbered, tree: map[string]store.Entry{}}
	h.backup = h.clone()
	return h
}

func (h *history) clone() *history {
	return &history{rev: h.rev, numbered: h.numbered, tree: maps.Clone(h.tree)}
}

func (h *history) write(key, value string) (set []store.Entry, removed []string) {
	h.rev++
	if value == "" {
		delete(h.tree, key)
		return nil, []string{key}
	}
	e := store.Entry{Key: key, Value: value}
	if h.numbered {
		e.Revision = store.Revision(strconv.FormatInt(h.rev, 10))
	}
	h.tree[key] = e
	return []store.Entry{e}, nil
}

// told is the revision as the server says it.
func (h *history) told() int64 {
	if h.numbered {
		return h.rev
	}
	return 0
}

func (h *history) restore() {
	saved := h.backup
	*h = *saved.clone()
	h.backup = saved
}

// take fails the test for a tree that is not taken.
func take(t interface{ Fatal(...any) }, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

// Whatever the server goes through, the mirror shows its content, and one
// revision never stands for two contents: a caller who compares revisions
// would miss the change.
func TestMirrorFollowsAnyHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory(rapid.Bool().Draw(t, "numbered"))
		m := mirror{}
		take(t, m.replace(h.told(), maps.Clone(h.tree)))
		meaning := map[store.Revision]string{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			key := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key")
			value := rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "value")
			switch rapid.SampledFrom([]string{"watched", "watched", "missed", "elsewhere", "save", "restore"}).Draw(t, "step") {
			case "watched":
				set, removed := h.write(key, value)
				take(t, m.apply(h.told(), set, removed))
			case "missed":
				h.write(key, value)
				take(t, m.replace(h.told(), maps.Clone(h.tree)))
			case "elsewhere":
				h.rev++
				before := m.label
				take(t, m.replace(h.told(), maps.Clone(h.tree)))
				if m.label != before {
					t.Fatalf("a key outside moved %s to %s", before, m.label)
				}
			case "save":
				h.backup = h.clone()
			case "restore":
				h.restore()
				take(t, m.replace(h.told(), maps.Clone(h.tree)))
			}
			checkMirror(t, &m, h, meaning)
		}
	})
}

func checkMirror(t *rapid.T, m *mirror, h *history, meaning map[store.Revision]string) {
	snap, err := m.snapshot()
	if err != nil {
		t.Fatal(err)
	}
	got, size := map[string]store.Entry{}, 0
	for _, e := range snap.Entries {
		got[e.Key] = e
		size += len(e.Key) + len(e.Value)
	}
	if !maps.Equal(got, h.tree) {
		t.Fatalf("the mirror has %v, the server %v", got, h.tree)
	}
	if size != m.size {
		t.Fatalf("the mirror counts %d bytes and holds %d", m.size, size)
	}
	shown := fmt.Sprint(got)
	if was, ok := meaning[snap.Revision]; ok && was != shown {
		t.Fatalf("revision %s stands for %s and for %s", snap.Revision, was, shown)
	}
	meaning[snap.Revision] = shown
}

func TestSnapshotIsNeverChanged(t *testing.T) {
	h, m := newHistory(true), mirror{}
	take(t, m.replace(h.told(), maps.Clone(h.tree)))
	set, _ := h.write("a", "1")
	take(t, m.apply(h.told(), set, nil))
	one, _ := m.snapshot()
	before := fmt.Sprint(one)
	set, _ = h.write("a", "2")
	take(t, m.apply(h.told(), set, nil))
	if _, err := m.snapshot(); err != nil || fmt.Sprint(one) != before {
		t.Fatalf("%s became %v (%v)", before, one, err)
	}
}

// A watch could feed keys for ever; memory is bounded all the same.
func TestMirrorIsBounded(t *testing.T) {
	m := mirror{}
	take(t, m.replace(1, map[string]store.Entry{}))
	value := strings.Repeat("x", store.MaxValue)
	var err error
	for n := int64(1); err == nil && n < 2*store.MaxTree/store.MaxValue; n++ {
		err = m.apply(n+1, []store.Entry{{Key: strconv.FormatInt(n, 10), Value: value}}, nil)
	}
	if !errors.Is(err, ErrBound) {
		t.Fatalf("a tree twice the bound is taken: %v", err)
	}
	if err := Bound(store.MaxEntries+1, 0); !errors.Is(err, ErrBound) {
		t.Fatalf("too many keys: %v", err)
	}
}

// Of a value that is too large only its size is kept: the key exists.
func TestLargeValuesAreNotKept(t *testing.T) {
	m := mirror{}
	big := store.Entry{Key: "big", Value: strings.Repeat("x", store.MaxValue+1)}
	take(t, m.replace(0, map[string]store.Entry{"big": big}))
	take(t, m.apply(0, []store.Entry{{Key: "more", Value: big.Value}}, nil))
	for _, key := range []string{"big", "more"} {
		if e := m.entries[key]; e.Value != "" || e.TooLarge != store.MaxValue+1 {
			t.Errorf("%s: %d bytes, TooLarge %d", key, len(e.Value), e.TooLarge)
		}
	}
}
