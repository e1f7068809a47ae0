package logging

import "bytes"

// A record is one text in a buffer, and where the bytes that it took end.
type record struct {
	from, to int // of the text, without its line end
	end      int // behind its line end
	lines    int // whose end it holds
	part     int // of a text that was split, from 1; 0 for a whole one
}

// A framer finds the records in the bytes of a file.
type framer struct {
	encoding encoding
	rule     rule
	max      int
}

// A frame is how far the record at the start of a file's buffer has been looked
// at, so that what comes in small bits is not looked at again with each.
type frame struct {
	scanned int  // behind the last line end that was seen
	lines   int  // in the bytes before scanned
	seen    int  // no line end lies between scanned and here
	part    int  // parts that this text has given so far
	matched bool // some line has begun a record
}

// cut appends to out the records that are complete in buf, the first of which
// begins at start, and returns where the one that is not begins.
func (fr *framer) cut(out []record, buf []byte, start int, st *frame) ([]record, int) {
	for {
		from := start + st.scanned
		i := fr.encoding.lineEnd(buf[start+st.seen:])
		if i < 0 {
			return fr.long(out, buf, start, st)
		}
		i += start + st.seen
		next := i + fr.encoding.unit
		line := buf[from:i]
		if st.part == 0 && st.scanned > 0 && (fr.begins(line, st) || next-start > fr.max) {
			out, start = fr.emit(out, buf, start, from, st)
			st.seen = next - start
		} else if st.scanned == 0 && st.part == 0 {
			fr.begins(line, st)
		}
		for i-start > fr.max {
			out, start = fr.split(out, buf, start, st)
		}
		st.scanned, st.seen = next-start, next-start
		st.lines++
		if fr.single(st) || st.part > 0 {
			out, start = fr.emit(out, buf, start, next, st)
		}
	}
}

// single reports that each line is a record.
func (fr *framer) single(st *frame) bool {
	return len(fr.rule.first) == 0 || fr.rule.auto && !st.matched
}

// begins reports that line is the first of a record.
func (fr *framer) begins(line []byte, st *frame) bool {
	if len(fr.rule.first) == 0 {
		return true
	}
	line = fr.encoding.text(line)
	for _, re := range fr.rule.first {
		if re.Match(line) {
			st.matched = true
			return true
		}
	}
	return false
}

// long gives away what has no end in sight and fits no record any more.
func (fr *framer) long(out []record, buf []byte, start int, st *frame) ([]record, int) {
	if st.scanned > 0 && len(buf)-start > fr.max {
		out, start = fr.emit(out, buf, start, start+st.scanned, st)
	}
	for len(buf)-start > fr.max {
		out, start = fr.split(out, buf, start, st)
	}
	// The last bytes may be the half of a line end of two.
	st.seen = max(st.scanned, (len(buf)-start)&^1)
	return out, start
}

// split takes as much as a record may hold off a line.
func (fr *framer) split(out []record, buf []byte, start int, st *frame) ([]record, int) {
	to := start + fr.encoding.whole(buf[start:], fr.max)
	st.part++
	out = append(out, record{from: start, to: to, end: to, part: st.part})
	st.scanned, st.seen = 0, 0
	return out, to
}

// emit takes the record between start and end.
func (fr *framer) emit(out []record, buf []byte, start, end int, st *frame) ([]record, int) {
	r := record{from: start, to: fr.trim(buf, start, end), end: end, lines: st.lines}
	if st.part > 0 {
		r.part = st.part + 1
	}
	*st = frame{matched: st.matched}
	return append(out, r), end
}

// flush takes what is there as a record: nothing more is to come for it.
func (fr *framer) flush(out []record, buf []byte, start int, st *frame) ([]record, int) {
	end := len(buf)
	if fr.encoding.unit == 2 {
		end -= (end - start) % 2 // half a character would shift all that follow
	}
	if end == start {
		return out, start
	}
	return fr.emit(out, buf, start, end, st)
}

// trim returns where the text of buf[start:end] ends: before its line ends.
func (fr *framer) trim(buf []byte, start, end int) int {
	if fr.encoding.unit < 2 {
		return start + len(bytes.TrimRight(buf[start:end], "\r\n"))
	}
	for end-start >= 2 {
		a, b := buf[end-2], buf[end-1]
		if fr.encoding.little {
			a, b = b, a
		}
		if a != 0 || b != '\n' && b != '\r' {
			break
		}
		end -= 2
	}
	return end
}
