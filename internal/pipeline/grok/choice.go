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

func (a alternation) build(b *builder, next node, follow ahead) node {
	ways := make([]way, len(a.branches))
	for i, branch := range a.branches {
		ways[i] = way{branch.build(b, next, follow), branch.outlooks().before(follow)}
	}
	choice := b.choice(ways)
	return &choice
}

// A way is one branch of a choice, and what it can begin with.
type way struct {
	node
	first ahead
}

// choice sorts the ways by the symbols that they can begin with.
func (b *builder) choice(ways []way) choiceNode {
	var choice choiceNode
	if b.full() {
		return choice
	}
	var look [endOfText + 1]uint16
	known := map[string]uint16{}
	viable := make([]byte, len(ways))
	for symbol := range look {
		for i := range ways {
			viable[i] = '0'
			if ways[i].first[afterAny].has(symbol) {
				viable[i] = '1'
			}
		}
		index, ok := known[string(viable)]
		if !ok {
			index = uint16(len(choice.ways))
			known[string(viable)] = index
			choice.ways = append(choice.ways, pick(ways, viable))
		}
		look[symbol] = index
	}
	choice.look = b.intern(look)
	return choice
}

func pick(ways []way, viable []byte) []node {
	var nodes []node
	for i, way := range ways {
		if viable[i] == '1' {
			nodes = append(nodes, way.node)
		}
	}
	return nodes
}

func (b *builder) intern(look [endOfText + 1]uint16) *[endOfText + 1]uint16 {
	if same, ok := b.looks[look]; ok {
		return same
	}
	b.looks[look] = &look
	return &look
}
