package install

import "strings"

// A span is a part of a text: from the first byte to behind the last.
type span struct{ start, end int }

// of returns what lies in text.
func (s span) of(text string) string { return text[s.start:s.end] }

// A pair is one key = value, with its places in the text.
type pair struct {
	path  []string // of the key, below its section
	key   span     // the key as it is written, dots and all
	value span
	line  span // from the first byte of its line to behind the last line's end
}

// A section is a header with the pairs below it; the first one of a text has no
// header.
type section struct {
	path  []string
	list  bool // the header is [[path]]
	line  span
	pairs []pair
}

// end is where a further pair of s goes: behind its last one, or its header.
func (s section) end() int {
	if n := len(s.pairs); n > 0 {
		return s.pairs[n-1].line.end
	}
	return s.line.end
}

// layout reads where in text everything stands. The text is valid TOML, which
// [spec.Parse] has seen to: layout itself refuses nothing, and on another text
// only promises to come to an end.
func layout(text string) []section {
	r := &reader{text: text}
	out := []section{{}}
	for r.skip(); r.at < len(text); r.skip() {
		line := strings.LastIndexByte(text[:r.at], '\n') + 1
		if text[r.at] == '[' {
			s := r.header()
			s.line = span{line, r.lineEnd()}
			out = append(out, s)
		} else {
			p := r.pair()
			p.line = span{line, r.lineEnd()}
			out[len(out)-1].pairs = append(out[len(out)-1].pairs, p)
		}
		r.at = max(r.lineEnd(), r.at+1)
	}
	return out
}

// A reader goes through a text.
type reader struct {
	text     string
	at       int
	comments []span // seen so far
}

// is reports whether the text goes on with one of chars.
func (r *reader) is(chars string) bool {
	return r.at < len(r.text) && strings.IndexByte(chars, r.text[r.at]) >= 0
}

// skip goes to the next byte that is neither blank nor comment.
func (r *reader) skip() {
	for ; r.at < len(r.text); r.at++ {
		switch {
		case r.is("#"): // up to the end of its line
			end := len(r.text)
			if i := strings.IndexByte(r.text[r.at:], '\n'); i >= 0 {
				end = r.at + i
			}
			r.comments = append(r.comments, span{r.at, end})
			r.at = end - 1
		case !r.is(" \t\r\n"):
			return
		}
	}
}

func (r *reader) blanks() {
	for r.is(" \t") {
		r.at++
	}
}

// lineEnd returns where the next line begins.
func (r *reader) lineEnd() int {
	if i := strings.IndexByte(r.text[min(r.at, len(r.text)):], '\n'); i >= 0 {
		return r.at + i + 1
	}
	return len(r.text)
}

func (r *reader) header() section {
	r.at++
	list := r.is("[")
	if list {
		r.at++
	}
	path, _ := r.key()
	return section{path: path, list: list}
}

// pair reads one key = value and stays behind it.
func (r *reader) pair() pair {
	path, key := r.key()
	r.blanks()
	if r.is("=") {
		r.at++
	}
	r.blanks()
	return pair{path: path, key: key, value: r.value()}
}

// key reads a key with its dots.
func (r *reader) key() (path []string, where span) {
	r.blanks()
	where = span{r.at, r.at}
	for {
		part := span{start: r.at}
		if r.is(`"'`) {
			r.value()
			part.end = r.at
			path = append(path, unquote(part.of(r.text)))
		} else {
			for r.at < len(r.text) && !r.is(" \t\r\n.=]},#") {
				r.at++
			}
			part.end = r.at
			path = append(path, part.of(r.text))
		}
		where.end = r.at
		r.blanks()
		if !r.is(".") {
			return path, where
		}
		r.at++
		r.blanks()
	}
}

// value goes behind one value.
func (r *reader) value() span {
	start := r.at
	switch rest := r.text[r.at:]; {
	case strings.HasPrefix(rest, `"""`), strings.HasPrefix(rest, "'''"):
		r.long(rest[:3])
	case r.is(`"'`):
		r.short(rest[0])
	case r.is("["):
		r.list(nil)
	case r.is("{"):
		r.table(nil)
	default:
		r.bare()
	}
	return span{start, r.at}
}

// bare reads a number, a bool or a date, which may hold one blank.
func (r *reader) bare() {
	start := r.at
	for r.at < len(r.text) && !r.is(",]}#\r\n") {
		r.at++
	}
	r.at = start + len(strings.TrimRight(r.text[start:r.at], " \t"))
}

func (r *reader) short(quote byte) {
	for r.at++; r.at < len(r.text) && r.text[r.at] != quote && r.text[r.at] != '\n'; r.at++ {
		if quote == '"' && r.text[r.at] == '\\' {
			r.at++
		}
	}
	r.at = min(r.at+1, len(r.text))
}

// long reads a string of several lines, whose end may have two quotes of its own
// before it.
func (r *reader) long(quotes string) {
	for r.at += 3; r.at < len(r.text) && !strings.HasPrefix(r.text[r.at:], quotes); r.at++ {
		if quotes[0] == '"' && r.text[r.at] == '\\' {
			r.at++
		}
	}
	r.at = min(r.at+3, len(r.text))
	for range 2 {
		if r.is(quotes[:1]) {
			r.at++
		}
	}
}

// list reads an array and hands the place of each element to each.
func (r *reader) list(each func(span)) {
	r.within("]", func() {
		v := r.value()
		if each != nil {
			each(v)
		}
	})
}

// table reads an inline table and hands each of its pairs to each.
func (r *reader) table(each func(pair)) {
	r.within("}", func() {
		p := r.pair()
		if each != nil {
			each(p)
		}
	})
}

// within reads what stands between a bracket and its end.
func (r *reader) within(end string, one func()) {
	r.at++
	for r.skip(); r.at < len(r.text); r.skip() {
		switch before := r.at; {
		case r.is(end):
			r.at++
			return
		case r.is(","):
			r.at++
		default:
			if one(); r.at == before {
				r.at++
			}
		}
	}
}

// elements returns the places of an array's elements.
func elements(text string, array span) (out []span) {
	r := &reader{text: text[:array.end], at: array.start}
	r.list(func(s span) { out = append(out, s) })
	return out
}

// members returns the pairs of an inline table.
func members(text string, table span) (out []pair) {
	r := &reader{text: text[:table.end], at: table.start}
	r.table(func(p pair) { out = append(out, p) })
	return out
}

// commentsIn returns the comments inside an array.
func commentsIn(text string, array span) []span {
	r := &reader{text: text[:array.end], at: array.start}
	r.list(nil)
	return r.comments
}
