package grok

import (
	"regexp"
	"regexp/syntax"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

var classes = []string{
	"[a-c]", `\d`, `\w`, `\W`, `\S`, "[^a]", `[^a\n]`, "[^é]", "[é-中]", `\pL`, `\PL`, "(?s:.)", ".",
	`[^\x00-\x7f]`, `[\x{FFFD}]`, `[^\x{FFFD}]`, "[aé]", `[\x{80}-\x{10FFFF}]`, `[\x00-\x7f]`, `[^\x{80}]`,
}

func charsetOf(t interface{ Fatal(...any) }, class string) *charset {
	tree, err := syntax.Parse(class, syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	one, ok := lower(tree, nil).(run)
	if !ok {
		t.Fatal(class + " is no single character")
	}
	return one.set
}

// TestCharsets holds each way to walk over a text against a look at every
// character with package regexp.
func TestCharsets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		class := rapid.SampledFrom(classes).Draw(t, "class")
		text := subject.Draw(t, "text")
		set, expr := charsetOf(t, class), regexp.MustCompile("^(?:"+class+")")
		member := func(at int) bool { return at < len(text) && expr.MatchString(text[at:]) }
		end, count := 0, 0
		for member(end) {
			end = stepOver(text, end)
			count++
		}
		if got := set.span(text, 0); got != end {
			t.Fatalf("span: got %d, want %d", got, end)
		}
		if gotEnd, gotCount := set.spanUpTo(text, 0, len(text)+1); gotEnd != end || gotCount != count {
			t.Fatalf("spanUpTo: got %d %d, want %d %d", gotEnd, gotCount, end, count)
		}
		for at := 0; at < len(text); at = stepOver(text, at) {
			if got := set.step(text, at) >= 0; got != member(at) {
				t.Fatalf("step at %d: got %v, want %v", at, got, member(at))
			}
			if member(at) && !set.first.has(int(text[at])) {
				t.Fatalf("first lacks %#x", text[at])
			}
			if back := stepBack(text, stepOver(text, at)); back != at {
				t.Fatalf("stepBack: got %d, want %d", back, at)
			}
		}
	})
}

func TestSpanUpToStopsAtItsLimit(t *testing.T) {
	set := charsetOf(t, `\S`)
	if end, count := set.spanUpTo("é中x", 0, 2); end != len("é中") || count != 2 {
		t.Errorf("got %d %d", end, count)
	}
}

func TestWordSymbolsAreTheWordBytes(t *testing.T) {
	word := wordSymbols()
	for b := range 256 {
		want := b < utf8.RuneSelf && regexp.MustCompile(`\w`).MatchString(string(rune(b)))
		if word.has(b) != want || isWord(byte(b)) != want {
			t.Errorf("%q: got %v and %v, want %v", rune(b), word.has(b), isWord(byte(b)), want)
		}
	}
	if word.has(endOfText) {
		t.Error("the end of a text is no word character")
	}
	if _, ok := allSymbols().single(); ok || !allSymbols().table()[endOfText] {
		t.Error("allSymbols lacks the end, or is single")
	}
}
