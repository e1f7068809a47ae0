package grok

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// lines are log lines and oddities that the built-in patterns meet.
var lines = []string{
	"",
	nginxLine,
	otherLine,
	`192.168.1.1 - - [19/Jun/2021:04:04:58 +0000] "GET /a/b.html?x=1&y=2 HTTP/1.1" 200 612 "-" "curl/7.81.0"`,
	"2001:db8::ff00:42:8329 user@example.com:8080 -12.5 +7 0x1F .5",
	"1:2:3:4:5:6:7:8 ::1 fe80::1%eth0 ::ffff:10.0.0.1 1:2:3:4:5:6:1.2.3.4",
	"Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0",
	"Mär 14 15:16:01 <34.5> host-1.example.com. su[99]: x",
	`http://user:pw@www.example.com:80/path/to?q=1 /var/log/x.log C:\win\a.txt 550e8400-e29b-41d4-a716-446655440000`,
	"Tue May 18 06:25:05 2021 [warn] 00:1B:44:11:3A:B7 0011.2233.4455 00-1B-44-11-3A-B7",
	`[Tue May 18 06:25:05 2021] [error] [client 10.1.2.3] File does not exist: /x`,
	`[Tue May 18 06:25:05.123 2021] [core:error] [pid 99:tid 1] (2)No such file: [client 1.2.3.4:99] AH1: gone`,
	"2021-07-20T10:11:12.345+08:00 ERROR [main] com.foo.Bar - msg 'q' \"dq\\\"x\"",
	`[2021-07-20T10:11:12Z] "GET /a?b=c HTTP/1.1" 200 - 1 2 3 4 "-" "ua" "id" "auth" "up"`,
	`[2021-07-20T10:11:12Z] "GET %{DATA:} HTTP/1.1" 200 - 1 2 3 4 "-" "ua" "id" "auth" "up"`,
	"line1\nline2 word_x 中文 999.999.999.999",
	"   padded   value   ",
	"20210720101112 /dev/pts/0 /dev/ttyp3 5/13/2021-10:11:12 13.5.2021 Tue, 18 May 2021 06:25:05 +0000 UTC",
	"Tue May 18 2021 06:25:05 EST Tue May 18 06:25:05 UTC 2021",
	"\xff\xfe bad \xe4\xbd utf8 \xf0\x9f\x98 é\u2028 ſK \ufffd",
	`2021/07/20 10:11:12 [error] 9#9: *1 open() failed, client: 1.2.3.4, server: _, request: "GET /x HTTP/1.1", upstream: "http://u/", host: "h"`,
	"# User@Host: root[root] @ localhost [127.0.0.1]  Id:    12",
	`level=info msg="started, really" port=80, err= took="1 s`,
	"a|b|12|d||",
	strings.Repeat("a", 70) + "." + strings.Repeat("b-", 40),
}

// composites are expressions as scripts write them.
var composites = []string{
	nginxIPORHOST,
	nginxNOTSPACE,
	`(?P<date>%{YEAR}[./-]%{MONTHNUM}[./-]%{MONTHDAY}) %{TIME:clock} \[%{LOGLEVEL:status}\] %{GREEDYDATA:msg}, client: %{NOTSPACE:client_ip}, server: %{NOTSPACE:server}, request: "%{DATA:http_method} %{GREEDYDATA:http_url} HTTP/%{NUMBER:http_version}"(, upstream: "%{GREEDYDATA:upstream}")?, host: "%{NOTSPACE:host}"`,
	`^%{TIMESTAMP_ISO8601:time}\s+%{LOGLEVEL:level}\s+\[%{DATA:thread}\]\s+%{NOTSPACE:logger}\s+-\s+%{GREEDYLINES:msg}`,
	`%{SYSLOGBASE} %{GREEDYDATA:msg}`,
	`# User@Host: %{NOTSPACE:user}\s+@\s(?:%{NOTSPACE:host})?(?:\s+\[%{NOTSPACE:ip}?\])?(?:\s+Id:\s+%{INT:id})?`,
	`(?i)(?:%{WORD:key}=(?:"%{DATA:quoted}"|%{NOTSPACE:bare})?,?\s*)+`,
	`%{DATA:a}\|%{DATA:b}\|%{DATA:c:int}(?:\||$)`,
	`(?:%{IP:ip}|%{HOSTNAME:host})(?::%{POSINT:port:int})?(?:%{URIPATH:path})?`,
}

func builtins(t testing.TB) *Set {
	t.Helper()
	set, err := NewSet(nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// agree fails the test unless our matcher and package regexp find the same,
// also where ours remembers its failures from the first.
func agree(t interface{ Fatalf(string, ...any) }, p *Pattern, text string) {
	if p.search == nil {
		return
	}
	want, ok := p.matchRegexp(text, nil)
	for _, patience := range []int{rememberAfter, 0} {
		p.search.patience = patience
		got, found := p.search.find(text, nil)
		p.search.patience = rememberAfter
		if found != gaveUp && (ok != (found == match) || !slices.Equal(got, want)) {
			t.Fatalf("pattern %q\ntext %q\npatience %d\n got %v %v\nwant %v %v",
				p.regexp(), text, patience, found == match, got, ok, want)
		}
	}
}

func TestBuiltinPatternsMatchAsRegexpDoes(t *testing.T) {
	set := builtins(t)
	forms := []string{"%%{%s:x}", "^%%{%s:x}$", "%%{%s:x} %%{GREEDYDATA:y}", "(?:\\[|%%{%s:x}!)+%%{DATA:y}$"}
	if raceEnabled {
		forms = forms[:1] // One goroutine only; the detector just makes it ten times slower.
	}
	for _, name := range set.Names() {
		for _, form := range forms {
			p, err := Compile(fmt.Sprintf(form, name), set)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if p.search == nil {
				t.Fatalf("%s is left to package regexp", name)
			}
			for _, line := range lines {
				agree(t, p, line)
				agree(t, p, "x"+line+"\n"+line)
			}
		}
	}
}

func TestCompositesMatchAsRegexpDoes(t *testing.T) {
	matched := 0
	for _, expression := range composites {
		p := compile(t, expression)
		if p.search == nil {
			t.Errorf("%s is left to package regexp", expression)
			continue
		}
		for _, line := range lines {
			if _, ok := p.Match(line, nil); ok {
				matched++
			}
			for cut := 0; cut < len(line); cut += len(line)/4 + 1 {
				agree(t, p, line[:cut])
				agree(t, p, line[cut:])
			}
		}
	}
	if matched < len(composites) {
		t.Errorf("only %d matches: the lines do not fit the expressions", matched)
	}
}

// fromExpression compiles a bare regular expression, or returns nil.
func fromExpression(expression string) *Pattern {
	if _, err := regexp.Compile(expression); err != nil {
		return nil
	}
	p, err := Compile(expression, &Set{})
	if err != nil {
		return nil
	}
	return p
}

// expressionText draws regular expressions with everything that the syntax has.
func expressionText(depth int) *rapid.Generator[string] {
	atoms := rapid.SampledFrom([]string{
		"a", "b", "ab", "é", ".", `\w`, `\d`, `\s`, `\S`, "[a-c]", "[^a]", "[^ab\\n]", `\b`, `\B`, "^", "$", `\A`, `\z`,
		"(?i:k)", "(?i:ß)", "(?i:ab)", "(?s:.)", "(?m:^)", "(?m:$)", `\pL`, `\PL`, "[é-中]", `[^é]`, `\x{FFFD}`, "", "-", " ", "[[:alpha:]]", `\x{D800}`, `\W`,
	})
	if depth == 0 {
		return atoms
	}
	return rapid.Custom(func(t *rapid.T) string {
		sub := func() string { return expressionText(depth-1).Draw(t, "sub") }
		switch rapid.IntRange(0, 7).Draw(t, "kind") {
		case 0:
			return atoms.Draw(t, "atom")
		case 1, 2:
			return sub() + sub()
		case 3:
			return "(?:" + sub() + "|" + sub() + ")"
		case 4:
			return "(?P<" + rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "name") + ">" + sub() + ")"
		case 5:
			return "(" + sub() + "|" + sub() + "|" + sub() + ")"
		default:
			op := rapid.SampledFrom([]string{"*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,3}?", "{2,}", "{0}", "{2,}?", "{1,}"}).Draw(t, "op")
			return "(?:" + sub() + ")" + op
		}
	})
}

var subject = rapid.Custom(func(t *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{
		"a", "b", "c", "é", "中", "k", "K", "\u212a", "ß", "\n", " ", "-", "1", "_", "\xff", "\xe4\xbd", "\ufffd", "A", "B", "aaa",
	}), 0, 12).Draw(t, "text"), "")
})

func checkGenerated(t *rapid.T) {
	p := fromExpression(expressionText(4).Draw(t, "expression"))
	if p == nil {
		t.Skip("not a regular expression")
	}
	for range 4 {
		agree(t, p, subject.Draw(t, "subject"))
	}
}

func TestGeneratedExpressionsMatchAsRegexpDoes(t *testing.T) {
	rapid.Check(t, checkGenerated)
}

func FuzzGenerated(f *testing.F) { f.Fuzz(rapid.MakeFuzz(checkGenerated)) }

func FuzzMatch(f *testing.F) {
	set := builtins(f)
	patterns := make([]*Pattern, 0, len(composites)+len(set.Names()))
	for _, expression := range composites {
		patterns = append(patterns, compile(f, expression))
	}
	for _, name := range set.Names() {
		patterns = append(patterns, compile(f, "%{"+name+":x}"))
	}
	for i, line := range lines {
		f.Add(`(?P<x>\w+)|(?P<y>.*?) `, line, i)
	}
	f.Fuzz(func(t *testing.T, expression, text string, pick int) {
		if len(expression) > 200 || len(text) > 1000 {
			t.Skip("too slow for package regexp")
		}
		agree(t, patterns[uint(pick)%uint(len(patterns))], text)
		if p := fromExpression(expression); p != nil {
			agree(t, p, text)
		}
	})
}
