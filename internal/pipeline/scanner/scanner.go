// Package scanner cuts a script into tokens.
package scanner

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"datakit.dev/internal/pipeline/token"
)

// A Scanner reads one script from its beginning.
type Scanner struct {
	src      string
	pos      int
	comments bool // are tokens
}

// New returns a scanner of src.
func New(src string) *Scanner { return &Scanner{src: src} }

// NewWithComments returns a scanner of src for which comments are tokens.
func NewWithComments(src string) *Scanner { return &Scanner{src: src, comments: true} }

// Next returns the next token; white space other than newlines is skipped, and
// so are comments where they are not asked for. After the end it returns EOF again and again.
func (s *Scanner) Next() token.Token {
	s.skip()
	if s.pos >= len(s.src) {
		return token.Token{Kind: token.EOF, Pos: token.Pos(len(s.src))}
	}
	switch c := s.src[s.pos]; {
	case isDigit(c):
		return s.number()
	case isLetter(c) || c >= utf8.RuneSelf:
		return s.word()
	case c == '#':
		return s.emit(token.Comment, s.comment())
	case c == '"' || c == '\'':
		return s.str(c)
	case c == '`':
		return s.quoted()
	}
	return s.operator()
}

// skip passes over white space and comments. A carriage return is white space,
// so that a script written on Windows reads the same.
func (s *Scanner) skip() {
	for s.pos < len(s.src) {
		switch s.src[s.pos] {
		case ' ', '\t', '\r':
			s.pos++
		case '#':
			if s.comments {
				return
			}
			s.pos += s.comment()
		default:
			return
		}
	}
}

// comment returns the length of the comment at pos; its newline is none of it.
func (s *Scanner) comment() int {
	if end := strings.IndexAny(s.src[s.pos:], "\r\n"); end >= 0 {
		return end
	}
	return len(s.src) - s.pos
}

// emit returns the n bytes at pos as a token.
func (s *Scanner) emit(kind token.Kind, n int) token.Token {
	t := token.Token{Kind: kind, Pos: token.Pos(s.pos), Text: s.src[s.pos : s.pos+n]}
	s.pos += n
	return t
}

// illegal returns a token that says what is wrong at pos, and goes on behind n
// bytes.
func (s *Scanner) illegal(n int, format string, args ...any) token.Token {
	t := token.Token{Kind: token.Illegal, Pos: token.Pos(s.pos), Text: fmt.Sprintf(format, args...)}
	s.pos = min(s.pos+n, len(s.src))
	return t
}

func (s *Scanner) operator() token.Token {
	rest := s.src[s.pos:]
	if len(rest) > 1 {
		if kind := double(rest[:2]); kind != token.Illegal {
			return s.emit(kind, 2)
		}
	}
	if kind := single(rest[0]); kind != token.Illegal {
		return s.emit(kind, 1)
	}
	switch c := rest[0]; c {
	case '&', '|':
		return s.illegal(1, "unexpected %q: the operator is %s", c, strings.Repeat(string(c), 2))
	}
	return s.illegal(1, "unexpected character %q", rest[0])
}

func double(op string) token.Kind {
	switch op {
	case "==":
		return token.Equal
	case "!=":
		return token.NotEqual
	case "<=":
		return token.LessEqual
	case ">=":
		return token.GreaterEqual
	case "&&":
		return token.And
	case "||":
		return token.Or
	case "+=":
		return token.AddAssign
	case "-=":
		return token.SubAssign
	case "*=":
		return token.MulAssign
	case "/=":
		return token.DivAssign
	case "%=":
		return token.ModAssign
	}
	return token.Illegal
}

var singles = [utf8.RuneSelf]token.Kind{ //nolint:gochecknoglobals // a table, never written
	'\n': token.EOL, ';': token.Semicolon, ',': token.Comma, ':': token.Colon, '.': token.Dot,
	'(': token.LeftParen, ')': token.RightParen, '[': token.LeftBracket, ']': token.RightBracket,
	'{': token.LeftBrace, '}': token.RightBrace,
	'+': token.Add, '-': token.Sub, '*': token.Mul, '/': token.Div, '%': token.Mod,
	'=': token.Assign, '<': token.Less, '>': token.Greater, '!': token.Not,
}

func single(c byte) token.Kind {
	if c >= utf8.RuneSelf {
		return token.Illegal
	}
	return singles[c]
}

func (s *Scanner) word() token.Token {
	n := 0
	for rest := s.src[s.pos:]; n < len(rest); {
		c := rest[n]
		if c < utf8.RuneSelf {
			if !isLetter(c) && !isDigit(c) {
				break
			}
			n++
			continue
		}
		r, size := utf8.DecodeRuneInString(rest[n:])
		if r == utf8.RuneError && size == 1 {
			return s.illegal(n+1, "invalid UTF-8 in a name")
		}
		n += size
	}
	return s.emit(token.Lookup(s.src[s.pos:s.pos+n]), n)
}

// number scans digits, a fraction and an exponent. What the digits are worth
// is the parser's business: 08 is a float, 010 an octal int.
func (s *Scanner) number() token.Token {
	rest := s.src[s.pos:]
	n, digit := 0, isDigit
	if strings.HasPrefix(rest, "0x") || strings.HasPrefix(rest, "0X") {
		n, digit = 2, isHex
	}
	n += span(rest[n:], digit)
	if strings.HasPrefix(rest[n:], ".") {
		n++
		n += span(rest[n:], digit)
	}
	n += exponent(rest[n:])
	if bad := span(rest[n:], isAlphanumeric); bad > 0 {
		return s.illegal(n+bad, "bad number %s: unexpected %q", rest[:n], rest[n])
	}
	return s.emit(token.Number, n)
}

// span returns how many bytes at the start of s are ok.
func span(s string, ok func(byte) bool) int {
	for i := range len(s) {
		if !ok(s[i]) {
			return i
		}
	}
	return len(s)
}

// exponent returns the length of the exponent that s begins with, 0 for none.
func exponent(s string) int {
	if s == "" || s[0] != 'e' && s[0] != 'E' {
		return 0
	}
	n := 1
	if n < len(s) && (s[n] == '+' || s[n] == '-') {
		n++
	}
	return n + span(s[n:], isDigit)
}

// quoted scans a name in backticks.
func (s *Scanner) quoted() token.Token {
	rest := s.src[s.pos:]
	end := strings.IndexByte(rest[1:], '`')
	if end < 0 {
		return s.illegal(len(rest), "a name in backticks is not closed")
	}
	name := rest[1 : 1+end]
	if strings.ContainsRune(name, utf8.RuneError) {
		return s.illegal(end+2, "invalid UTF-8 in a name")
	}
	t := token.Token{Kind: token.Ident, Pos: token.Pos(s.pos), Text: name}
	s.pos += end + 2
	return t
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }

func isAlphanumeric(c byte) bool { return isLetter(c) || isDigit(c) }

func isLetter(c byte) bool { return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
