package grok

import (
	"strings"
	"unicode/utf8"
)

// A charset is a set of characters, laid out for a scan by bytes. Text need not
// be valid UTF-8: as in package regexp a byte that begins no character counts
// as U+FFFD.
type charset struct {
	// bytes holds the ASCII members. The bytes from 0x80 are all members where
	// every character beyond ASCII is one, so that a scan needs no decoding.
	bytes [256]bool
	// ranges holds the members as pairs, first and last, where some but not
	// all characters beyond ASCII are members; it is nil otherwise.
	ranges []rune
	// stop is the only byte that is no member, or -1 where there are more or none.
	stop int
	// wide is set where some character beyond ASCII is a member.
	wide bool
	// all is set where every character is a member.
	all bool
	// first is the set of bytes that a member can begin with.
	first symbols
}

// newCharset makes the set of ranges, pairs of first and last in ascending order.
func newCharset(ranges []rune) *charset {
	s := &charset{stop: -1}
	full := false
	for i := 0; i < len(ranges); i += 2 {
		first, last := ranges[i], ranges[i+1]
		for r := first; r <= last && r < utf8.RuneSelf; r++ {
			s.bytes[r] = true
		}
		s.wide = s.wide || last >= utf8.RuneSelf
		full = full || first <= utf8.RuneSelf && last == utf8.MaxRune
	}
	switch {
	case full:
		s.fill()
	case s.wide:
		s.ranges = ranges
	}
	s.first = symbolsWhere(func(symbol int) bool {
		return symbol != endOfText && (s.bytes[symbol] || s.wide && symbol >= utf8.RuneSelf)
	})
	return s
}

// fill makes every character beyond ASCII a member.
func (s *charset) fill() {
	outside := 0
	for b := range s.bytes {
		if b >= utf8.RuneSelf {
			s.bytes[b] = true
		}
		if !s.bytes[b] {
			outside++
			s.stop = b
		}
	}
	s.all = outside == 0
	if outside != 1 {
		s.stop = -1
	}
}

func (s *charset) contains(r rune) bool {
	low, high := 0, len(s.ranges)/2
	for low < high {
		mid := (low + high) / 2
		switch {
		case r < s.ranges[2*mid]:
			high = mid
		case r > s.ranges[2*mid+1]:
			low = mid + 1
		default:
			return true
		}
	}
	return false
}

// step returns the position after the character at a position, or -1 if it is
// no member.
func (s *charset) step(text string, at int) int {
	if at >= len(text) {
		return -1
	}
	if b := text[at]; b < utf8.RuneSelf {
		if s.bytes[b] {
			return at + 1
		}
		return -1
	}
	return s.stepWide(text, at)
}

func (s *charset) stepWide(text string, at int) int {
	if !s.wide {
		return -1
	}
	r, width := utf8.DecodeRuneInString(text[at:])
	if s.ranges != nil && !s.contains(r) {
		return -1
	}
	return at + width
}

// span returns the end of the longest run of members.
func (s *charset) span(text string, at int) int {
	if s.all {
		return len(text)
	}
	if s.stop >= 0 {
		if i := strings.IndexByte(text[at:], byte(s.stop)); i >= 0 {
			return at + i
		}
		return len(text)
	}
	for {
		at = s.spanBytes(text, at)
		if s.ranges == nil || at == len(text) || text[at] < utf8.RuneSelf {
			return at
		}
		next := s.stepWide(text, at)
		if next < 0 {
			return at
		}
		at = next
	}
}

func (s *charset) spanBytes(text string, at int) int {
	rest := text[at:]
	for i := range len(rest) {
		if !s.bytes[rest[i]] {
			return at + i
		}
	}
	return len(text)
}

// spanUpTo returns the end of the longest run of at most limit members, and
// how many they are.
func (s *charset) spanUpTo(text string, at, limit int) (end, count int) {
	for count < limit {
		next := s.step(text, at)
		if next < 0 {
			break
		}
		at = next
		count++
	}
	return at, count
}

// stepBack returns the start of the character that ends at a position.
func stepBack(text string, at int) int {
	if text[at-1] < utf8.RuneSelf {
		return at - 1
	}
	return stepBackWide(text, at)
}

func stepBackWide(text string, at int) int {
	_, width := utf8.DecodeLastRuneInString(text[:at])
	return at - width
}

// stepOver returns the end of the character that starts at a position.
func stepOver(text string, at int) int {
	if at >= len(text) || text[at] < utf8.RuneSelf {
		return at + 1
	}
	_, width := utf8.DecodeRuneInString(text[at:])
	return at + width
}
