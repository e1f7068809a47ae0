package grok

import (
	"strings"
	"testing"
)

// TestExplosivePatternsGiveUp holds patterns on which backtracking takes
// exponential or cubic time against texts that make it do so: our matcher has
// to stop within its budget, and the answer has to be right all the same.
func TestExplosivePatternsGiveUp(t *testing.T) {
	text := strings.Repeat("a", 2500)
	for _, expression := range []string{
		`(?:a+)+b?[cd]`,
		`(?:a|aa)+[bc]`,
		`(?:a|a)+[bc]`,
		`(?:a?){20}a{20}[bc]`,
		`(.*)(.*)(.*)(.*)[xy]`,
		`(?P<p>.*?)(?P<q>.*?)(?P<r>.*?)[xy]`,
		`(?P<p>.*)(?P<q>\w*)(?P<r>\S*)(?:x|y)`,
		`a.*?x|a.*?y`,
		`(?:a[^b]*?)*[xy]`,
		`(?:[ab]{0,10}){10}[xy]`,
	} {
		p := fromExpression(expression)
		if p == nil || p.search == nil {
			t.Errorf("%s is refused or left to package regexp from the start", expression)
			continue
		}
		if _, found := p.search.find(text, nil); found != gaveUp {
			t.Errorf("%s: got verdict %d, want to give up", expression, found)
		}
		got, ok := p.Match(text+"xc", nil)
		want, wantOK := p.matchRegexp(text+"xc", nil)
		if ok != wantOK || len(got) != len(want) {
			t.Errorf("%s: got %v %v, want %v %v", expression, got, ok, want, wantOK)
		}
	}
}

// TestFailuresAreRemembered holds a line that fails at its end, after four
// parts that could each end in many places, against the budget: read once for
// each way it would take a hundred thousand steps.
func TestFailuresAreRemembered(t *testing.T) {
	p := fromExpression(`(?P<a>.*?),(?P<b>.*?),(?P<c>.*),(?P<d>.*?),(?:x|y)`)
	text := strings.Repeat("a,b,c,", 15)
	if _, found := p.search.find(text, nil); found != noMatch {
		t.Errorf("got verdict %d, want no match within the budget", found)
	}
	p.search.patience = 1 << 30
	if _, found := p.search.find(text, nil); found != gaveUp {
		t.Errorf("got verdict %d, want to give up without memory", found)
	}
}

// TestLoopsWithEmptyTurnsAreLeftToRegexp covers what only regexp can decide.
func TestLoopsWithEmptyTurnsAreLeftToRegexp(t *testing.T) {
	for _, expression := range []string{`(a*)*b`, `(|a)+`, `(?:a|b*)*`, `(?:(?P<x>a?)|b)+`, `(?:\b)*x`} {
		p := fromExpression(expression)
		if p.search != nil {
			t.Errorf("%s is not left to package regexp", expression)
		}
		text := strings.Repeat("a", 2500)
		_, got := p.Match(text, nil)
		if _, want := p.matchRegexp(text, nil); got != want {
			t.Errorf("%s: got %v, want %v", expression, got, want)
		}
	}
}

func TestAFewStepsAreEnoughForALogLine(t *testing.T) {
	for _, pattern := range []string{nginxIPORHOST, "%{COMBINEDAPACHELOG}"} {
		p := compile(t, pattern)
		for end := range len(nginxLine) {
			if _, found := p.search.find(nginxLine[:end], nil); found == gaveUp {
				t.Errorf("%s gives up on %q", pattern, nginxLine[:end])
			}
		}
	}
}

func TestALongLoopDoesNotOverflowTheStack(t *testing.T) {
	p := fromExpression(`^(?:ab|a|[c-e]f)*(?P<end>z)$`)
	text := strings.Repeat("aab", 20_000)
	if _, ok := p.Match(text, nil); ok {
		t.Error("a match without z")
	}
	spans, ok := p.Match(text+"z", nil)
	if !ok || spans[0] != (Span{len(text), len(text) + 1}) {
		t.Errorf("got %v %v", spans, ok)
	}
}

func TestALargePatternIsLeftToRegexp(t *testing.T) {
	var branches []string
	for i := range maxNodes {
		branches = append(branches, "(?:x"+strings.Repeat("y", i%7)+string(rune('a'+i%20))+"?z)")
	}
	p := fromExpression(strings.Join(branches[:200], "|"))
	if p == nil || p.search == nil {
		t.Fatal("200 branches are not left to our matcher")
	}
	p = fromExpression("(?:" + strings.Join(branches[:40], "|") + "){100}|(?P<w>w)")
	if p == nil {
		t.Fatal("refused")
	}
	if p.search != nil {
		t.Error("a pattern beyond maxNodes has a matcher")
	}
	if spans, ok := p.Match("..w", nil); !ok || spans[0] != (Span{2, 3}) {
		t.Errorf("got %v %v", spans, ok)
	}
}
