package grok

import (
	"strings"
	"unicode/utf8"
)

// span is how far a run goes at most. ok is false where it is too short.
func (r *run) span(text string, at int) (end int, ok bool) {
	if r.max == 1 {
		next := r.set.step(text, at)
		return max(at, next), next >= 0 || r.min == 0
	}
	if r.max != unbounded {
		end, count := r.set.spanUpTo(text, at, r.max)
		return end, count >= r.min
	}
	end = r.set.span(text, at)
	if r.min <= 1 {
		return end, end-at >= r.min
	}
	_, ok = r.least(text, at)
	return end, ok
}

// least is the end of the shortest run.
func (r *run) least(text string, at int) (end int, ok bool) {
	end, count := r.set.spanUpTo(text, at, r.min)
	return end, count == r.min
}

// A possessiveNode takes the longest run and never gives back: what follows
// cannot begin with a member.
type possessiveNode struct {
	run
	next node
}

func (n *possessiveNode) match(m *machine, at int) bool {
	end, ok := n.span(m.text, at)
	m.scanned(end - at)
	return ok && n.next.match(m, end)
}

// A capturedNode is a possessiveNode with its group, the most common of all.
type capturedNode struct {
	run
	slot int
	next node
}

func (n *capturedNode) match(m *machine, at int) bool {
	end, ok := n.span(m.text, at)
	m.scanned(end - at)
	if !ok {
		return false
	}
	span := &m.spans[n.slot]
	before := *span
	*span = Span{at, end}
	if n.next.match(m, end) {
		return true
	}
	*span = before
	return false
}

// A greedyNode takes the longest run and gives back until the rest matches.
type greedyNode struct {
	run
	ahead *[endOfText + 1]bool
	// ascii is set where the rest begins with no byte beyond ASCII: a place
	// where it can begin is then also a place where a character begins.
	ascii bool
	next  node
}

func newGreedyNode(r run, follow ahead, next node) *greedyNode {
	first := follow[r.within()]
	wide := symbolsWhere(func(symbol int) bool { return symbol >= utf8.RuneSelf && symbol != endOfText })
	return &greedyNode{run: r, ahead: first.table(), ascii: !first.overlaps(wide), next: next}
}

func (n *greedyNode) match(m *machine, at int) bool {
	end, ok := n.span(m.text, at)
	m.scanned(end - at)
	if !ok {
		return false
	}
	low := at
	if n.min > 0 {
		low, _ = n.least(m.text, at)
	}
	if !n.ahead[m.symbol(end)] {
		end = n.giveBack(m.text, low, end)
	}
	for end >= 0 {
		if n.next.match(m, end) {
			return true
		}
		if !m.spend(1) {
			return false
		}
		end = n.giveBack(m.text, low, end)
	}
	return false
}

// giveBack returns the last position before end where the rest can begin, or
// -1 if there is none.
func (n *greedyNode) giveBack(text string, low, end int) int {
	if n.ascii {
		return n.giveBackBytes(text[low:end], low)
	}
	for end > low {
		end = stepBack(text, end)
		if n.ahead[text[end]] {
			return end
		}
	}
	return -1
}

func (n *greedyNode) giveBackBytes(taken string, low int) int {
	for i := len(taken) - 1; i >= 0; i-- {
		if n.ahead[taken[i]] {
			return low + i
		}
	}
	return -1
}

// A lazyNode takes the shortest run and takes more until the rest matches.
type lazyNode struct {
	run
	ahead *[endOfText + 1]bool
	next  node
}

func (n *lazyNode) match(m *machine, at int) bool {
	end, ok := n.least(m.text, at)
	for count := n.min; ok && count != n.max; count++ {
		if n.tryAt(m, end) {
			return true
		}
		next := n.set.step(m.text, end)
		if next < 0 || m.exhausted() {
			m.scanned(end - at)
			return false
		}
		end = next
	}
	m.scanned(end - at)
	return ok && n.tryAt(m, end)
}

func (n *lazyNode) tryAt(m *machine, end int) bool {
	return n.ahead[m.symbol(end)] && m.spend(1) && n.next.match(m, end)
}

// A lazyToNode is a lazyNode without bounds that one byte only can end: it
// leaps from one such byte to the next.
type lazyToNode struct {
	stop int // what the run cannot cross, or -1
	want byte
	next node
}

func (n *lazyToNode) match(m *machine, at int) bool {
	for {
		leap := strings.IndexByte(m.text[at:], n.want)
		if leap < 0 {
			m.scanned(len(m.text) - at)
			return false
		}
		m.scanned(leap)
		if n.stop >= 0 && strings.IndexByte(m.text[at:at+leap], byte(n.stop)) >= 0 {
			return false
		}
		at += leap
		if n.next.match(m, at) {
			return true
		}
		if int(n.want) == n.stop || !m.spend(1) {
			return false
		}
		at++
	}
}
