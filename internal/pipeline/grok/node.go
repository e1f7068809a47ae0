package grok

import (
	"regexp/syntax"
	"strings"
)

type byteNode struct {
	want byte
	next node
}

func (n *byteNode) match(m *machine, at int) bool {
	return at < len(m.text) && m.text[at] == n.want && n.next.match(m, at+1)
}

type literalNode struct {
	want string
	next node
}

func (n *literalNode) match(m *machine, at int) bool {
	return strings.HasPrefix(m.text[at:], n.want) && n.next.match(m, at+len(n.want))
}

// charNode matches one character.
type charNode struct {
	set  *charset
	next node
}

func (n *charNode) match(m *machine, at int) bool {
	end := n.set.step(m.text, at)
	return end >= 0 && n.next.match(m, end)
}

// A fixedNode matches a fixed number of ASCII characters, one table each: what
// is left of dates and the like, which as a node for each cost twice as much.
type fixedNode struct {
	tables []*[256]bool
	next   node
}

func (n *fixedNode) match(m *machine, at int) bool {
	if len(m.text)-at < len(n.tables) {
		return false
	}
	for i, table := range n.tables {
		if !table[m.text[at+i]] {
			return false
		}
	}
	return n.next.match(m, at+len(n.tables))
}

type assertionNode struct {
	op   syntax.Op
	next node
}

func (n *assertionNode) match(m *machine, at int) bool {
	return holds(n.op, m.text, at) && n.next.match(m, at)
}

// holds reports whether an assertion is true at a position.
func holds(op syntax.Op, text string, at int) bool {
	switch op {
	case syntax.OpBeginText:
		return at == 0
	case syntax.OpEndText:
		return at == len(text)
	case syntax.OpBeginLine:
		return at == 0 || text[at-1] == '\n'
	case syntax.OpEndLine:
		return at == len(text) || text[at] == '\n'
	default: // syntax.OpWordBoundary, syntax.OpNoWordBoundary
		before := at > 0 && isWord(text[at-1])
		after := at < len(text) && isWord(text[at])
		return (before != after) == (op == syntax.OpWordBoundary)
	}
}

// openNode and shutNode stand on either side of a group.
type openNode struct {
	slot int
	body node
}

func (n *openNode) match(m *machine, at int) bool {
	span := &m.spans[n.slot]
	before := span.Start
	span.Start = at
	if n.body.match(m, at) {
		return true
	}
	span.Start = before
	return false
}

type shutNode struct {
	slot int
	next node
}

func (n *shutNode) match(m *machine, at int) bool {
	span := &m.spans[n.slot]
	before := span.End
	span.End = at
	if n.next.match(m, at) {
		return true
	}
	span.End = before
	return false
}
