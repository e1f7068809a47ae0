package rancher

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"datakit.dev/internal/store"
)

// The bounds of a tree while it is read, so that a small answer cannot make
// large keys: a long name above many leaves is in the key of each.
const (
	maxDepth = 100
	maxKey   = 1024
)

// A leaf is a value that is neither object nor array.
type leaf struct {
	key   string // empty for the value itself
	value string
	text  bool // it was a string
}

// A leafReader reads JSON piece by piece.
type leafReader struct {
	*json.Decoder

	count int
}

// readLeaves returns the keys of a tree. An answer that is a leaf itself has
// none: nothing is below it. Of two values for one key the first counts.
func readLeaves(body []byte) (map[string]store.Entry, error) {
	r := &leafReader{Decoder: json.NewDecoder(bytes.NewReader(body))}
	r.UseNumber()
	leaves, err := r.value(0)
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w: %w", store.ErrUnavailable, errAnswer, err)
	}
	entries := make(map[string]store.Entry, len(leaves))
	for _, l := range leaves {
		if _, double := entries[l.key]; l.key != "" && !double {
			entries[l.key] = store.Entry{Key: l.key, Value: l.value, Revision: store.RevisionOf(l.value)}
		}
	}
	return entries, nil
}

// end fails where something follows the tree.
func (r *leafReader) end() error {
	if _, err := r.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the tree")
	}
	return nil
}

func (r *leafReader) value(depth int) ([]leaf, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("over %d levels", maxDepth)
	}
	t, err := r.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return r.object(depth)
		}
		return r.array(depth)
	case string:
		return r.one(leaf{value: t, text: true})
	case json.Number:
		return r.one(leaf{value: t.String()})
	case bool:
		return r.one(leaf{value: strconv.FormatBool(t)})
	}
	return r.one(leaf{}) // null: a key that asks for nothing
}

func (r *leafReader) one(l leaf) ([]leaf, error) {
	if r.count++; r.count > store.MaxEntries {
		return nil, fmt.Errorf("over %d keys", store.MaxEntries)
	}
	return []leaf{l}, nil
}

func (r *leafReader) object(depth int) (out []leaf, err error) {
	for r.More() {
		name, err := r.Token()
		if err != nil {
			return nil, err
		}
		leaves, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if out, err = under(out, fmt.Sprint(name), leaves); err != nil {
			return nil, err
		}
	}
	_, err = r.Token() // the closing brace
	return out, err
}

// array names each element as the service does: by its name or uuid, where it is
// an object that has one which no other has, and otherwise by its place.
func (r *leafReader) array(depth int) (out []leaf, err error) {
	taken := map[string]bool{}
	for i := 0; r.More(); i++ {
		leaves, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		name := nameOf(leaves)
		if name == "" || taken[name] {
			name = strconv.Itoa(i)
		} else {
			taken[name] = true
		}
		if out, err = under(out, name, leaves); err != nil {
			return nil, err
		}
	}
	_, err = r.Token() // the closing bracket
	return out, err
}

// nameOf returns the name of an element.
func nameOf(leaves []leaf) string {
	for _, key := range []string{"name", "uuid"} {
		for _, l := range leaves {
			if l.key == key && l.text && l.value != "" {
				return l.value
			}
		}
	}
	return ""
}

// under appends leaves to out, as they are called below name. No key has a part
// without a name.
func under(out []leaf, name string, leaves []leaf) ([]leaf, error) {
	if name == "" {
		return out, nil
	}
	for _, l := range leaves {
		if len(name)+1+len(l.key) > maxKey {
			return nil, fmt.Errorf("a key of over %d bytes", maxKey)
		}
		if l.key == "" {
			l.key = name
		} else {
			l.key = name + "/" + l.key
		}
		out = append(out, l)
	}
	return out, nil
}
