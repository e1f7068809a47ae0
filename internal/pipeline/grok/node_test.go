package grok

import (
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
)

// endOf runs one node alone and returns where it ends, or -1.
func endOf(t *testing.T, build func(next node) node, text string, from int) int {
	t.Helper()
	m := &machine{spans: []Span{{-1, -1}}}
	m.begin(text)
	end := -1
	last := nodeFunc(func(_ *machine, at int) bool {
		end = at
		return true
	})
	if !build(last).match(m, from) {
		return -1
	}
	return end
}

type nodeFunc func(m *machine, at int) bool

func (f nodeFunc) match(m *machine, at int) bool { return f(m, at) }

func TestNodes(t *testing.T) {
	digit, notA := charsetOf(t, `\d`), charsetOf(t, "[^a]")
	ahead := allSymbols().table()
	for _, test := range []struct {
		name  string
		build func(next node) node
		text  string
		from  int
		want  int
	}{
		{"byte", func(n node) node { return &byteNode{'a', n} }, "ba", 1, 2},
		{"another byte", func(n node) node { return &byteNode{'a', n} }, "ba", 0, -1},
		{"no byte left", func(n node) node { return &byteNode{'a', n} }, "ba", 2, -1},
		{"literal", func(n node) node { return &literalNode{"ab", n} }, "xab", 1, 3},
		{"literal cut off", func(n node) node { return &literalNode{"ab", n} }, "xa", 1, -1},
		{"character", func(n node) node { return &charNode{notA, n} }, "éa", 0, 2},
		{"no character", func(n node) node { return &charNode{notA, n} }, "éa", 2, -1},
		{"row", func(n node) node { return &fixedNode{[]*[256]bool{&digit.bytes, &digit.bytes}, n} }, "12", 0, 2},
		{"row cut off", func(n node) node { return &fixedNode{[]*[256]bool{&digit.bytes, &digit.bytes}, n} }, "1", 0, -1},
		{"possessive run", func(n node) node { return &possessiveNode{run{digit, 1, unbounded, false}, n} }, "123a", 0, 3},
		{"possessive run too short", func(n node) node { return &possessiveNode{run{digit, 4, unbounded, false}, n} }, "123a", 0, -1},
		{"possessive run of at most two", func(n node) node { return &possessiveNode{run{digit, 0, 2, false}, n} }, "123a", 0, 2},
		{"empty possessive run", func(n node) node { return &possessiveNode{run{digit, 0, 1, false}, n} }, "a", 0, 0},
		{"greedy run", func(n node) node { return &greedyNode{run{notA, 0, unbounded, false}, ahead, false, n} }, "é中a", 0, 5},
		{"lazy run", func(n node) node { return &lazyNode{run{notA, 1, unbounded, true}, ahead, n} }, "é中a", 0, 2},
		{"leap", func(n node) node { return &lazyToNode{'\n', 'x', n} }, "abx", 0, 2},
		{"leap over a line", func(n node) node { return &lazyToNode{'\n', 'x', n} }, "a\nx", 0, -1},
		{"leap over all", func(n node) node { return &lazyToNode{-1, 'x', n} }, "a\nx", 0, 2},
		{"nothing", func(node) node { return unmatched{} }, "a", 0, -1},
	} {
		if got := endOf(t, test.build, test.text, test.from); got != test.want {
			t.Errorf("%s: got end %d, want %d", test.name, got, test.want)
		}
	}
}

// TestRunsGiveBackCharacters lists where the rest is tried: at the begin of
// each character and nowhere else, from the far end or from the near one.
func TestRunsGiveBackCharacters(t *testing.T) {
	every := charsetOf(t, "(?s:.)")
	text := "aé\xff中"
	places := []int{0, 1, 3, 4, 7}
	for _, test := range []struct {
		name     string
		min, max int
		lazy     bool
		want     []int
	}{
		{"greedy", 0, unbounded, false, []int{7, 4, 3, 1, 0}},
		{"greedy, two at least", 2, unbounded, false, []int{7, 4, 3}},
		{"greedy, two at most", 0, 2, false, []int{3, 1, 0}},
		{"greedy, too many", 5, unbounded, false, nil},
		{"lazy", 0, unbounded, true, places},
		{"lazy, two at least", 2, unbounded, true, []int{3, 4, 7}},
		{"lazy, two at most", 0, 2, true, []int{0, 1, 3}},
		{"lazy, too many", 5, unbounded, true, nil},
	} {
		var tried []int
		b := newBuilder()
		never := nodeFunc(func(_ *machine, at int) bool {
			tried = append(tried, at)
			return false
		})
		m := &machine{}
		m.begin(text)
		if (run{every, test.min, test.max, test.lazy}).build(b, never, anything()).match(m, 0) {
			t.Errorf("%s: a match", test.name)
		}
		if !slices.Equal(tried, test.want) {
			t.Errorf("%s: tried %v, want %v", test.name, tried, test.want)
		}
	}
}

func TestAssertions(t *testing.T) {
	for _, test := range []struct {
		op   syntax.Op
		text string
		want []int // the positions where it holds
	}{
		{syntax.OpBeginText, "ab\n", []int{0}},
		{syntax.OpEndText, "ab\n", []int{3}},
		{syntax.OpBeginLine, "a\nb\n", []int{0, 2, 4}},
		{syntax.OpEndLine, "a\nb", []int{1, 3}},
		{syntax.OpWordBoundary, "ab c", []int{0, 2, 3, 4}},
		{syntax.OpNoWordBoundary, "ab  ", []int{1, 3, 4}},
		{syntax.OpWordBoundary, "é", nil},
		{syntax.OpWordBoundary, "", nil},
		{syntax.OpNoWordBoundary, "", []int{0}},
	} {
		var got []int
		for at := range len(test.text) + 1 {
			if holds(test.op, test.text, at) {
				got = append(got, at)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%v in %q: got %v, want %v", test.op, test.text, got, test.want)
		}
	}
}

// TestAFailureLeavesNoCapture runs the nodes of a group into a dead end.
func TestAFailureLeavesNoCapture(t *testing.T) {
	digit := charsetOf(t, `\d`)
	for name, root := range map[string]node{
		"open and shut": &openNode{0, &byteNode{'1', &shutNode{0, unmatched{}}}},
		"captured run":  &capturedNode{run{digit, 1, unbounded, false}, 0, unmatched{}},
	} {
		m := &machine{spans: []Span{{-1, -1}}}
		m.begin("1")
		m.spans[0] = Span{7, 8}
		if root.match(m, 0) {
			t.Errorf("%s: a match", name)
		}
		if m.spans[0] != (Span{7, 8}) {
			t.Errorf("%s: left %v", name, m.spans[0])
		}
	}
}

// TestChoicesTryOnlyWhatCanBegin counts the branches that a byte leads to.
func TestChoicesTryOnlyWhatCanBegin(t *testing.T) {
	p := fromExpression(`(?:alert|[ad]ebug|a?info|(?:x*)warn)!`)
	choice, ok := p.search.root.(*choiceNode)
	if !ok {
		t.Fatalf("got %T, want a choice", p.search.root)
	}
	for next, want := range map[byte]int{'a': 3, 'd': 1, 'i': 1, 'x': 1, 'w': 1, 'z': 0} {
		if got := len(choice.ways[choice.look[next]]); got != want {
			t.Errorf("%q leads to %d branches, want %d", next, got, want)
		}
	}
	if got := len(choice.ways[choice.look[endOfText]]); got != 0 {
		t.Errorf("the end leads to %d branches, want 0", got)
	}
}

func TestAnUnsuccessfulScanIsCharged(t *testing.T) {
	text := strings.Repeat("a", 1600)
	set := charsetOf(t, "[ab]")
	every := charsetOf(t, ".")
	none := (&symbols{}).table()
	for name, root := range map[string]node{
		"possessive": &possessiveNode{run{set, 0, unbounded, false}, unmatched{}},
		"captured":   &capturedNode{run{set, 0, unbounded, false}, 0, unmatched{}},
		"greedy":     &greedyNode{run{set, 0, unbounded, false}, none, true, unmatched{}},
		"lazy":       &lazyNode{run{set, 0, unbounded, true}, none, unmatched{}},
		"leap":       &lazyToNode{every.stop, 'x', unmatched{}},
	} {
		m := &machine{spans: []Span{{-1, -1}}}
		m.begin(text)
		root.match(m, 0)
		if spent := m.budget - m.steps; spent < len(text)/bytesPerStep {
			t.Errorf("%s: spent %d steps on %d bytes", name, spent, len(text))
		}
	}
}
