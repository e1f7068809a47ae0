package spec

import (
	"strings"
	"time"
	"unicode/utf8"

	"datakit.dev/internal/diag"
)

// A Node is one TOML value with its place in the text.
type Node struct {
	Pos    diag.Position
	Keys   []Key  // of a table, in file order
	Items  []Node // of an array
	Scalar any    // string, int64, float64, bool, or a time as text; nil otherwise

	kind nodeKind
	text *string // the whole text, for the snippets of errors
}

type nodeKind uint8

const (
	scalarNode nodeKind = iota
	tableNode
	arrayNode
	tablesNode // an array written with [[headers]], which later headers extend
)

// A Key is one entry of a table.
type Key struct {
	Name string
	Pos  diag.Position
	Node *Node
}

// Get returns the entry name of a table.
func (n *Node) Get(name string) (*Key, bool) {
	for i := range n.Keys {
		if n.Keys[i].Name == name {
			return &n.Keys[i], true
		}
	}
	return nil, false
}

// IsTable reports whether n is a table.
func (n *Node) IsTable() bool { return n.kind == tableNode }

// IsArray reports whether n is an array, written in brackets or with headers.
func (n *Node) IsArray() bool { return n.kind == arrayNode || n.kind == tablesNode }

// Describe names what n is, for errors: "a bool", "a table".
func (n *Node) Describe() string {
	switch n.kind {
	case tableNode:
		return "a table"
	case arrayNode, tablesNode:
		return "a list"
	case scalarNode:
	}
	switch n.Scalar.(type) {
	case bool:
		return "a bool"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case time.Time:
		return "a date"
	}
	return "a string"
}

// Parse reads TOML into a tree that knows its positions.
func Parse(src string) (*Node, diag.List) {
	if i := invalidUTF8(src); i >= 0 {
		return nil, diag.List{{Pos: diag.At(src, i), Message: "the text is not valid UTF-8"}}
	}
	b := &builder{src: src, root: &Node{kind: tableNode, Pos: diag.Position{Line: 1, Column: 1}, text: &src}, children: map[child]*Node{}, lastColumn: 1}
	b.lines = lineStarts(src)
	b.current = b.root
	if l := b.read(); len(l) > 0 {
		return nil, l
	}
	return b.root, nil
}

func invalidUTF8(s string) int {
	if utf8.ValidString(s) {
		return -1
	}
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return i
		}
	}
	return -1
}

func lineStarts(src string) []int {
	starts := []int{0}
	for i := range len(src) {
		if src[i] == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}
