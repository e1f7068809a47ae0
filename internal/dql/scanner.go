package dql

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"datakit.dev/internal/diag"
)

// A scanner cuts a query into tokens.
type scanner struct {
	src string
	at  int
}

// syntaxError is what is wrong at an offset; the parser panics with it and
// [Parse] makes a diagnostic of it.
type syntaxError struct {
	at      int
	message string
}

// next returns the next token.
func (s *scanner) next() token {
	s.blank()
	start := s.at
	t := s.scan()
	t.pos, t.end = start, s.at
	return t
}

// blank skips white space and comments.
func (s *scanner) blank() {
	for s.at < len(s.src) {
		r, size := utf8.DecodeRuneInString(s.src[s.at:])
		switch {
		case r == '#':
			end := strings.IndexByte(s.src[s.at:], '\n')
			if end < 0 {
				end = len(s.src) - s.at
			}
			s.at += end
		case unicode.IsSpace(r) || r == '\ufeff':
			s.at += size
		default:
			return
		}
	}
}

func (s *scanner) scan() token {
	if s.at == len(s.src) {
		return token{kind: tokEOF}
	}
	r, _ := utf8.DecodeRuneInString(s.src[s.at:])
	switch {
	case r == '`':
		return token{kind: tokName, text: s.quoted('`'), quoted: true}
	case r == '"' || r == '\'':
		return token{kind: tokString, text: unescape(s.quoted(byte(r)), byte(r))}
	case r >= '0' && r <= '9', r == '.' && s.digitAt(s.at+1):
		return s.number()
	case isNamePart(r):
		return s.word()
	}
	return s.operator()
}

// isNamePart reports whether r may stand in a name; a digit may not be the first.
func isNamePart(r rune) bool {
	return r == '_' || r < utf8.RuneSelf && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') ||
		r >= utf8.RuneSelf && r != utf8.RuneError && !unicode.IsSpace(r) && !unicode.IsControl(r)
}

func (s *scanner) word() token {
	start := s.at
	for s.at < len(s.src) {
		r, size := utf8.DecodeRuneInString(s.src[s.at:])
		if !isNamePart(r) {
			break
		}
		s.at += size
	}
	text := s.src[start:s.at]
	if s.at < len(s.src) {
		switch q := s.src[s.at]; {
		case q != '`' && q != '"' && q != '\'':
		case strings.EqualFold(text, "re"):
			return token{kind: tokRegex, text: unescapeQuote(s.quoted(q), q)}
		case strings.EqualFold(text, "b64"):
			return token{kind: tokString, text: s.base64(start, q)}
		}
	}
	return token{kind: tokName, text: text}
}

func (s *scanner) base64(start int, quote byte) string {
	b, err := base64.StdEncoding.DecodeString(s.quoted(quote))
	if err != nil || !utf8.Valid(b) {
		panic(syntaxError{start, "this is not the Base64 of a text"})
	}
	return string(b)
}

// quoted returns what is between two quotes, escapes untouched.
func (s *scanner) quoted(quote byte) string {
	start := s.at
	for i := start + 1; i < len(s.src); i++ {
		switch {
		case s.src[i] == quote:
			s.at = i + 1
			return s.src[start+1 : i]
		case s.src[i] == '\\' && quote != '`':
			i++
		}
	}
	panic(syntaxError{start, "this quote is never closed"})
}

// unescape resolves the escapes that a string may have; a backslash before
// anything else stands for itself.
func unescape(s string, quote byte) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\r`, "\r", `\`+string(quote), string(quote)).Replace(s)
}

// unescapeQuote leaves the escapes of a regular expression to it, but for that
// of the quote.
func unescapeQuote(s string, quote byte) string {
	if quote == '`' {
		return s
	}
	return strings.ReplaceAll(s, `\`+string(quote), string(quote))
}

func (s *scanner) digitAt(i int) bool { return i < len(s.src) && s.src[i] >= '0' && s.src[i] <= '9' }

func (s *scanner) digits() {
	for s.digitAt(s.at) {
		s.at++
	}
}

// number scans 12, 1.5, 5e3 and 5m.
func (s *scanner) number() token {
	start, kind := s.at, tokInt
	s.digits()
	if s.at < len(s.src) && s.src[s.at] == '.' && s.digitAt(s.at+1) {
		kind = tokFloat
		s.at++
		s.digits()
	}
	if s.exponent() {
		kind = tokFloat
	}
	unit := s.at
	for s.at < len(s.src) {
		r, size := utf8.DecodeRuneInString(s.src[s.at:])
		if !isNamePart(r) {
			break
		}
		s.at += size
	}
	switch {
	case unit == s.at:
	case slices.Contains(units(), s.src[unit:s.at]):
		kind = tokDuration
	default:
		panic(syntaxError{start, quote(s.src[start:s.at]) + " is neither a number nor a duration such as 5m; the units are " + strings.Join(units(), " ")})
	}
	return token{kind: kind, text: s.src[start:s.at]}
}

func (s *scanner) exponent() bool {
	i := s.at
	if i >= len(s.src) || s.src[i] != 'e' && s.src[i] != 'E' {
		return false
	}
	if i++; i < len(s.src) && (s.src[i] == '+' || s.src[i] == '-') {
		i++
	}
	if !s.digitAt(i) {
		return false
	}
	s.at = i
	s.digits()
	return true
}

func (s *scanner) operator() token {
	rest := s.src[s.at:]
	for _, op := range []string{"::", "!=", "<=", ">=", "&&", "||", "=="} {
		if strings.HasPrefix(rest, op) {
			s.at += len(op)
			if op == "==" {
				op = "="
			}
			return token{kind: tokOp, text: op}
		}
	}
	if strings.IndexByte(":(){}[],=<>+-*/%^;", rest[0]) >= 0 {
		s.at++
		return token{kind: tokOp, text: rest[:1]}
	}
	r, _ := utf8.DecodeRuneInString(rest)
	panic(syntaxError{s.at, "unexpected " + quote(diag.OneLine(string(r)))})
}

var date = regexp.MustCompile(`^\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?`)

// instant returns the next token where a date may stand.
func (s *scanner) instant() token {
	s.blank()
	if m := date.FindString(s.src[s.at:]); m != "" {
		t := token{kind: tokDate, text: m, pos: s.at, end: s.at + len(m)}
		s.at = t.end
		return t
	}
	return s.next()
}
