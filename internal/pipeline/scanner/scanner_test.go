package scanner_test

import (
	"strings"
	"testing"

	"datakit.dev/internal/pipeline/scanner"
	"datakit.dev/internal/pipeline/token"
)

func scan(src string) []token.Token {
	s := scanner.New(src)
	var tokens []token.Token
	for {
		t := s.Next()
		if t.Kind == token.EOF {
			return tokens
		}
		tokens = append(tokens, t)
	}
}

func spell(tokens []token.Token) string {
	parts := make([]string, len(tokens))
	for i, t := range tokens {
		switch t.Kind {
		case token.Ident, token.Number, token.String, token.Raw, token.Reserved:
			parts[i] = t.Kind.String()[2:3] + ":" + t.Text
		case token.EOL:
			parts[i] = "EOL"
		case token.Illegal:
			parts[i] = "!" + t.Text
		default:
			parts[i] = t.Kind.String()
		}
	}
	return strings.Join(parts, " ")
}

func TestTokens(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"a+=1", "n:a += n:1"},
		{"a - -1 # rest\r\n b", "n:a - - n:1 EOL n:b"},
		{"IF Elif NULL True In", "if elif nil true in"},
		{"inf NaN 0x1F 08 1. 1.5e-3", "n:inf n:NaN n:0x1F n:08 n:1. n:1.5e-3"},
		{"while map STR", "r:while r:map r:STR"},
		{"`if a`=中文", "n:if a = n:中文"},
		{`"a\"b" 'c' ""`, `s:"a\"b" s:'c' s:""`},
		{`"""a"b` + "\n" + `"""x`, `s:"""a"b` + "\n" + `""" n:x`},
		{"!a!=b<=c", "! n:a != n:b <= n:c"},
		{"x[1:2].y", "n:x [ n:1 : n:2 ] . n:y"},
	} {
		if got := spell(scan(c.src)); got != c.want {
			t.Errorf("%q\ngot  %s\nwant %s", c.src, got, c.want)
		}
	}
}

func TestIllegalText(t *testing.T) {
	for src, want := range map[string]string{
		"12abc":     `bad number 12: unexpected 'a'`,
		"0b11":      `bad number 0: unexpected 'b'`,
		`"abc`:      "a string is not closed",
		"'abc\nd'":  "a string is not closed on its line",
		`'''abc`:    "a string in three quotes is not closed",
		"`abc":      "a name in backticks is not closed",
		"a & b":     "unexpected '&': the operator is &&",
		"a | b":     "unexpected '|': the operator is ||",
		"a ^ b":     "unexpected character '^'",
		"a\xffb":    "invalid UTF-8 in a name",
		"`a\xff`":   "invalid UTF-8 in a name",
		"a = \x00":  `unexpected character '\x00'`,
		"$x":        "unexpected character '$'",
		"\"a\\\nb'": "a string is not closed on its line",
	} {
		found := false
		for _, tok := range scan(src) {
			found = found || tok.Kind == token.Illegal && tok.Text == want
		}
		if !found {
			t.Errorf("%q: want %s, got %s", src, want, spell(scan(src)))
		}
	}
}

func TestUnquote(t *testing.T) {
	for src, want := range map[string]string{
		`"a\tb\\\"'"`:                  "a\tb\\\"'",
		`'\x41\101\u00e9\U0001F600\''`: "AAé😀'",
		`"\a\b\f\n\r\v"`:               "\a\b\f\n\r\v",
		`"plain 中文"`:                   "plain 中文",
		`"\xff"`:                       "\xff",
	} {
		if got, err := scanner.Unquote(src); err != nil || got != want {
			t.Errorf("%s: got %q, %v", src, got, err)
		}
	}
	for _, src := range []string{`"\q"`, `"\'"`, `"\x4"`, `"\u12"`, `"\400"`, `"\ud800"`, `"\U00110000"`, `"\18"`} {
		if got, err := scanner.Unquote(src); err == nil {
			t.Errorf("%s: got %q, want an error", src, got)
		}
	}
	if got, err := scanner.UnquoteRaw("'''a\\n\n'''"); err != nil || got != "a\\n\n" {
		t.Errorf("raw: %q, %v", got, err)
	}
	if _, err := scanner.UnquoteRaw(`"""a'''`); err == nil {
		t.Error("quotes that differ were taken")
	}
}

// FuzzScan looks for text that the scanner does not get through, or whose tokens
// are not parts of it.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{"a = 1", `"""a'''"`, "`x`\xff", "0x", "'\\", "#", "1e", "!=&|"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		s := scanner.New(src)
		last := token.Pos(-1)
		for {
			tok := s.Next()
			if tok.Pos < last || int(tok.Pos) > len(src) {
				t.Fatalf("token at %d after one at %d of %d", tok.Pos, last, len(src))
			}
			last = tok.Pos
			switch tok.Kind { //nolint:exhaustive // what has a text of its own
			case token.EOF:
				return
			case token.String:
				_, _ = scanner.Unquote(tok.Text)
			case token.Raw:
				_, _ = scanner.UnquoteRaw(tok.Text)
			}
		}
	})
}
