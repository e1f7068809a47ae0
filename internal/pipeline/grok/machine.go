package grok

// A machine is the state of one match.
type machine struct {
	text  string
	spans []Span
	// steps is what is left of the budget; below zero the match is given up.
	steps, budget int
	// depth counts the nodes of open loop turns, each a frame of the stack.
	depth int
	memories
}

// begin readies a machine, which may have served before, for a text.
func (m *machine) begin(text string) {
	m.text = text
	m.budget = min(stepsBase+stepsPerByte*len(text), maxSteps)
	m.steps = m.budget
	m.depth = 0
	m.remembering = false
	for i := range m.spans {
		m.spans[i] = Span{-1, -1}
	}
}

const (
	// A match may take stepsBase steps and stepsPerByte more for each byte. Past
	// that the expression is one that backtracking is bad at, and package regexp
	// takes over. It then has cost about as much as regexp takes itself.
	stepsBase    = 4096
	stepsPerByte = 64
	// maxSteps bounds it for a text of any length, to some 20 ms.
	maxSteps = 4 << 20

	// maxDepth bounds the stack of a match to a few megabytes.
	maxDepth = 1 << 15

	// bytesPerStep is how much text is scanned at the price of one step.
	bytesPerStep = 16
)

// spend takes steps from the budget and reports whether any is left.
func (m *machine) spend(steps int) bool {
	m.steps -= steps
	return m.steps >= 0
}

// scanned charges for the scan of a run.
func (m *machine) scanned(bytes int) { m.steps -= bytes / bytesPerStep }

func (m *machine) exhausted() bool { return m.steps < 0 }

func (m *machine) exhaust() { m.steps = -1 }

// symbol returns what is next at a position.
func (m *machine) symbol(at int) int {
	if at < len(m.text) {
		return int(m.text[at])
	}
	return endOfText
}

// A node matches one part of an expression at a position, then the rest of it
// through the nodes that follow. It reports whether the whole rest matched;
// where it did not, the captures are as they were.
type node interface {
	match(m *machine, at int) bool
}

// matched ends every chain of nodes.
type matched struct{}

func (matched) match(*machine, int) bool { return true }

// unmatched is the node of an expression that matches nowhere.
type unmatched struct{}

func (unmatched) match(*machine, int) bool { return false }
