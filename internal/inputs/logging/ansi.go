package logging

import "strings"

const escape = 0x1b

// stripANSI takes the escape sequences of terminals out of s: colours and cursor
// moves (ESC [ … letter), titles (ESC ] … BEL), and the short ones.
func stripANSI(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for {
		i := strings.IndexByte(s, escape)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		s = s[i+sequenceLen(s[i:]):]
	}
}

// sequenceLen returns how long the sequence at the beginning of s is. One that
// does not end takes the ESC alone: the text behind it may be worth reading.
func sequenceLen(s string) int {
	if len(s) < 2 {
		return 1
	}
	switch c := s[1]; {
	case c == '[':
		return controlLen(s)
	case c == ']':
		return titleLen(s)
	case c == '(' || c == ')':
		return min(3, len(s))
	case c >= 0x40 && c <= 0x5f || c == 'c' || c >= '7' && c <= '>':
		return 2
	}
	return 1
}

func controlLen(s string) int {
	for i := 2; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 0x40 && c <= 0x7e:
			return i + 1
		case c < 0x20 || c > 0x3f:
			return 1
		}
	}
	return 1
}

func titleLen(s string) int {
	if i := strings.IndexByte(s, 0x07); i >= 0 {
		return i + 1
	}
	if i := strings.Index(s, "\x1b\\"); i >= 0 {
		return i + 2
	}
	return 1
}
