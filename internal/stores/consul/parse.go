package consul

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"datakit.dev/internal/store"
)

// A pair is one key as Consul writes it.
type pair struct {
	Key         string
	Value       []byte // base64 in JSON; null where it is empty
	ModifyIndex uint64
}

// parse reads the answer to a list of root. It decodes key by key: three bytes of
// a hostile answer are one element of a slice, which would take twenty times the
// memory before anything could be counted.
func parse(body []byte, root string) (map[string]store.Entry, error) {
	foreign := func(what any) error { return fmt.Errorf("%w: %w: %v", store.ErrUnavailable, errForeign, what) }
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, foreign("no list")
	}
	out := map[string]store.Entry{}
	for d.More() {
		var p pair
		if err := d.Decode(&p); err != nil {
			return nil, foreign(err)
		}
		key, ok := strings.CutPrefix(p.Key, root)
		switch {
		case !ok:
			return nil, foreign("it has a key outside of the root")
		case p.isFolder():
			continue
		case len(out) > store.MaxEntries:
			return nil, fmt.Errorf("%w: the tree has over %d keys", store.ErrUnavailable, store.MaxEntries)
		}
		out[key] = entryOf(key, p)
	}
	if _, err := d.Token(); err != nil {
		return nil, foreign(err)
	}
	return out, nil
}

// isFolder reports whether p only makes a folder show up in the console of
// Consul. The root itself is one.
func (p pair) isFolder() bool { return strings.HasSuffix(p.Key, "/") && len(p.Value) == 0 }

func entryOf(key string, p pair) store.Entry {
	return store.Entry{Key: key, Value: string(p.Value), Revision: revisionOf(p)}
}

func revisionOf(p pair) store.Revision {
	return store.Revision(strconv.FormatUint(p.ModifyIndex, 10))
}
