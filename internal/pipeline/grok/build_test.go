package grok

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestRunsThatNeverGiveBack pins down where the matcher need not backtrack: a
// wrong yes loses matches, a wrong no loses the speed.
func TestRunsThatNeverGiveBack(t *testing.T) {
	for _, test := range []struct {
		expression string
		want       string
	}{
		{`\S+ `, "*grok.possessiveNode"},
		{`\S+? `, "*grok.possessiveNode"},
		{`(?P<x>\S+) `, "*grok.capturedNode"},
		{`\d+\b`, "*grok.possessiveNode"},
		{`\w+$`, "*grok.possessiveNode"},
		{`\d*\b`, "*grok.greedyNode"}, // \b may hold before the first digit
		{`\S+\b`, "*grok.greedyNode"},
		{`\d+\B`, "*grok.greedyNode"},
		{`[a-c]+(?:d|e?f)`, "*grok.possessiveNode"},
		{`[a-c]+(?:d|b?f)`, "*grok.greedyNode"},
		{`.*x`, "*grok.greedyNode"},
		{`.*?x`, "*grok.lazyToNode"},
		{`.*?[xy]`, "*grok.lazyNode"},
		{`.*\n`, "*grok.possessiveNode"},
		{`é+ö`, "*grok.greedyNode"}, // told apart by their second byte only
	} {
		p := fromExpression(test.expression)
		if got := fmt.Sprintf("%T", p.search.root); got != test.want {
			t.Errorf("%s: got %s, want %s", test.expression, got, test.want)
		}
		for _, line := range lines {
			agree(t, p, line)
		}
	}
}

func TestCharactersInARowAreOneNode(t *testing.T) {
	p := fromExpression(`[0-5][0-9]:[0-9]-`)
	fixed, ok := p.search.root.(*fixedNode)
	if !ok || len(fixed.tables) != 5 {
		t.Fatalf("got %#v, want one node for five characters", p.search.root)
	}
	for text, want := range map[string]bool{"x12:3-": true, "12:3": false, "62:3-": false, "": false, "é59:0-": true} {
		if _, got := p.Match(text, nil); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestLongRowsOfCharactersAreSplit(t *testing.T) {
	p := fromExpression(strings.Repeat("[ab]x", 100))
	text := strings.Repeat("axbx", 50)
	for _, text := range []string{text, text[1:], text[:len(text)-1] + "y", "é" + text} {
		agree(t, p, text)
	}
	if spans, ok := p.Match(text, nil); !ok || len(spans) != 0 {
		t.Errorf("got %v %v", spans, ok)
	}
}

// TestPrefilter checks what a line must have before a match is tried at all.
func TestPrefilter(t *testing.T) {
	for _, test := range []struct {
		pattern string
		want    prefilter
	}{
		{nginxIPORHOST, prefilter{`] "`, " HTTP/"}},
		{"a(?:bc)+(?:de)?(?:fg|fh)", prefilter{"a", "bc"}},
		{"%{INT:a} %{INT:b}", nil}, // a blank is in every line
		{"(?i)error", nil},
		{"one|two", nil},
	} {
		p := compile(t, test.pattern)
		if !slices.Equal(p.search.filter, test.want) {
			t.Errorf("%s: got %q, want %q", test.pattern, p.search.filter, test.want)
		}
	}
	filter := prefilter{"ab", "bc"}
	for text, want := range map[string]bool{"xabbcx": true, "abc": false, "bcab": false, "": false} {
		if got := filter.admits(text); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestAnchoredPatternsLookAtTheBeginOnly(t *testing.T) {
	for expression, want := range map[string]bool{
		"^a": true, `\Aa`: true, "(?P<x>^a)b": true, "^a|^b": true, "(?:^a)+": true, `\b^a`: true,
		"^a|b": false, "(?:^a)?b": false, "(?m)^a": false, "a^": false, "": false,
	} {
		p := fromExpression(expression)
		if got := p.search.anchored; got != want {
			t.Errorf("%s: got %v, want %v", expression, got, want)
		}
	}
}
