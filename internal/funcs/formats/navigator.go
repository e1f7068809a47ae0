package formats

import (
	"github.com/antchfx/xmlquery"
	"github.com/antchfx/xpath"

	"datakit.dev/internal/pipeline/fn"
)

// A meter charges a run for the steps through a document. An expression such as
// //a//a//a takes more of them than the document has nodes, by powers, and the
// library would take them all.
type meter struct {
	r      *fn.Run
	growth int // how much longer the expression may make a text
	err    error
}

// steps charges n steps. Over the limit it leaves the library the only way
// there is: it panics, and first contains that.
func (m *meter) steps(n int) {
	if m.err = m.r.Step(n); m.err != nil {
		panic(m.err)
	}
}

// A navigator walks through a document, at a charge.
type navigator struct {
	xmlquery.NodeNavigator
	m *meter
}

// text returns what a script gets of the node.
func (n *navigator) text() string {
	if n.NodeType() == xpath.AttributeNode {
		return n.NodeNavigator.Value()
	}
	return n.Current().InnerText()
}

// Value returns the text of the node.
func (n *navigator) Value() string {
	s := n.NodeNavigator.Value()
	n.m.steps(1 + len(s)*n.m.growth/8)
	if n.m.err = n.m.r.Alloc(len(s) * n.m.growth); n.m.err != nil {
		panic(n.m.err)
	}
	return s
}

// String returns the text of the node.
func (n *navigator) String() string { return n.Value() }

// Copy returns another navigator at the same node.
func (n *navigator) Copy() xpath.NodeNavigator {
	n.m.steps(2)
	other := *n
	return &other
}

// MoveTo moves to the node of another navigator.
func (n *navigator) MoveTo(other xpath.NodeNavigator) bool {
	to, ok := other.(*navigator)
	return ok && n.NodeNavigator.MoveTo(&to.NodeNavigator)
}

// MoveToChild moves to the first child.
func (n *navigator) MoveToChild() bool {
	n.m.steps(1)
	return n.NodeNavigator.MoveToChild()
}

// MoveToParent moves to the parent.
func (n *navigator) MoveToParent() bool {
	n.m.steps(1)
	return n.NodeNavigator.MoveToParent()
}

// MoveToNext moves to the next sibling.
func (n *navigator) MoveToNext() bool {
	n.m.steps(1)
	return n.NodeNavigator.MoveToNext()
}

// MoveToPrevious moves to the sibling before.
func (n *navigator) MoveToPrevious() bool {
	n.m.steps(1)
	return n.NodeNavigator.MoveToPrevious()
}

// MoveToNextAttribute moves to the next attribute.
func (n *navigator) MoveToNextAttribute() bool {
	n.m.steps(1)
	return n.NodeNavigator.MoveToNextAttribute()
}

// MoveToFirst moves to the first sibling, by way of all that are before.
func (n *navigator) MoveToFirst() bool {
	before := 1
	for at := n.Current().PrevSibling; at != nil; at = at.PrevSibling {
		before++
	}
	n.m.steps(before)
	return n.NodeNavigator.MoveToFirst()
}
