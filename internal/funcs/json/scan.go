package json

import (
	"strconv"
	"strings"
)

// maxDepth is how deep a text may nest.
const maxDepth = 512

// A scanner passes over a JSON text and notes its parts. It is strict: what it
// takes is JSON.
type scanner struct {
	s     string
	i     int
	parts []part // noted on the way
}

func (sc *scanner) end() bool {
	sc.space()
	return sc.i == len(sc.s)
}

func (sc *scanner) space() {
	for sc.i < len(sc.s) {
		switch sc.s[sc.i] {
		case ' ', '\t', '\n', '\r':
			sc.i++
		default:
			return
		}
	}
}

// take passes over c and reports whether it was there.
func (sc *scanner) take(c byte) bool {
	if sc.i < len(sc.s) && sc.s[sc.i] == c {
		sc.i++
		return true
	}
	return false
}

func (sc *scanner) word(w string) bool {
	if strings.HasPrefix(sc.s[sc.i:], w) {
		sc.i += len(w)
		return true
	}
	return false
}

// value passes over one value and the white space before it.
func (sc *scanner) value(depth int) bool {
	sc.space()
	if sc.i >= len(sc.s) || depth > maxDepth {
		return false
	}
	at := len(sc.parts)
	sc.parts = append(sc.parts, part{start: sc.i})
	ok := sc.bare(depth)
	sc.parts[at].end, sc.parts[at].next = sc.i, len(sc.parts)
	return ok
}

// bare passes over a value that begins here.
func (sc *scanner) bare(depth int) bool {
	switch sc.s[sc.i] {
	case '{':
		return sc.object(depth)
	case '[':
		return sc.array(depth)
	case '"':
		return sc.str()
	case 't':
		return sc.word("true")
	case 'f':
		return sc.word("false")
	case 'n':
		return sc.word("null")
	}
	return sc.number()
}

func (sc *scanner) object(depth int) bool {
	sc.i++
	sc.space()
	if sc.take('}') {
		return true
	}
	for {
		sc.space()
		if sc.i >= len(sc.s) || sc.s[sc.i] != '"' || !sc.value(depth) {
			return false
		}
		sc.space()
		if !sc.take(':') || !sc.value(depth+1) {
			return false
		}
		sc.space()
		if sc.take('}') {
			return true
		}
		if !sc.take(',') {
			return false
		}
	}
}

func (sc *scanner) array(depth int) bool {
	sc.i++
	sc.space()
	if sc.take(']') {
		return true
	}
	for {
		if !sc.value(depth + 1) {
			return false
		}
		sc.space()
		if sc.take(']') {
			return true
		}
		if !sc.take(',') {
			return false
		}
	}
}

// str passes over a string.
func (sc *scanner) str() bool {
	for i := sc.i + 1; i < len(sc.s); i++ {
		switch c := sc.s[i]; {
		case c == '"':
			sc.i = i + 1
			return true
		case c < ' ':
			return false
		case c == '\\':
			n := escapeLen(sc.s[i:])
			if n == 0 {
				return false
			}
			i += n - 1
		}
	}
	return false
}

// escapeLen returns the length of the escape that s begins with, 0 for none.
func escapeLen(s string) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(s) < 6 {
			return 0
		}
		if _, err := strconv.ParseUint(s[2:6], 16, 16); err != nil {
			return 0
		}
		return 6
	}
	return 0
}

// number passes over a number that fits a float.
func (sc *scanner) number() bool {
	from := sc.i
	sc.take('-')
	if !sc.take('0') && !sc.digits() {
		return false
	}
	plain := true
	if sc.take('.') && !sc.digits() {
		return false
	}
	if sc.take('e') || sc.take('E') {
		plain = false
		if !sc.take('+') {
			sc.take('-')
		}
		if !sc.digits() {
			return false
		}
	}
	if plain && sc.i-from < 300 {
		return true
	}
	_, err := strconv.ParseFloat(sc.s[from:sc.i], 64)
	return err == nil
}

func (sc *scanner) digits() bool {
	from := sc.i
	for sc.i < len(sc.s) && '0' <= sc.s[sc.i] && sc.s[sc.i] <= '9' {
		sc.i++
	}
	return sc.i > from
}
