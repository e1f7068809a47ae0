package grok

import (
	"slices"
	"sync"
	"testing"
)

func TestCaptures(t *testing.T) {
	set := builtins(t)
	for _, test := range []struct{ name, pattern, text, want string }{
		{"the leftmost match", "%{INT:a}", "ab 1 2", "a=1"},
		{"the first branch that matches", "%{WORD:a}|%{NOTSPACE:b}", "a-b", "a=a b="},
		{"a branch that matches later on", "(?:%{INT:a}|%{NOTSPACE:b})!", "12x!", "a= b=12x"},
		{"the last of two of one name", "%{WORD:x} %{WORD:x}", "one two", "x=two"},
		{"even where it took no part", "(?:%{INT:x}|%{WORD:x})", "12", "x="},
		{"an optional part that is absent", "(?:%{INT:n:int})?%{GREEDYDATA:d}", "ab", "n= d=ab"},
		{"an optional part that is present", "(?:%{INT:n:int})?%{GREEDYDATA:d}", "7ab", "n=7 d=ab"},
		{"the last turn of a loop", "(?:%{WORD:w},?)+", "a,b,c", "w=c"},
		{"no trace of a turn that failed", `(?:(?P<a>\d)(?P<b>\d)-?)+!`, "12-3!", "no match"},
		{"no trace of a branch that failed", `(?:(?P<a>\d+)x|(?P<b>\d+)y)`, "12y", "a= b=12"},
		{"no more than needed", "%{DATA:d} %{GREEDYDATA:g}", "a b c", "d=a g=b c"},
		{"one line", "%{GREEDYDATA:g}", "a\nb", "g=a"},
		{"all lines", "%{GREEDYLINES:g}", "a\nb", "g=a\nb"},
		{"either case", "(?i)%{LOGLEVEL:l}", "x eRROR", "l=eRROR"},
		{"the end of a line", "(?m)^%{WORD:w}$", "a b\nc\nd e", "w=c"},
		{"an empty text", "%{SPACE:s}", "", "s="},
		{"beyond ASCII", "%{MONTH:m} %{GREEDYDATA:g}", "le Mär 中文", "m=Mär g=中文"},
		{"no character", "a%{DATA:d}b", "a\xff\xfeb", "d=\xff\xfe"},
	} {
		if got := captured(t, set, test.pattern, test.text); got != test.want {
			t.Errorf("%s: %s in %q: got %q, want %q", test.name, test.pattern, test.text, got, test.want)
		}
	}
}

func TestSpansTellAbsentFromEmpty(t *testing.T) {
	p := compile(t, "%{SPACE:empty}(?:%{INT:absent})?")
	spans, ok := p.Match("x", nil)
	if !ok || !slices.Equal(spans, []Span{{0, 0}, {-1, -1}}) {
		t.Fatalf("got %v %v", spans, ok)
	}
	if !spans[0].Matched() || spans[1].Matched() {
		t.Errorf("Matched: got %v %v, want true false", spans[0].Matched(), spans[1].Matched())
	}
}

func TestMatchAppends(t *testing.T) {
	p := compile(t, "%{INT:a}")
	before := []Span{{3, 4}}
	if got, ok := p.Match("x1", before); !ok || !slices.Equal(got, []Span{{3, 4}, {1, 2}}) {
		t.Errorf("a match: got %v %v", got, ok)
	}
	if got, ok := p.Match("x", before); ok || !slices.Equal(got, before) {
		t.Errorf("no match: got %v %v", got, ok)
	}
}

func TestManyGoroutinesMatchWithOnePattern(t *testing.T) {
	p := compile(t, nginxIPORHOST)
	want, ok := p.Match(nginxLine, nil)
	if !ok {
		t.Fatal("no match")
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			var spans []Span
			for range 200 {
				spans, ok := p.Match(nginxLine, spans[:0])
				if !ok || !slices.Equal(spans, want) {
					t.Errorf("got %v %v, want %v", spans, ok, want)
					return
				}
				if _, ok := p.Match(otherLine, nil); ok {
					t.Error("the other line matches")
					return
				}
			}
		})
	}
	all.Wait()
}

func TestMatchDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("under the race detector a pool drops what it holds")
	}
	p := compile(t, nginxIPORHOST)
	spans := make([]Span, 0, len(p.Captures()))
	for _, line := range []string{nginxLine, otherLine} {
		if n := testing.AllocsPerRun(100, func() { p.Match(line, spans) }); n != 0 {
			t.Errorf("%v allocations for %q", n, line)
		}
	}
}

func compile(t testing.TB, pattern string) *Pattern {
	t.Helper()
	p, err := Compile(pattern, builtins(t))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
