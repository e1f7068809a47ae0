package etcd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"datakit.dev/internal/store"
)

// maxDepth bounds the folders in one another: a server's answer must not exhaust
// the stack.
const maxDepth = 1000

// A node is one key or one directory.
type node struct {
	Key           string `json:"key"`
	Value         string `json:"value"`
	Dir           bool   `json:"dir"`
	ModifiedIndex uint64 `json:"modifiedIndex"`
}

func (n node) entry(key string) store.Entry {
	return store.Entry{Key: key, Value: n.Value, Revision: revisionOf(n.ModifiedIndex)}
}

func revisionOf(index uint64) store.Revision { return store.Revision(strconv.FormatUint(index, 10)) }

// below returns what key is called below root, and whether it is there at all.
func below(root, key string) (string, bool) { return strings.CutPrefix(key, root+"/") }

var errAnswer = errors.New("the answer makes no sense")

// A treeReader reads a listed tree piece by piece: as one value, an answer of
// small nodes would take thirty times its size.
type treeReader struct {
	*json.Decoder

	root    string
	entries map[string]store.Entry
}

// readTree returns the keys of an answer. Directories are no keys. The tree ends
// with the first key over the bounds, for the copy to refuse.
func readTree(root string, body []byte) (map[string]store.Entry, error) {
	r := &treeReader{Decoder: json.NewDecoder(bytes.NewReader(body)), root: root, entries: map[string]store.Entry{}}
	found := false
	err := r.object(func(name string) error {
		if name != "node" {
			return r.skip()
		}
		found = true
		return r.node(0)
	})
	if err == nil {
		err = r.end()
	}
	switch {
	case errors.Is(err, errFull):
		return r.entries, nil
	case err != nil:
		return nil, fmt.Errorf("%w: %w: %w", store.ErrUnavailable, errAnswer, err)
	case !found:
		return nil, fmt.Errorf("%w: %w: it has no node", store.ErrUnavailable, errAnswer)
	}
	return r.entries, nil
}

var errFull = errors.New("too many keys")

// object calls field for each field of the object that comes next; field reads
// the value.
func (r *treeReader) object(field func(name string) error) error {
	if err := r.delim('{'); err != nil {
		return err
	}
	for r.More() {
		name, err := r.Token()
		if err != nil {
			return err
		}
		if err := field(fmt.Sprint(name)); err != nil {
			return err
		}
	}
	return r.delim('}')
}

// end fails where something follows the tree.
func (r *treeReader) end() error {
	if _, err := r.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the tree")
	}
	return nil
}

func (r *treeReader) delim(want json.Delim) error {
	t, err := r.Token()
	if err == nil && t != want {
		err = fmt.Errorf("expected %v", want)
	}
	return err
}

func (r *treeReader) skip() error { return r.Decode(new(json.RawMessage)) }

func (r *treeReader) node(depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("over %d folders in one another", maxDepth)
	}
	var n node
	err := r.object(func(name string) error {
		switch name {
		case "key":
			return r.Decode(&n.Key)
		case "value":
			return r.Decode(&n.Value)
		case "dir":
			return r.Decode(&n.Dir)
		case "modifiedIndex":
			return r.Decode(&n.ModifiedIndex)
		case "nodes":
			return r.nodes(depth + 1)
		}
		return r.skip()
	})
	if err != nil || n.Dir {
		return err
	}
	return r.add(n)
}

func (r *treeReader) nodes(depth int) error {
	if err := r.delim('['); err != nil {
		return err
	}
	for r.More() {
		if err := r.node(depth); err != nil {
			return err
		}
	}
	return r.delim(']')
}

func (r *treeReader) add(n node) error {
	key, ok := below(r.root, n.Key)
	switch {
	case n.Key == r.root:
		return nil // the root itself is a key: nothing is below it
	case !ok:
		return errors.New("it holds a key that nobody asked for")
	}
	r.entries[key] = n.entry(key)
	if len(r.entries) > store.MaxEntries {
		return errFull
	}
	return nil
}
