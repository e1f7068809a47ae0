package spec

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"datakit.dev/internal/diag"
)

// maxDepth bounds nested tables, arrays and dotted keys. Configuration is a few
// levels deep; a value of a hundred thousand brackets is an attack on the stack.
const maxDepth = 32

// maxKeys and maxItems bound one table and one list: the decoder looks through
// all keys before each further one, so that a megabyte of keys would take it
// minutes.
const (
	maxKeys  = 1000
	maxItems = 10_000
)

// A Node is one TOML value with its place in the text.
type Node struct {
	Pos    diag.Position
	Keys   []Key  // of a table, in file order
	Items  []Node // of an array
	Scalar any    // string, int64, float64, bool, or a time as text; nil otherwise

	kind nodeKind
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
	b := &builder{src: src, root: &Node{kind: tableNode, Pos: diag.Position{Line: 1, Column: 1}}}
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

type builder struct {
	src     string
	lines   []int
	parser  unstable.Parser
	root    *Node
	current *Node
	crowded *diag.Position // the first key or item over the bound

	// The last position asked for: a megabyte on one line would otherwise be
	// counted from its start for each of its values.
	lastOff int
	last    diag.Position
}

// read validates src and builds the tree. The position-keeping parser comes
// first because it lets us refuse deep nesting before the full decoder, which
// checks everything else (duplicate keys, redefined tables), recurses into it.
func (b *builder) read() diag.List {
	b.parser.Reset([]byte(b.src))
	var tree diag.List
	for tree == nil && b.parser.NextExpression() {
		tree = b.expression(b.parser.Expression())
		if b.crowded != nil {
			return diag.List{{Pos: *b.crowded, Message: tooMany}}
		}
	}
	if tree != nil && tree[0].Message == tooDeep {
		return tree
	}
	var discard map[string]any
	if err := toml.Unmarshal([]byte(b.src), &discard); err != nil {
		return b.decodeError(err)
	}
	if err := b.parser.Error(); err != nil {
		return diag.List{{Message: "not valid TOML: " + err.Error()}}
	}
	return tree
}

func (b *builder) decodeError(err error) diag.List {
	d := diag.Diagnostic{Message: "not valid TOML: " + strings.TrimPrefix(err.Error(), "toml: ")}
	if de, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, col := de.Position()
		d.Pos = diag.Position{Line: row, Column: col}
		d.Snippet = RedactLine(diag.Line(b.src, row))
	}
	return diag.List{d}
}

const tooDeep = "nested too deep: at most 32 levels of tables, lists and dotted keys are taken"
const tooMany = "too many: at most 1000 keys in one table and 10000 items in one list are taken"

func (b *builder) pos(r unstable.Range) diag.Position {
	off := int(r.Offset)
	line, exact := slices.BinarySearch(b.lines, off)
	if !exact {
		line--
	}
	from, column := b.lines[line], 1
	if b.last.Line == line+1 && b.lastOff <= off {
		from, column = b.lastOff, b.last.Column
	}
	b.lastOff, b.last = off, diag.Position{Line: line + 1, Column: column + utf8.RuneCountInString(b.src[from:off])}
	return b.last
}

func (b *builder) expression(e *unstable.Node) diag.List {
	switch e.Kind { //nolint:exhaustive // an expression is one of these three; comments are not kept
	case unstable.KeyValue:
		return b.keyValue(b.current, e, 1)
	case unstable.Table:
		keys, l := b.keyPath(e.Key())
		if l != nil {
			return l
		}
		b.current = b.child(b.root, keys, tableNode)
	case unstable.ArrayTable:
		keys, l := b.keyPath(e.Key())
		if l != nil {
			return l
		}
		b.current = b.child(b.root, keys, tablesNode)
	}
	if b.current == nil {
		return diag.List{{Message: "not valid TOML: a key is defined twice"}}
	}
	return nil
}

func (b *builder) keyPath(it unstable.Iterator) ([]Key, diag.List) {
	var keys []Key
	for it.Next() {
		n := it.Node()
		keys = append(keys, Key{Name: string(n.Data), Pos: b.pos(n.Raw)})
		if len(keys) > maxDepth {
			return nil, diag.List{{Pos: keys[0].Pos, Message: tooDeep}}
		}
	}
	return keys, nil
}

func (b *builder) add(n *Node, k Key) *Key {
	n.Keys = append(n.Keys, k)
	b.bound(len(n.Keys), maxKeys, k.Pos)
	return &n.Keys[len(n.Keys)-1]
}

func (b *builder) bound(n, most int, at diag.Position) {
	if n > most && b.crowded == nil {
		b.crowded = &at
	}
}

// child walks to the table that a header or a dotted key names, making what is
// missing. It returns nil where the text redefines something, which the full
// decoder reports with its place.
func (b *builder) child(n *Node, path []Key, last nodeKind) *Node {
	for i, k := range path {
		kind := tableNode
		if i == len(path)-1 {
			kind = last
		}
		have, ok := n.Get(k.Name)
		if !ok {
			have = b.add(n, Key{k.Name, k.Pos, &Node{Pos: k.Pos, kind: kind}})
		}
		switch {
		case have.Node.kind == tablesNode:
			if kind == tablesNode {
				have.Node.Items = append(have.Node.Items, Node{Pos: k.Pos, kind: tableNode})
				b.bound(len(have.Node.Items), maxItems, k.Pos)
			}
			n = &have.Node.Items[len(have.Node.Items)-1]
		case have.Node.kind == tableNode && kind == tableNode:
			n = have.Node
		default:
			return nil
		}
	}
	return n
}

func (b *builder) keyValue(table *Node, e *unstable.Node, depth int) diag.List {
	path, l := b.keyPath(e.Key())
	if l != nil {
		return l
	}
	last := path[len(path)-1]
	table = b.child(table, path[:len(path)-1], tableNode)
	v, l := b.value(e.Value(), last.Pos, depth+len(path))
	if l != nil {
		return l
	}
	if table == nil {
		return diag.List{{Pos: last.Pos, Message: "not valid TOML: a key is defined twice"}}
	}
	b.add(table, Key{last.Name, last.Pos, &v})
	return nil
}

func (b *builder) value(n *unstable.Node, at diag.Position, depth int) (Node, diag.List) {
	if n.Raw.Length > 0 {
		at = b.pos(n.Raw)
	}
	out := Node{Pos: at}
	if depth > maxDepth {
		return out, diag.List{{Pos: at, Message: tooDeep}}
	}
	switch n.Kind { //nolint:exhaustive // the other kinds are no values
	case unstable.InlineTable:
		out.kind = tableNode
		for it := n.Children(); it.Next(); {
			if l := b.keyValue(&out, it.Node(), depth); l != nil {
				return out, l
			}
		}
	case unstable.Array:
		out.kind = arrayNode
		for it := n.Children(); it.Next(); {
			v, l := b.value(it.Node(), at, depth+1)
			if l != nil {
				return out, l
			}
			out.Items = append(out.Items, v)
			b.bound(len(out.Items), maxItems, v.Pos)
		}
	default:
		v, err := scalar(n)
		if err != nil {
			return out, diag.List{{Pos: at, Message: err.Error()}}
		}
		out.Scalar = v
	}
	return out, nil
}

func scalar(n *unstable.Node) (any, error) {
	switch n.Kind { //nolint:exhaustive // value handles tables and arrays, the rest are dates
	case unstable.String:
		return string(n.Data), nil
	case unstable.Bool:
		return n.Data[0] == 't', nil
	case unstable.Integer:
		v, err := strconv.ParseInt(string(bytes.ReplaceAll(n.Data, []byte("_"), nil)), 0, 64)
		if err != nil {
			return nil, fmt.Errorf("the integer does not fit 64 bits")
		}
		return v, nil
	case unstable.Float:
		v, err := strconv.ParseFloat(string(bytes.ReplaceAll(n.Data, []byte("_"), nil)), 64)
		if err != nil {
			return nil, fmt.Errorf("the float is out of range")
		}
		return v, nil
	}
	// A date is nothing that a field takes; its type is enough for the error.
	return time.Time{}, nil
}
