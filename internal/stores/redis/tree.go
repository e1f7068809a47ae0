package redis

import (
	"strconv"
	"strings"

	"datakit.dev/internal/store"
)

// The kinds of value that are told apart.
const (
	kindNone   = "none"
	kindString = "string"
	kindHash   = "hash"
)

// A value is what one name holds: a string is one entry, a hash one for each of
// its fields.
type value struct {
	kind    string
	entries map[string]store.Entry // by key
}

// A tree is what Redis holds, by name.
type tree map[string]value

// entryOf returns the entry of a string of the server. Of one that is too large
// only the size is known.
func entryOf(key string, r reply) store.Entry {
	e := store.Entry{Key: key, Value: r.text, Revision: revisionOf(r)}
	e.TooLarge = r.size
	return e
}

// revisionOf returns the revision of a value: Redis counts none, so that its
// content stands for it.
func revisionOf(r reply) store.Revision {
	if r.size > 0 {
		return store.Revision(strconv.Itoa(r.size) + "B")
	}
	return store.RevisionOf(r.text)
}

// stringOf returns what a string at name stands for; nothing where name is none
// of ours.
func (n names) stringOf(name string, r reply) value {
	v := value{kind: kindString}
	if key, ok := n.key(name); ok && !r.null {
		v.entries = map[string]store.Entry{key: entryOf(key, r)}
	}
	return v
}

// hashOf returns what a hash at name stands for: its fields are sub-keys. r is
// the list of fields and values.
func (n names) hashOf(name string, r reply) value {
	v := value{kind: kindHash, entries: map[string]store.Entry{}}
	folder, ok := n.key(name)
	if !ok && name != n.root {
		return v
	}
	for i := 0; i+1 < len(r.items); i += 2 {
		field, ok := n.decode(r.items[i].text)
		if !ok || r.items[i].size > 0 {
			continue
		}
		key := strings.TrimPrefix(folder+"/"+field, "/")
		v.entries[key] = entryOf(key, r.items[i+1])
	}
	return v
}

// merge takes new values, and returns what that changes in the keys. A value of
// kind none takes the name away.
func (t tree) merge(n names, values tree) (set []store.Entry, removed []string) {
	touched := map[string]bool{}
	for name, v := range values {
		for key := range t[name].entries {
			touched[key] = true
		}
		for key := range v.entries {
			touched[key] = true
		}
		if v.kind == kindString || v.kind == kindHash {
			t[name] = v
		} else {
			delete(t, name)
		}
	}
	for key := range touched {
		if e, ok := t.get(n, key); ok {
			set = append(set, e)
		} else {
			removed = append(removed, key)
		}
	}
	return set, removed
}

// get returns the entry of key. A string comes before a field of a hash, and the
// hash that is nearest before those above it.
func (t tree) get(n names, key string) (store.Entry, bool) {
	for folder := range above(key) {
		if e, ok := t[n.of(folder)].entries[key]; ok {
			return e, true
		}
	}
	return store.Entry{}, false
}

// above yields key and every folder above it, the root last.
func above(key string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for folder := key; folder != ""; {
			if !yield(folder) {
				return
			}
			folder = folder[:max(strings.LastIndexByte(folder, '/'), 0)]
		}
		yield("")
	}
}

// entries returns every key.
func (t tree) entries(n names) map[string]store.Entry {
	out := map[string]store.Entry{}
	for _, v := range t {
		for key := range v.entries {
			if e, ok := t.get(n, key); ok {
				out[key] = e
			}
		}
	}
	return out
}
