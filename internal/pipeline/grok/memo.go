package grok

import "slices"

const (
	// rememberAfter is how many steps a match takes before failures are worth
	// remembering: most lines match, or fail, long before.
	rememberAfter = 128

	// maxRemembered bounds the text for which failures are remembered, and so
	// the memory: a bit for each of its bytes at each memoNode.
	maxRemembered = 256 << 10
)

// A memoNode stands where ways to match part: whatever way led to it, from the
// same position the rest fails again. It saves a line that fails near its end
// from being read as often as there are ways to read its begin.
type memoNode struct {
	slot int
	next node
}

func (n *memoNode) match(m *machine, at int) bool {
	if m.remembering && m.failed(n.slot, at) {
		return false
	}
	if n.next.match(m, at) {
		return true
	}
	if m.remembering || m.startRemembering() {
		m.remember(n.slot, at)
	}
	return false
}

// memories are the positions that each memoNode failed at, as bits.
type memories struct {
	remembering bool
	patience    int // steps before remembering begins
	slots       int
	words       int // of each slot
	bits        []uint64
}

func (m *machine) startRemembering() bool {
	if m.budget-m.steps < m.patience || len(m.text) > maxRemembered {
		return false
	}
	m.remembering = true
	m.words = len(m.text)/64 + 1
	size := m.slots * m.words
	if cap(m.bits) < size {
		m.bits = make([]uint64, size)
	}
	m.bits = m.bits[:size]
	clear(m.bits)
	return true
}

func (m *memories) failed(slot, at int) bool {
	return m.bits[slot*m.words+at/64]>>(at%64)&1 != 0
}

func (m *memories) remember(slot, at int) {
	m.bits[slot*m.words+at/64] |= 1 << (at % 64)
}

// buildRoot builds the expression itself, with a memoNode after each part of it
// that can match in several ways, and after the first one, since it can match
// from several positions.
func buildRoot(b *builder, e expr) node {
	s, ok := e.(sequence)
	if !ok {
		s.parts = []expr{e}
	}
	var next node = matched{}
	follow := anything()
	first := slices.IndexFunc(s.parts, func(part expr) bool { return !fixedWidth(part) })
	for i, part := range slices.Backward(s.parts) {
		forks := i == first || !fixedWidth(part) && !oneWay(part, follow)
		if forks && i < len(s.parts)-1 {
			next = &memoNode{b.memos, next}
			b.memos++
		}
		next = part.build(b, next, follow)
		follow = part.outlooks().before(follow)
	}
	return next
}

// fixedWidth reports whether a part obviously always takes as much.
func fixedWidth(e expr) bool {
	switch e := e.(type) {
	case literal, assertion:
		return true
	case run:
		return e.min == e.max
	default:
		return false
	}
}

// oneWay reports whether a part obviously ends in one place only.
func oneWay(e expr, follow ahead) bool {
	if g, ok := e.(group); ok {
		e = g.body
	}
	r, ok := e.(run)
	return ok && r.possessive(follow)
}
