package grok

import (
	"errors"
	"strings"
	"testing"
)

// FuzzCompile holds that a pattern, whatever it is, is refused with one of the
// package's errors or compiles into something that tells its captures apart
// and matches within the text.
func FuzzCompile(f *testing.F) {
	set := builtins(f)
	for _, pattern := range append([]string{
		"%{", "%{}", "%{:}", "%{WORD:a:int}", "%{A:B:C}", "%%{INT}", "%{INT:\xff}", "(", "a{1000}", "(?P<x>%{INT:x})",
		"%{IP:a}|%{MAC:a}", `\Q%{INT}\E`, "[%{INT}]", "(?i)%{MONTH:m}{2}",
	}, composites...) {
		f.Add(pattern, nginxLine)
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 500 || len(text) > 500 {
			t.Skip("too slow for package regexp")
		}
		p, err := Compile(pattern, set)
		if err != nil {
			if !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrLimit) {
				t.Fatalf("error %v is none of the package's", err)
			}
			return
		}
		agree(t, p, text)
		spans, ok := p.Match(text, nil)
		if !ok {
			return
		}
		if len(spans) != len(p.Captures()) {
			t.Fatalf("%d spans for %d captures", len(spans), len(p.Captures()))
		}
		seen := map[string]bool{}
		for i, capture := range p.Captures() {
			if seen[capture.Name] || capture.Name == "" {
				t.Fatalf("capture %q appears twice, or has no name", capture.Name)
			}
			seen[capture.Name] = true
			if !strings.Contains(text, spans[i].Of(text)) {
				t.Fatalf("%v is not within the text", spans[i])
			}
		}
	})
}

// FuzzPatternFile holds that a pattern file, whatever is in it, leaves a set
// that the built-in patterns are in.
func FuzzPatternFile(f *testing.F) {
	f.Add("A %{B}\nB %{A}\n# c\n\nC [\nINT x\n")
	f.Add("D %{INT:d:int}\r\nE")
	f.Fuzz(func(t *testing.T, content string) {
		patterns, err := parsePatterns(strings.NewReader(content))
		if err != nil {
			return
		}
		set, err := NewSet(patterns)
		if set == nil {
			t.Fatalf("no set: %v", err)
		}
		if got := captured(t, set, "%{INT:n}", "a 1"); got != "n=1" {
			t.Fatalf("INT: got %q", got)
		}
		for name := range patterns {
			if _, err := Compile("%{"+name+"}", set); err != nil &&
				!errors.Is(err, ErrUnknown) && !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrLimit) {
				t.Fatalf("%q: %v", name, err)
			}
		}
	})
}
