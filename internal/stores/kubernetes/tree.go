package kubernetes

import (
	"slices"
	"strings"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
)

// A tree is every object that bears the label, and the keys that they hold. A
// key that several objects hold is that of the first: Secrets before ConfigMaps,
// then by name, so that the order in which they came decides nothing.
type tree struct {
	objects map[ref]object
	holders map[string][]ref // of each key, the winner first
	entries int              // of all objects
	size    int              // bytes of them
}

func newTree() *tree { return &tree{objects: map[ref]object{}, holders: map[string][]ref{}} }

// put takes a new or changed object in and returns the keys that may have
// changed.
func (t *tree) put(o object) (keys []string, err error) {
	keys = t.remove(o.ref)
	t.objects[o.ref] = o
	for name, value := range o.values {
		key := o.key(name)
		at, _ := slices.BinarySearchFunc(t.holders[key], o.ref, compare)
		t.holders[key] = slices.Insert(t.holders[key], at, o.ref)
		t.entries++
		t.size += len(key) + len(value)
		keys = append(keys, key)
	}
	// What loses against another object takes memory, too.
	return keys, follow.Bound(max(t.entries, len(t.objects)), t.size)
}

// remove takes an object out and returns the keys that it held.
func (t *tree) remove(r ref) (keys []string) {
	o, ok := t.objects[r]
	if !ok {
		return nil
	}
	delete(t.objects, r)
	for name, value := range o.values {
		key := o.key(name)
		if left := slices.DeleteFunc(t.holders[key], func(h ref) bool { return h == r }); len(left) > 0 {
			t.holders[key] = left
		} else {
			delete(t.holders, key)
		}
		t.entries--
		t.size -= len(key) + len(value)
		keys = append(keys, key)
	}
	return keys
}

// entry returns what key stands for.
func (t *tree) entry(key string) (e store.Entry, ok bool) {
	holders := t.holders[key]
	if len(holders) == 0 {
		return store.Entry{}, false
	}
	o := t.objects[holders[0]]
	value := o.values[nameOf(o, key)]
	return store.Entry{Key: key, Value: value, Revision: store.RevisionOf(value)}, true
}

// entries returns all keys.
func (t *tree) all() map[string]store.Entry {
	out := make(map[string]store.Entry, len(t.holders))
	for key := range t.holders {
		out[key], _ = t.entry(key)
	}
	return out
}

// nameOf returns the name of the entry of o that key stands for.
func nameOf(o object, key string) string {
	if o.path == "" {
		return key
	}
	return strings.TrimPrefix(key, o.path+"/")
}

func compare(a, b ref) int {
	switch {
	case a == b:
		return 0
	case a.before(b):
		return -1
	}
	return 1
}
