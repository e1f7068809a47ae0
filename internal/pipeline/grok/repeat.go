package grok

// build lays out a repetition as package regexp does: x{2,4} as xx(x(x)?)? and
// x{2,} as xx+, since which of two empty matches wins depends on it.
func (r repetition) build(b *builder, next node, follow ahead) node {
	copies := r.min
	if r.max == unbounded {
		next = r.buildLoop(b, next, follow)
		follow = r.outlooks().before(follow)
		copies = max(0, r.min-1)
	} else {
		next, follow = r.buildOptional(b, next, follow)
	}
	for range copies {
		if b.nodes > maxNodes {
			return next
		}
		next = r.body.build(b, next, follow)
		follow = r.body.outlooks().before(follow)
	}
	return next
}

// buildOptional builds the turns beyond the least, each within the one before.
func (r repetition) buildOptional(b *builder, out node, outside ahead) (node, ahead) {
	next, follow := out, outside
	for range r.max - r.min {
		if b.nodes > maxNodes {
			return next, follow
		}
		turn := way{r.body.build(b, next, follow), r.body.outlooks().before(follow)}
		choice := r.choice(b, turn, way{out, outside})
		next = &choice
		for i := range follow {
			follow[i] = turn.first[i].or(outside[i])
		}
	}
	return next, follow
}

// buildLoop builds x* or, where at least one turn must be, x+.
func (r repetition) buildLoop(b *builder, out node, outside ahead) node {
	if r.body.nullable() {
		b.unsupported = true
		return out
	}
	before := b.nodes
	loop := &loopNode{}
	follow := r.loopAhead(outside)
	turn := way{r.body.build(b, loop, follow), r.body.outlooks().before(follow)}
	loop.choiceNode = r.choice(b, turn, way{out, outside})
	loop.weight = b.nodes - before
	if r.min > 0 {
		return turn.node
	}
	return loop
}

// loopAhead is what can come after a turn: another turn or the way out.
func (r repetition) loopAhead(outside ahead) ahead {
	turn := r.body.outlooks().before(outside)
	for i := range turn {
		turn[i] = turn[i].or(outside[i]).or(r.body.outlooks()[i].own)
	}
	return turn
}

// choice is the one between a turn and the way out, the turn first unless lazy.
func (r repetition) choice(b *builder, turn, out way) choiceNode {
	if r.lazy {
		return b.choice([]way{out, turn})
	}
	return b.choice([]way{turn, out})
}
