package grok

import "slices"

// maxNodes bounds a matcher; beyond it package regexp matches alone. A log
// line's pattern has some hundred nodes.
const maxNodes = 1 << 13

// A builder makes nodes from the end of an expression to its begin.
type builder struct {
	nodes int
	// unsupported is set by a loop whose body may match nothing, (a*|b)* say.
	// What regexp makes of it depends on the states that its threads share, so
	// only regexp can say. Hardly any pattern has one.
	unsupported bool
	looks       map[[endOfText + 1]uint16]*[endOfText + 1]uint16 // equal ones are kept once
	singles     map[byte]*[256]bool
	memos       int
}

func newBuilder() *builder {
	return &builder{
		looks:   map[[endOfText + 1]uint16]*[endOfText + 1]uint16{},
		singles: map[byte]*[256]bool{},
	}
}

// full counts a node and reports whether there are too many. What is built
// from there on is thrown away, so it only has to end soon.
func (b *builder) full() bool {
	b.nodes++
	return b.nodes > maxNodes
}

func (never) build(*builder, node, ahead) node { return unmatched{} }

func (l literal) build(b *builder, next node, _ ahead) node {
	if b.full() {
		return next
	}
	if len(l) > 1 {
		return &literalNode{string(l), next}
	}
	if fixed := b.fixed(b.single(l[0]), next); fixed != nil {
		return fixed
	}
	return &byteNode{l[0], next}
}

// maxFixed bounds a fixedNode: each character that joins copies the others.
const maxFixed = 32

// fixed joins an ASCII character to the node after it where that is another,
// and returns nil where it is not.
func (b *builder) fixed(first *[256]bool, next node) node {
	switch next := next.(type) {
	case *fixedNode:
		if len(next.tables) == maxFixed {
			return nil
		}
		return &fixedNode{slices.Insert(slices.Clone(next.tables), 0, first), next.next}
	case *byteNode:
		return &fixedNode{[]*[256]bool{first, b.single(next.want)}, next.next}
	case *charNode:
		if !next.set.wide {
			return &fixedNode{[]*[256]bool{first, &next.set.bytes}, next.next}
		}
	}
	return nil
}

// single returns the table that holds one byte.
func (b *builder) single(member byte) *[256]bool {
	table, ok := b.singles[member]
	if !ok {
		table = new([256]bool)
		table[member] = true
		b.singles[member] = table
	}
	return table
}

// buildOne builds a single character.
func (r run) buildOne(b *builder, next node) node {
	if !r.set.wide {
		if fixed := b.fixed(&r.set.bytes, next); fixed != nil {
			return fixed
		}
	}
	return &charNode{r.set, next}
}

func (a assertion) build(b *builder, next node, _ ahead) node {
	if b.full() {
		return next
	}
	return &assertionNode{a.op, next}
}

func (s sequence) build(b *builder, next node, follow ahead) node {
	for _, part := range slices.Backward(s.parts) {
		next = part.build(b, next, follow)
		follow = part.outlooks().before(follow)
	}
	return next
}

func (g group) build(b *builder, next node, follow ahead) node {
	if b.full() {
		return next
	}
	if r, ok := g.body.(run); ok && r.possessive(follow) {
		return &capturedNode{r, g.slot, next}
	}
	return &openNode{g.slot, g.body.build(b, &shutNode{g.slot, next}, follow)}
}

// possessive reports whether a run that gives back a member, or a lazy one that
// leaves one, can only fail: what follows cannot begin with it. After a run of
// word characters that holds for \b too, which is false between two of them.
func (r run) possessive(follow ahead) bool {
	return !r.set.first.overlaps(follow[r.within()])
}

// within is what is known to be before any position that the run can end at.
func (r run) within() int {
	if r.min > 0 && r.set.first.and(wordSymbols()) == r.set.first {
		return afterWord
	}
	return afterAny
}

func (r run) build(b *builder, next node, follow ahead) node {
	if b.full() {
		return next
	}
	switch {
	case r.min == 1 && r.max == 1:
		return r.buildOne(b, next)
	case r.possessive(follow):
		return &possessiveNode{r, next}
	case !r.lazy:
		return newGreedyNode(r, follow, next)
	}
	want, single := follow[afterAny].single()
	if single && r.min == 0 && r.max == unbounded && (r.set.all || r.set.stop >= 0) {
		return &lazyToNode{r.set.stop, want, next}
	}
	return &lazyNode{r, follow[afterAny].table(), next}
}
