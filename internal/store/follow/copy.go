package follow

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"datakit.dev/internal/store"
)

// ErrBound marks a tree that is over the bounds of package store.
var ErrBound = errors.New("the tree is too big")

// A Copy is what a source keeps complete during one call of Follow.
type Copy struct{ store *Store }

// Replace takes a listed tree, by key. rev is the server's revision, 0 where it
// has none. The content may be what is there already: then nobody is woken. A
// tree over the bounds is an error, which Follow has to return.
func (c *Copy) Replace(rev int64, entries map[string]store.Entry) (err error) {
	s := c.store
	s.change(func() {
		if err = s.mirror.replace(rev, entries); err != nil {
			return
		}
		now := time.Now()
		if !s.synced {
			s.synced, s.busy, s.err, s.tries = true, false, nil, s.tries+1
		}
		s.heard, s.listed = now, now
	})
	return err
}

// Apply takes what has changed since the last call, at the server's revision
// rev, 0 where it has none. A key is in set or in removed, not in both. A tree over the bounds is an error, which Follow has
// to return.
func (c *Copy) Apply(rev int64, set []store.Entry, removed []string) (err error) {
	s := c.store
	s.change(func() {
		err = s.mirror.apply(rev, set, removed)
		s.heard = time.Now()
	})
	return err
}

// Heard notes a sign of life: the copy is complete as of now.
func (c *Copy) Heard() {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	c.store.heard = time.Now()
}

// A mirror is our copy of the tree at one revision.
type mirror struct {
	entries map[string]store.Entry
	size    int

	// label names the content. It is the revision that changed it last, and not
	// that of the server, which moves with every key of everybody else. epoch
	// keeps labels apart when the server was set back to an older revision and
	// then reaches one again that we have already seen with other content.
	label store.Revision
	high  int64
	epoch int

	made *store.Snapshot // of the current content, nil where not yet built
}

// replace takes a listed tree.
func (m *mirror) replace(rev int64, entries map[string]store.Entry) error {
	size := 0
	for key, e := range entries {
		if len(e.Value) > store.MaxValue {
			e = trimmed(e)
			entries[key] = e
		}
		size += len(e.Key) + len(e.Value)
	}
	if err := Bound(len(entries), size); err != nil {
		return err
	}
	same := m.label != "" && maps.Equal(m.entries, entries)
	if rev < m.high || rev == m.high && !same && m.label != "" {
		m.epoch++
	}
	m.high = rev
	if !same {
		m.entries, m.size = entries, size
		m.relabel()
	}
	return nil
}

// apply takes the changes of one revision.
func (m *mirror) apply(rev int64, set []store.Entry, removed []string) error {
	moved := rev < m.high
	if moved {
		m.epoch++
	}
	for _, key := range removed {
		moved = m.drop(key) || moved
	}
	for _, e := range set {
		if len(e.Value) > store.MaxValue {
			e = trimmed(e)
		}
		if m.entries[e.Key] == e {
			continue
		}
		m.drop(e.Key)
		m.entries[e.Key] = e
		m.size += len(e.Key) + len(e.Value)
		moved = true
	}
	if rev == m.high && rev > 0 && moved {
		m.epoch++ // one revision was told in two parts
	}
	m.high = rev
	if moved {
		m.relabel()
	}
	return Bound(len(m.entries), m.size)
}

// drop removes a key and reports whether it was there.
func (m *mirror) drop(key string) bool {
	old, ok := m.entries[key]
	if ok {
		m.size -= len(old.Key) + len(old.Value)
		delete(m.entries, key)
	}
	return ok
}

// trimmed returns e with the size of its value only.
func trimmed(e store.Entry) store.Entry {
	e.TooLarge, e.Value = len(e.Value), ""
	return e
}

func (m *mirror) relabel() {
	m.made = nil
	if m.high == 0 {
		m.label = store.TreeRevision(m.entries)
		return
	}
	m.label = store.Revision(strconv.FormatInt(m.high, 10))
	if m.epoch > 0 {
		m.label += store.Revision("." + strconv.Itoa(m.epoch))
	}
}

// Bound fails for a tree of so many keys and bytes that no snapshot would take
// it, so that a source can stop its list in time. It wraps [ErrBound].
func Bound(keys, size int) error {
	switch {
	case keys > store.MaxEntries:
		return fmt.Errorf("%w: over %d keys", ErrBound, store.MaxEntries)
	case size > store.MaxTree:
		return fmt.Errorf("%w: over %d bytes", ErrBound, store.MaxTree)
	}
	return nil
}

// snapshot returns the content.
func (m *mirror) snapshot() (store.Snapshot, error) {
	if m.made == nil {
		s, err := store.NewSnapshot(m.label, slices.Collect(maps.Values(m.entries)))
		if err != nil {
			return store.Snapshot{}, err
		}
		m.made = &s
	}
	return *m.made, nil
}
