package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"datakit.dev/internal/store"
)

// maxTreeFile is the size of a JSON file that import takes: a tree of the largest
// size with every byte of it escaped or in base64 is below that.
const maxTreeFile = 2 * store.MaxTree

// treeFile is a whole tree in one file.
type treeFile struct {
	Root    string      `json:"root"` // where it was; import puts it below the root of its own store
	Entries []treeEntry `json:"entries"`
}

// treeEntry is one key. What is not UTF-8 is in base64.
type treeEntry struct {
	Key    *string `json:"key,omitempty"`
	Key64  []byte  `json:"key_base64,omitempty"`
	Text   *string `json:"value,omitempty"`
	Text64 []byte  `json:"value_base64,omitempty"`
}

func encodeTree(root string, entries []store.Entry) ([]byte, error) {
	out := treeFile{Root: root, Entries: make([]treeEntry, len(entries))}
	for i, e := range entries {
		to := &out.Entries[i]
		to.Key, to.Key64 = encodeText(e.Key)
		to.Text, to.Text64 = encodeText(e.Value)
	}
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the tree: %w", err)
	}
	return append(text, '\n'), nil
}

func encodeText(s string) (*string, []byte) {
	if utf8.ValidString(s) {
		return &s, nil
	}
	return nil, []byte(s)
}

// decodeTree reads what encodeTree has written.
func decodeTree(r io.Reader) ([]store.Entry, error) {
	limited := &io.LimitedReader{R: r, N: maxTreeFile}
	d := json.NewDecoder(limited)
	d.DisallowUnknownFields()
	var in treeFile
	err := d.Decode(&in)
	switch {
	case limited.N <= 0:
		return nil, fmt.Errorf("the file has more than %d bytes", maxTreeFile)
	case err != nil:
		return nil, fmt.Errorf("the file is none that `datakit confd export` writes: %w", err)
	case len(in.Entries) > store.MaxEntries:
		return nil, fmt.Errorf("the file holds %d keys, at most %d are taken", len(in.Entries), store.MaxEntries)
	}
	out, seen := make([]store.Entry, len(in.Entries)), map[string]bool{}
	for i, e := range in.Entries {
		key, kerr := decodeText(e.Key, e.Key64)
		value, verr := decodeText(e.Text, e.Text64)
		if err := errors.Join(kerr, verr); err != nil {
			return nil, fmt.Errorf("entry %d: key or value: %w", i+1, err)
		}
		if seen[key] {
			return nil, fmt.Errorf("entry %d: key %q is there twice", i+1, key)
		}
		seen[key] = true
		out[i] = store.Entry{Key: key, Value: value}
	}
	return out, nil
}

func decodeText(text *string, coded []byte) (string, error) {
	switch {
	case text != nil && coded != nil:
		return "", errors.New("it is given both as text and in base64")
	case text != nil:
		return *text, nil
	case coded != nil:
		return string(coded), nil
	}
	return "", errors.New("it is missing")
}
