package spec

import (
	"bytes"
	"errors"
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

// maxKeys bounds the keys and headers of one text. The full decoder compares
// each with its siblings: a megabyte of them would keep it busy for a minute.
const maxKeys = 10_000

// maxItems bounds the elements of all lists: each costs a hundred bytes.
const maxItems = 100_000

type builder struct {
	src     string
	lines   []int
	parser  unstable.Parser
	root    *Node
	current *Node
	keys    int // read so far
	items   int // read so far
	keyEnd  int // offset behind the last one

	// Where the last place was, so that a megabyte on one line is counted once.
	lastLine, lastOff, lastColumn int

	// What is read, by parent and name: a scan of the parent's keys for each header
	// would cost the square of their number.
	children map[child]*Node
}

type child struct {
	parent *Node
	name   string
}

// read validates src and builds the tree. The position-keeping parser comes
// first because it lets us refuse deep nesting before the full decoder, which
// checks everything else (duplicate keys, redefined tables), recurses into it.
func (b *builder) read() diag.List {
	b.parser.Reset([]byte(b.src))
	var tree diag.List
	for tree == nil && b.parser.NextExpression() {
		tree = b.expression(b.parser.Expression())
	}
	if tree != nil && slices.Contains([]string{tooDeep, tooMany, tooLong}, tree[0].Message) {
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
	// The decoder quotes a key, of any length, and behind "strconv" a value.
	message, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "toml: "), ": strconv.")
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	d := diag.Diagnostic{Message: "not valid TOML: " + message}
	if de, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, col := de.Position() // the column counts bytes
		if row >= 1 && row <= len(b.lines) {
			d.Pos = diag.At(b.src, b.lines[row-1]+max(col, 1)-1)
		}
		d.Snippet = b.snippet(row)
	}
	return diag.List{d}
}

// snippet returns a line without secrets, nothing of it where it lies inside a
// string of several lines: nobody knows what that holds.
func (b *builder) snippet(row int) string {
	if row < 1 || row > len(b.lines) {
		return ""
	}
	head := b.src[:b.lines[row-1]]
	if strings.Count(head, `"""`)%2 == 1 || strings.Count(head, "'''")%2 == 1 {
		return Hidden
	}
	return RedactLine(diag.Line(b.src, row))
}

const maxMessage = 200

const (
	tooDeep = "nested too deep: at most 32 levels of tables, lists and dotted keys are taken"
	tooMany = "too many keys: at most 10000 keys and headers are taken"
	tooLong = "too many list elements: at most 100000 are taken"
)

func (b *builder) pos(r unstable.Range) diag.Position {
	off := int(r.Offset)
	line, exact := slices.BinarySearch(b.lines, off)
	if !exact {
		line--
	}
	if line != b.lastLine || off < b.lastOff {
		b.lastLine, b.lastOff, b.lastColumn = line, b.lines[line], 1
	}
	b.lastColumn += utf8.RuneCountInString(b.src[b.lastOff:off])
	b.lastOff = off
	return diag.Position{Line: line + 1, Column: b.lastColumn}
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
		b.current = b.walk(b.root, keys, tableNode)
	case unstable.ArrayTable:
		keys, l := b.keyPath(e.Key())
		if l != nil {
			return l
		}
		b.current = b.walk(b.root, keys, tablesNode)
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
		b.keyEnd = int(n.Raw.Offset + n.Raw.Length)
		if len(keys) > maxDepth {
			return nil, diag.List{{Pos: keys[0].Pos, Message: tooDeep}}
		}
	}
	if b.keys++; b.keys > maxKeys {
		return nil, diag.List{{Pos: keys[0].Pos, Message: tooMany}}
	}
	return keys, nil
}

// walk goes to the table that a header or a dotted key names, making what is
// missing. It returns nil where the text redefines something, which the full
// decoder reports with its place.
func (b *builder) walk(n *Node, path []Key, last nodeKind) *Node {
	for i, k := range path {
		kind := tableNode
		if i == len(path)-1 {
			kind = last
		}
		at := child{n, k.Name}
		have, ok := b.children[at]
		if !ok {
			have = &Node{Pos: k.Pos, kind: kind, text: &b.src}
			n.Keys = append(n.Keys, Key{k.Name, k.Pos, have})
			b.children[at] = have
		}
		switch {
		case have.kind == tablesNode:
			if kind == tablesNode {
				have.Items = append(have.Items, Node{Pos: k.Pos, kind: tableNode, text: &b.src})
			}
			n = &have.Items[len(have.Items)-1]
		case have.kind == tableNode && kind == tableNode:
			n = have
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
	table = b.walk(table, path[:len(path)-1], tableNode)
	v, l := b.value(e.Value(), b.valuePos(), depth+len(path))
	if l != nil {
		return l
	}
	if table == nil {
		return diag.List{{Pos: last.Pos, Message: "not valid TOML: a key is defined twice"}}
	}
	table.Keys = append(table.Keys, Key{last.Name, last.Pos, &v})
	b.children[child{table, last.Name}] = &v
	return nil
}

// valuePos is where the value of the last key begins: behind the equals sign.
// The parser keeps no place of a list.
func (b *builder) valuePos() diag.Position {
	rest := b.src[b.keyEnd:]
	value := strings.TrimLeft(strings.TrimLeft(rest, " \t"), "= \t")
	return b.pos(unstable.Range{Offset: uint32(len(b.src) - len(value))})
}

func (b *builder) value(n *unstable.Node, at diag.Position, depth int) (Node, diag.List) {
	if n.Raw.Length > 0 {
		at = b.pos(n.Raw)
	}
	out := Node{Pos: at, text: &b.src}
	if depth > maxDepth {
		return out, diag.List{{Pos: at, Message: tooDeep}}
	}
	switch n.Kind {
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
			if b.items++; b.items > maxItems {
				return out, diag.List{{Pos: at, Message: tooLong}}
			}
			v, l := b.value(it.Node(), at, depth+1)
			if l != nil {
				return out, l
			}
			out.Items = append(out.Items, v)
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
			return nil, errors.New("the integer does not fit 64 bits")
		}
		return v, nil
	case unstable.Float:
		v, err := strconv.ParseFloat(string(bytes.ReplaceAll(n.Data, []byte("_"), nil)), 64)
		if err != nil {
			return nil, errors.New("the float is out of range")
		}
		return v, nil
	}
	// A date is nothing that a field takes; its type is enough for the error.
	return time.Time{}, nil
}
