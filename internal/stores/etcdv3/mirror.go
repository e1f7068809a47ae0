package etcdv3

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"

	"datakit.dev/internal/store"
)

// errBound marks a tree that is over the bounds of package store.
var errBound = errors.New("the tree is too big")

// A mirror is our copy of the tree at one revision.
type mirror struct {
	prefix  string
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

// entryOf returns the entry of kv. Of a value that is too large only its size is
// kept.
func entryOf(prefix string, kv *mvccpb.KeyValue) store.Entry {
	e := store.Entry{
		Key:      strings.TrimPrefix(string(kv.Key), prefix),
		Revision: store.Revision(strconv.FormatInt(kv.ModRevision, 10)),
	}
	if len(kv.Value) > store.MaxValue {
		e.TooLarge = len(kv.Value)
	} else {
		e.Value = string(kv.Value)
	}
	return e
}

// replace takes a listed tree.
func (m *mirror) replace(rev int64, entries map[string]store.Entry) {
	same := m.label != "" && maps.Equal(m.entries, entries)
	if rev < m.high || rev == m.high && !same && m.label != "" {
		m.epoch++
	}
	m.high = rev
	if same {
		return
	}
	m.entries, m.size = entries, 0
	for _, e := range entries {
		m.size += len(e.Key) + len(e.Value)
	}
	m.relabel()
}

// apply takes the events of a watch, which are whole revisions in order.
func (m *mirror) apply(events []*mvccpb.Event) error {
	for _, ev := range events {
		e := entryOf(m.prefix, ev.Kv)
		if old, ok := m.entries[e.Key]; ok {
			m.size -= len(old.Key) + len(old.Value)
			delete(m.entries, e.Key)
		}
		if ev.Type == mvccpb.Event_PUT {
			m.entries[e.Key] = e
			m.size += len(e.Key) + len(e.Value)
		}
		m.high = ev.Kv.ModRevision
	}
	m.relabel()
	return bound(len(m.entries), m.size)
}

func (m *mirror) relabel() {
	m.made = nil
	m.label = store.Revision(strconv.FormatInt(m.high, 10))
	if m.epoch > 0 {
		m.label += store.Revision("." + strconv.Itoa(m.epoch))
	}
}

// bound fails for a tree that no snapshot would take.
func bound(keys, size int) error {
	switch {
	case keys > store.MaxEntries:
		return fmt.Errorf("%w: over %d keys", errBound, store.MaxEntries)
	case size > store.MaxTree:
		return fmt.Errorf("%w: over %d bytes", errBound, store.MaxTree)
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
