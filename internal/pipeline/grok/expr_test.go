package grok

import (
	"regexp/syntax"
	"strings"
	"testing"
)

func lowered(t *testing.T, expression string) expr {
	t.Helper()
	tree, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	return lower(tree, map[int]int{1: 0})
}

func TestNullable(t *testing.T) {
	for expression, want := range map[string]bool{
		"": true, "a": false, "a?": true, "a*": true, "a+": false, "(a?)": true, "(a)": false,
		"a|b?": true, "a|b": false, "a?b?": true, "a?b": false, `\b`: true, "^": true,
		"(?:ab){2,3}": false, "(?:ab){0,3}": true, "(?:a?b?){2}": true, "a{0}": true, "[^\\x00-\\x{10FFFF}]": false,
	} {
		if got := lowered(t, expression).nullable(); got != want {
			t.Errorf("%s: got %v, want %v", expression, got, want)
		}
	}
}

// TestOutlooks checks what an expression that is followed by an x can begin
// with, after anything and after a word character. The end counts as a $.
func TestOutlooks(t *testing.T) {
	const sample = "abcx -\n$"
	for _, test := range []struct{ expression, any, word string }{
		{"", "x", "x"},
		{"a", "a", "a"},
		{"a?", "ax", "ax"},
		{"a|bc", "ab", "ab"},
		{"a?b?c", "abc", "abc"},
		{"(?:ab)*c", "ac", "ac"},
		{"(?:ab)*", "ax", "ax"},
		{"[^a]", "bcx -\n", "bcx -\n"},
		{`\b`, "x", ""},
		{`\B`, "x", "x"},
		{`\b-?`, "x-", "-"},
		{`\B-?`, "x-", "x"},
		{`\b[a-]`, "a-", "-"},
		{"^a", "a", ""},
		{"(?m)^a", "a", ""},
		{"$", "", ""},
		{"(?m)$", "", ""},
		{`(?m)$\n`, "\n", "\n"},
		{"a|$", "a", "a"},
		{"(?:a|$)?", "ax", "ax"},
		{"[^\\x00-\\x{10FFFF}]", "", ""},
		{"(?i)A", "a", "a"},
	} {
		x := consuming(symbolsOf('x')).before(ahead{})
		first := lowered(t, test.expression).outlooks().before(x)
		for context, want := range []string{test.any, test.word} {
			var got strings.Builder
			for _, b := range []byte(sample) {
				symbol := int(b)
				if b == '$' {
					symbol = endOfText
				}
				if first[context].has(symbol) {
					got.WriteByte(b)
				}
			}
			if got.String() != want {
				t.Errorf("%s in context %d: got %q, want %q", test.expression, context, got.String(), want)
			}
		}
	}
}

func TestTheEndOfAnExpressionCanMeetAnything(t *testing.T) {
	for expression, want := range map[string]bool{"a?": true, "$": true, `\b`: true, "a": false, "(?:a|b)+": false} {
		first := lowered(t, expression).outlooks().before(anything())
		if got := first[afterAny].has(endOfText); got != want {
			t.Errorf("%s at the end: got %v, want %v", expression, got, want)
		}
	}
}

func TestRequired(t *testing.T) {
	for expression, want := range map[string]string{
		"abc":                 "abc",
		"a.c":                 "a c",
		"(ab)(?:c)":           "ab c",
		"(?:ab)+c":            "ab c",
		"(?:ab)*c":            "c",
		"(?:ab){2}c":          "ab c",
		"ab|cd":               "",
		"a(?:b|cd)e":          "a e",
		"a(?i:b)c":            "a c",
		"a\\x{FFFD}c":         "a c",
		"é中":                  "é中",
		"%{A} (?P<x>\\[a\\])": "%{A}  [a]",
	} {
		if got := strings.Join(lowered(t, expression).required(nil), " "); got != want {
			t.Errorf("%s: got %q, want %q", expression, got, want)
		}
	}
}

func TestNeighboursBecomeOneLiteral(t *testing.T) {
	for expression, want := range map[string]string{
		"a(?:b)c": "abc", "(x)a(b)c": "", "(?:a(?:b(?:c)))d": "abcd", "ab": "ab",
	} {
		text, _ := lowered(t, expression).(literal)
		if string(text) != want {
			t.Errorf("%s: got %q, want %q", expression, string(text), want)
		}
	}
	// A group that nobody asks for leaves no trace.
	tree, err := syntax.Parse("(x)a(b)c", syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	if got := lower(tree, nil); got != literal("xabc") {
		t.Errorf("got %#v, want one literal", got)
	}
}

func TestRepetitionsOfACharacterAreRuns(t *testing.T) {
	for expression, want := range map[string][2]int{
		"[ab]*": {0, unbounded}, "[ab]+?": {1, unbounded}, "a?": {0, 1}, "é{2,5}": {2, 5},
		"(?i)k+": {1, unbounded}, ".{3}": {3, 3}, `\d{2,}`: {2, unbounded}, "(?:[ab])*": {0, unbounded},
	} {
		r, ok := lowered(t, expression).(run)
		if !ok || r.min != want[0] || r.max != want[1] {
			t.Errorf("%s: got %#v, want a run of %v", expression, r, want)
		}
	}
	for _, expression := range []string{"(?:ab)*", "(a)*", "(?:a|bc)+"} {
		if _, ok := lowered(t, expression).(repetition); !ok {
			t.Errorf("%s: got %T, want a repetition", expression, lowered(t, expression))
		}
	}
}

func TestInstructionsBoundThePrograms(t *testing.T) {
	for _, expression := range []string{
		"", "a", "abc", "a*", "(?:ab){10}", "(?:a{10}b){10}", "a|b|cd", `\pL{100}`, "(?:a?){100}", "(((a)))",
	} {
		tree, err := syntax.Parse(expression, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		estimate := instructions(tree)
		program, err := syntax.Compile(tree.Simplify())
		if err != nil {
			t.Fatal(err)
		}
		if len(program.Inst) > 4*estimate+4 {
			t.Errorf("%s: estimated %d, takes %d", expression, estimate, len(program.Inst))
		}
	}
	nested := strings.Repeat("(?:", 3) + "a{10}" + strings.Repeat("){10}", 2) + ")"
	tree, err := syntax.Parse(strings.Repeat(nested, 100), syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	if got := instructions(tree); got != maxInstructions+1 {
		t.Errorf("got %d, want the limit and one", got)
	}
}
