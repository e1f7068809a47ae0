package grok

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// captured compiles a pattern and returns what it captures, as "a=1 b=2".
func captured(t *testing.T, set *Set, pattern, text string) string {
	t.Helper()
	p, err := Compile(pattern, set)
	if err != nil {
		t.Fatalf("%s: %v", pattern, err)
	}
	spans, ok := p.Match(text, nil)
	if !ok {
		return "no match"
	}
	var pairs []string
	for i, span := range spans {
		pairs = append(pairs, fmt.Sprintf("%s=%s", p.Captures()[i].Name, span.Of(text)))
	}
	return strings.Join(pairs, " ")
}

func TestReferences(t *testing.T) {
	set := builtins(t)
	for _, test := range []struct{ pattern, text, want string }{
		{"%{INT:a}", "x 12 y", "a=12"},
		{"%{INT}", "x 12 y", ""},
		{"%{WORD:a} %{WORD:b}", "one two", "a=one b=two"},
		{"%{WORD:a-b.c}", "one", "a_b_c=one"},
		{"%{WORD:-.}", "one", "__=one"},
		{"%{WORD:2nd}", "one", "2nd=one"},
		{`(?P<raw>\d+)%{NOTSPACE:w}`, "12ab", "raw=12 w=ab"},
		{"%{NOTSPACE:a}%{SPACE}%{GREEDYDATA:b}", "x   y z", "a=x b=y z"},
		{"%{HOSTPORT}", "a.b:80", ""},
		{"%{SYSLOGPROG}", "sshd[99]", "program=sshd pid=99"},
		{"%{SYSLOGPROG:whole}", "sshd[99]", "whole=sshd[99] program=sshd pid=99"},
		{"", "anything", ""},

		// Whatever is no reference is text.
		{"%{WORD:}", "a", "no match"},
		{"%{WORD:}", "%{WORD:}", ""},
		{"%{WORD:a:b:c}", "%{WORD:a:b:c}", ""},
		{`%\{%{INT:a}`, "%{7", "a=7"},
		{"%{%{INT:a}}", "%{7}", "a=7"},
		{"%{INT:a", "%{INT:a", ""},
		{"%{INT a}", "%{INT a}", ""},
		{"100%", "100%", ""},
	} {
		if got := captured(t, set, test.pattern, test.text); got != test.want {
			t.Errorf("%s in %q: got %q, want %q", test.pattern, test.text, got, test.want)
		}
	}
}

func TestMalformedPatternsAreRefused(t *testing.T) {
	set := builtins(t)
	for _, test := range []struct {
		pattern string
		want    error
		says    string
	}{
		{"%{NOPE:x}", ErrUnknown, "%{NOPE}"},
		{"%{word:x}", ErrUnknown, "%{word}"},
		{"%{WORD:x:foo}", ErrSyntax, `type "foo"`},
		{"%{WORD:x:Int}", ErrSyntax, "want str, string, int, float or bool"},
		{"%{-WORD:x}", ErrSyntax, `"-WORD" is no name`},
		{"%{A..B}", ErrSyntax, `"A..B" is no name`},
		{"%{A-}", ErrSyntax, `"A-" is no name`},
		{"[", ErrSyntax, "missing closing ]"},
		{"%{INT:a}(", ErrSyntax, "missing closing )"},
		{`(?=a)`, ErrSyntax, "invalid or unsupported Perl syntax"},
		{`(a)\1`, ErrSyntax, "invalid escape sequence"},
		{"a{1001}", ErrSyntax, "invalid repeat count"},
		{"(?:.{100}){10}" + strings.Repeat("(?:.{1000})", 60), ErrLimit, "instructions"},
		{strings.Repeat("a", maxExpanded+1), ErrLimit, "bytes"},
		{strings.Repeat("%{HTTPD_ERRORLOG}", 60), ErrLimit, "%{HTTPD_ERRORLOG}"},
	} {
		_, err := Compile(test.pattern, set)
		if !errors.Is(err, test.want) {
			t.Errorf("%.40s: got error %v, want %v", test.pattern, err, test.want)
			continue
		}
		if !strings.Contains(err.Error(), test.says) {
			t.Errorf("%.40s: error %q does not say %q", test.pattern, err, test.says)
		}
	}
}

func TestTypes(t *testing.T) {
	set := builtins(t).Scope()
	for name, pattern := range map[string]string{"inner": "%{INT:n:int}", "plain": "%{INT:n}"} {
		if err := set.Add(name, pattern); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ pattern, want string }{
		{"%{WORD:a}", "a str"},
		{"%{WORD:a:str}", "a str"},
		{"%{WORD:a:string}", "a str"},
		{"%{WORD:a:int}", "a int"},
		{"%{WORD:a:float}", "a float"},
		{"%{WORD:a:bool}", "a bool"},
		{"%{WORD:x-y:int}", "x_y int"},
		{"(?P<a>x)|%{WORD:a:int}", "a int"},
		{"%{WORD:a:int}|%{WORD:a}", "a int"},
		{"%{WORD:a:int}|%{WORD:a:bool}", "a bool"},
		{"%{inner}", "n int"},
		{"%{plain}", "n str"},
		{"%{inner}|%{WORD:n:float}", "n float"},
		{"%{WORD:n:float}|%{inner}", "n float"},
		{"%{inner:m}", "m str, n int"},
		{"%{inner:m:bool}", "m bool, n int"},
	} {
		p, err := Compile(test.pattern, set)
		if err != nil {
			t.Fatalf("%s: %v", test.pattern, err)
		}
		var got []string
		for _, c := range p.Captures() {
			got = append(got, c.Name+" "+c.Type.String())
		}
		if strings.Join(got, ", ") != test.want {
			t.Errorf("%s: got %q, want %q", test.pattern, got, test.want)
		}
	}
}
