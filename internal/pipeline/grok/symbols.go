package grok

// endOfText is the symbol after the last byte.
const endOfText = 256

// symbols is a set of what can come next in a text: one of 256 bytes or its end.
type symbols [5]uint64

func (s *symbols) add(symbol int) { s[symbol>>6] |= 1 << (symbol & 63) }

func (s *symbols) has(symbol int) bool { return s[symbol>>6]>>(symbol&63)&1 != 0 }

func (s symbols) or(t symbols) symbols {
	for i := range s {
		s[i] |= t[i]
	}
	return s
}

func (s symbols) and(t symbols) symbols {
	for i := range s {
		s[i] &= t[i]
	}
	return s
}

func (s symbols) overlaps(t symbols) bool { return s.and(t) != symbols{} }

// table is the set as one lookup.
func (s symbols) table() *[endOfText + 1]bool {
	var table [endOfText + 1]bool
	for symbol := range table {
		table[symbol] = s.has(symbol)
	}
	return &table
}

// single returns the only byte of the set.
func (s symbols) single() (symbol byte, ok bool) {
	count := 0
	for i := range endOfText + 1 {
		if s.has(i) {
			symbol = byte(i)
			count++
		}
	}
	return symbol, count == 1 && !s.has(endOfText)
}

func symbolsWhere(member func(symbol int) bool) symbols {
	var s symbols
	for symbol := range endOfText + 1 {
		if member(symbol) {
			s.add(symbol)
		}
	}
	return s
}

func symbolsOf(b byte) symbols {
	var s symbols
	s.add(int(b))
	return s
}

func allSymbols() symbols { return symbols{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0), 1} }

// wordSymbols is what isWord is true for, 64 bytes an element.
func wordSymbols() symbols { return symbols{0x03ff000000000000, 0x07fffffe87fffffe} }

// isWord reports whether \b counts a byte as part of a word: ASCII only, as in
// package regexp.
func isWord(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z'
}
