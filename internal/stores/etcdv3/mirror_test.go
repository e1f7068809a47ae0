package etcdv3

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"pgregory.net/rapid"

	"datakit.dev/internal/store"
)

// A history is a server that is written to, and now and then set back to a
// backup: what our mirror has to keep up with.
type history struct {
	rev    int64
	tree   map[string]*mvccpb.KeyValue
	backup *history
}

func (h *history) clone() *history {
	return &history{rev: h.rev, tree: maps.Clone(h.tree)}
}

func (h *history) write(key, value string) *mvccpb.Event {
	h.rev++
	kv := &mvccpb.KeyValue{Key: []byte("/datakit/" + key), Value: []byte(value), ModRevision: h.rev}
	if value == "" {
		delete(h.tree, key)
		kv.Value = nil
		return &mvccpb.Event{Type: mvccpb.Event_DELETE, Kv: kv}
	}
	h.tree[key] = kv
	return &mvccpb.Event{Type: mvccpb.Event_PUT, Kv: kv}
}

func (h *history) list() map[string]store.Entry {
	out := map[string]store.Entry{}
	for key, kv := range h.tree {
		out[key] = entryOf("/datakit/", kv)
	}
	return out
}

// content is what a snapshot shows, as one comparable value.
func content(entries map[string]store.Entry) string { return fmt.Sprint(entries) }

// Whatever the server goes through, the mirror shows its content, and one
// revision never stands for two contents: a caller who compares revisions
// would miss the change.
func TestMirrorFollowsAnyHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &history{rev: 1, tree: map[string]*mvccpb.KeyValue{}}
		h.backup = h.clone()
		m := mirror{prefix: "/datakit/"}
		m.replace(h.rev, h.list())
		meaning := map[store.Revision]string{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			key := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key")
			value := rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "value")
			switch rapid.SampledFrom([]string{"watched", "watched", "missed", "elsewhere", "save", "restore"}).Draw(t, "step") {
			case "watched":
				if _, ok := h.tree[key]; !ok && value == "" {
					continue
				}
				if err := m.apply([]*mvccpb.Event{h.write(key, value)}); err != nil {
					t.Fatal(err)
				}
			case "missed":
				h.write(key, value)
				m.replace(h.rev, h.list())
			case "elsewhere":
				h.rev++
				before := m.label
				m.replace(h.rev, h.list())
				if m.label != before {
					t.Fatalf("a key outside moved %s to %s", before, m.label)
				}
			case "save":
				h.backup = h.clone()
			case "restore":
				saved := h.backup
				h = saved.clone()
				h.backup = saved
				m.replace(h.rev, h.list())
			}
			snap, err := m.snapshot()
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]store.Entry{}
			for _, e := range snap.Entries {
				got[e.Key] = e
			}
			if !maps.Equal(got, h.list()) {
				t.Fatalf("the mirror has %v, the server %v", got, h.list())
			}
			if was, ok := meaning[snap.Revision]; ok && was != content(got) {
				t.Fatalf("revision %s stands for %s and for %s", snap.Revision, was, content(got))
			}
			meaning[snap.Revision] = content(got)
		}
	})
}

func TestSnapshotIsNeverChanged(t *testing.T) {
	h := &history{rev: 1, tree: map[string]*mvccpb.KeyValue{}}
	m := mirror{prefix: "/datakit/"}
	m.replace(h.rev, h.list())
	if err := m.apply([]*mvccpb.Event{h.write("a", "1")}); err != nil {
		t.Fatal(err)
	}
	one, _ := m.snapshot()
	before := fmt.Sprint(one)
	if err := m.apply([]*mvccpb.Event{h.write("a", "2"), h.write("b", "2")}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.snapshot(); err != nil || fmt.Sprint(one) != before {
		t.Fatalf("%s became %v (%v)", before, one, err)
	}
}

// A watch could feed keys for ever; memory is bounded all the same.
func TestMirrorIsBounded(t *testing.T) {
	h := &history{rev: 1, tree: map[string]*mvccpb.KeyValue{}}
	m := mirror{prefix: "/datakit/"}
	m.replace(h.rev, h.list())
	value := strings.Repeat("x", store.MaxValue)
	var err error
	for n := 0; err == nil && n < 2*store.MaxTree/store.MaxValue; n++ {
		err = m.apply([]*mvccpb.Event{h.write(strconv.Itoa(n), value)})
	}
	if !errors.Is(err, errBound) {
		t.Fatalf("a tree twice the bound is taken: %v", err)
	}
	if err := bound(store.MaxEntries+1, 0); !errors.Is(err, errBound) {
		t.Fatalf("too many keys: %v", err)
	}
}
