package grok

// A choiceNode tries its ways in their order, but only those that the next
// symbol lets through. Mostly that is one, and nothing is left to come back to.
type choiceNode struct {
	look *[endOfText + 1]uint16 // by symbol, an index into ways
	ways [][]node
}

func (n *choiceNode) match(m *machine, at int) bool {
	ways := n.ways[n.look[m.symbol(at)]]
	if len(ways) == 1 {
		return ways[0].match(m, at)
	}
	for _, way := range ways {
		if !m.spend(1) {
			return false
		}
		if way.match(m, at) {
			return true
		}
	}
	return false
}

// A loopNode is the choice between one more turn and the way out.
type loopNode struct {
	choiceNode
	weight int // nodes in the body
}

func (n *loopNode) match(m *machine, at int) bool {
	m.depth += n.weight
	if m.depth > maxDepth {
		m.exhaust()
	}
	ok := m.spend(1) && n.choiceNode.match(m, at)
	m.depth -= n.weight
	return ok
}
