package json

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"datakit.dev/internal/pipeline/fn"
)

// maxDepth is how deep a text may nest.
const maxDepth = 512

// bad is where a scan ends that found no JSON.
const bad = -1

// A scanner passes over a JSON text and notes its parts.
//
// It takes what the library takes whose reading the field's scripts were written
// against, which is more than JSON: control characters in strings, bytes that are
// no UTF-8, any number that Go reads, and anything after a NUL.
type scanner struct {
	s     string
	parts []part
	run   *fn.Run // that pays for the parts
	err   error
}

// document passes over one value with white space around it.
func (sc *scanner) document() bool {
	i := sc.value(sc.space(0), 0)
	if i == bad {
		return false
	}
	i = sc.space(i)
	return i == len(sc.s) || sc.s[i] == 0
}

// space returns where the white space at i ends.
func (sc *scanner) space(i int) int {
	for i < len(sc.s) && sc.s[i] <= ' ' {
		switch sc.s[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

// note adds a part. It is false where the run has no memory for more.
func (sc *scanner) note(from, to int, escaped bool) bool {
	n := len(sc.parts)
	if n == cap(sc.parts) {
		more := max(n, 64)
		if sc.err = sc.run.Alloc(more * partSize); sc.err != nil {
			return false
		}
		sc.parts = slices.Grow(sc.parts, more)
	}
	sc.parts = append(sc.parts, part{start: uint32(from), end: uint32(to), next: uint32(n + 1), escaped: escaped})
	return true
}

// value passes over the value at i and returns where it ends.
func (sc *scanner) value(i, depth int) int {
	if i >= len(sc.s) || depth > maxDepth {
		return bad
	}
	var end int
	switch sc.s[i] {
	case '"':
		return sc.str(i)
	case '{', '[':
		return sc.composite(i, depth)
	case 't':
		end = sc.word(i, "true")
	case 'f':
		end = sc.word(i, "false")
	case 'n':
		end = sc.word(i, "null")
	default:
		end = number(sc.s, i)
	}
	if end == bad || !sc.note(i, end, false) {
		return bad
	}
	return end
}

func (sc *scanner) word(i int, w string) int {
	if strings.HasPrefix(sc.s[i:], w) {
		return i + len(w)
	}
	return bad
}

// composite passes over a list or a map.
func (sc *scanner) composite(i, depth int) int {
	at := len(sc.parts)
	if !sc.note(i, i, false) {
		return bad
	}
	if sc.s[i] == '{' {
		i = sc.object(i+1, depth)
	} else {
		i = sc.array(i+1, depth)
	}
	if i != bad {
		p := &sc.parts[at]
		p.end, p.next = uint32(i), uint32(len(sc.parts))
	}
	return i
}

func (sc *scanner) object(i, depth int) int {
	i = sc.space(i)
	if i < len(sc.s) && sc.s[i] == '}' {
		return i + 1
	}
	for {
		if i >= len(sc.s) || sc.s[i] != '"' {
			return bad
		}
		if i = sc.str(i); i == bad {
			return bad
		}
		if i = sc.space(i); i >= len(sc.s) || sc.s[i] != ':' {
			return bad
		}
		if i = sc.value(sc.space(i+1), depth+1); i == bad {
			return bad
		}
		if i = sc.space(i); i >= len(sc.s) {
			return bad
		}
		if sc.s[i] == '}' {
			return i + 1
		}
		if sc.s[i] != ',' {
			return bad
		}
		i = sc.space(i + 1)
	}
}

func (sc *scanner) array(i, depth int) int {
	i = sc.space(i)
	if i < len(sc.s) && sc.s[i] == ']' {
		return i + 1
	}
	for {
		if i = sc.value(i, depth+1); i == bad {
			return bad
		}
		if i = sc.space(i); i >= len(sc.s) {
			return bad
		}
		if sc.s[i] == ']' {
			return i + 1
		}
		if sc.s[i] != ',' {
			return bad
		}
		i = sc.space(i + 1)
	}
}

// str passes over the string at i.
func (sc *scanner) str(i int) int {
	from, escaped := i, false
	for i = plain(sc.s, i+1); i < len(sc.s); i = plain(sc.s, i) {
		switch sc.s[i] {
		case '"':
			if !sc.note(from, i+1, escaped) {
				return bad
			}
			return i + 1
		case '\\':
			n := escapeLen(sc.s[i:])
			if n == 0 {
				return bad
			}
			escaped = true
			i += n
		default:
			return bad
		}
	}
	return bad
}

// plain returns where the bytes from i on end that are no quote, no backslash and
// no NUL. It looks at eight at once: of each byte that is the one looked for, and
// of none before it, the highest bit is set.
func plain(s string, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(s); i += 8 {
		w := load(s[i : i+8])
		quote, slash := w^(ones*'"'), w^(ones*'\\')
		if found := ((w-ones)&^w | (quote-ones)&^quote | (slash-ones)&^slash) & highs; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(s) && s[i] != '"' && s[i] != '\\' && s[i] != 0 {
		i++
	}
	return i
}

// load returns eight bytes, the first one lowest.
func load(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
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

// number passes over the number at i.
func number(s string, i int) int {
	from := i
	if s[i] == '-' {
		i++
	}
	whole := digits(s, i)
	if whole == from { // neither a sign nor a digit
		return bad
	}
	end := whole
	if end < len(s) && s[end] == '.' {
		end = digits(s, end+1)
	}
	const surely = 300 // digits fit a float
	if whole > i && end-from < surely && (end == len(s) || !isNumber(s[end])) {
		return end
	}
	for end < len(s) && isNumber(s[end]) {
		end++
	}
	if _, err := strconv.ParseFloat(s[from:end], 64); err != nil {
		return bad
	}
	return end
}

// digits returns where the digits at i end.
func digits(s string, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isNumber reports whether c may be part of a number.
func isNumber(c byte) bool {
	return isDigit(c) || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-'
}
