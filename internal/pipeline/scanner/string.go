package scanner

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"datakit.dev/internal/pipeline/token"
)

// str scans a string up to its closing quote; three quotes open a raw one.
func (s *Scanner) str(quote byte) token.Token {
	rest := s.src[s.pos:]
	if strings.HasPrefix(rest[1:], string([]byte{quote, quote})) {
		return s.raw()
	}
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case quote:
			return s.emit(token.String, i+1)
		case '\\':
			i++
			if i < len(rest) && rest[i] == '\n' {
				return s.illegal(i, "a string is not closed on its line")
			}
		case '\n':
			return s.illegal(i, "a string is not closed on its line")
		}
	}
	return s.illegal(len(rest), "a string is not closed")
}

// raw scans a string in three quotes. Any three quotes in a row end it, of
// either kind; the parser then refuses a closer that differs from the opener.
func (s *Scanner) raw() token.Token {
	rest := s.src[s.pos:]
	isQuote := func(i int) bool { return i < len(rest) && (rest[i] == '"' || rest[i] == '\'') }
	for i := 3; i < len(rest); i++ {
		if !isQuote(i) || !isQuote(i+1) {
			continue
		}
		if isQuote(i + 2) {
			return s.emit(token.Raw, i+3)
		}
		i++
	}
	return s.illegal(len(rest), "a string in three quotes is not closed")
}

var errQuotes = errors.New("the three quotes that open and close a string differ")

// UnquoteRaw returns the content of a [token.Raw].
func UnquoteRaw(text string) (string, error) {
	open, body, end := text[:3], text[3:len(text)-3], text[len(text)-3:]
	if open != end {
		return "", errQuotes
	}
	if utf8.ValidString(body) {
		return body, nil
	}
	return string([]rune(body)), nil
}

// Unquote returns the content of a [token.String], its escapes resolved.
func Unquote(text string) (string, error) {
	quote, body := text[0], text[1:len(text)-1]
	if strings.IndexByte(body, '\\') < 0 {
		return body, nil
	}
	var b strings.Builder
	for body != "" {
		plain, rest, found := strings.Cut(body, `\`)
		b.WriteString(plain)
		if !found {
			break
		}
		n, err := escape(&b, rest, quote)
		if err != nil {
			return "", err
		}
		body = rest[n:]
	}
	return b.String(), nil
}

// escape writes what the escape at the start of s (behind its backslash) stands
// for, and returns its length.
func escape(b *strings.Builder, s string, quote byte) (int, error) {
	switch c := s[0]; c {
	case 'a', 'b', 'f', 'n', 'r', 't', 'v':
		b.WriteByte("\a\b\f\n\r\t\v"[strings.IndexByte("abfnrtv", c)])
		return 1, nil
	case '\\', quote:
		b.WriteByte(c)
		return 1, nil
	case 'x':
		v, err := digits(s[1:], 2, 16)
		b.WriteByte(byte(v))
		return 3, err
	case 'u':
		v, err := codePoint(s[1:], 4)
		b.WriteRune(v)
		return 5, err
	case 'U':
		v, err := codePoint(s[1:], 8)
		b.WriteRune(v)
		return 9, err
	case '0', '1', '2', '3', '4', '5', '6', '7':
		v, err := digits(s, 3, 8)
		if v > 255 {
			err = fmt.Errorf(`escape \%s is over \377`, s[:3])
		}
		b.WriteByte(byte(v))
		return 3, err
	}
	r, _ := utf8.DecodeRuneInString(s)
	return 0, fmt.Errorf("unknown escape %q", `\`+string(r))
}

func codePoint(s string, n int) (rune, error) {
	v, err := digits(s, n, 16)
	if err == nil && !utf8.ValidRune(rune(v)) {
		err = fmt.Errorf("escape %s is no Unicode character", s[:n])
	}
	return rune(v), err
}

// digits returns the value of the first n digits of s.
func digits(s string, n, base int) (uint32, error) {
	if len(s) < n {
		return 0, fmt.Errorf("an escape needs %d digits", n)
	}
	var v uint32
	for _, c := range []byte(s[:n]) {
		d := digitValue(c)
		if d >= base {
			return 0, fmt.Errorf("unexpected %q in an escape of %d digits", c, n)
		}
		v = v*uint32(base) + uint32(d)
	}
	return v, nil
}

func digitValue(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case isHex(c):
		return int(c|0x20-'a') + 10
	}
	return 16
}
