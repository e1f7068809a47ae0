package json

import (
	"math"

	"datakit.dev/internal/pipeline/fn"
)

// A document is what is known of the text that was read last. Scripts take one
// part after the other out of the same message: it is checked once, and where
// its parts lie is noted once.
type document struct {
	text    string // "" for none
	parts   []part
	refused string // the text that was found to be no JSON last
}

// A part is where one value, or the key of one, lies in the text. The parts of a
// list follow it; those of a map are key and value in turn.
type part struct {
	start, end uint32 // of its text
	next       uint32 // the part that follows it and all within it
	escaped    bool   // a string that holds escapes
}

// partSize is what a part takes.
const partSize = 16

// maxKept is how many parts there is room for after a point is done.
const maxKept = 4096

// Forget lets go of the text.
func (d *document) Forget() {
	d.text, d.refused, d.parts = "", "", d.parts[:0]
	if cap(d.parts) > maxKept {
		d.parts = nil
	}
}

func documentOf(r *fn.Run) *document {
	d, ok := r.JSON.(*document)
	if !ok {
		d = new(document)
		r.JSON = d
	}
	return d
}

// open notes the parts of text, and returns nil where it is not JSON.
func open(r *fn.Run, text string) (*document, error) {
	d := documentOf(r)
	if d.text == text && text != "" {
		return d, nil
	}
	if d.refused == text && text != "" { // a record that was cut off, and half a dozen calls that read it
		return nil, nil //nolint:nilnil // as below
	}
	if err := r.Step(len(text) / 8); err != nil {
		return nil, err
	}
	if len(text) > math.MaxInt32 {
		return nil, nil //nolint:nilnil // no document, and no reason to end the script
	}
	sc := scanner{s: text, parts: d.parts[:0], run: r}
	ok := sc.document()
	d.parts = sc.parts
	if !ok {
		d.text = ""
		if sc.err == nil {
			d.refused = text
		}
		return nil, sc.err
	}
	d.text = text
	return d, nil
}

// find returns the part that the path leads to.
func (d *document) find(path []step) (int, bool) {
	at := 0
	for _, st := range path {
		switch c := d.text[d.parts[at].start]; {
		case st.list && c == '[':
			at = d.index(at, st.index)
		case !st.list && c == '{':
			at = d.key(at, st.key)
		default:
			return 0, false
		}
		if at < 0 {
			return 0, false
		}
	}
	return at, true
}

// key returns the value of a key of the map at, the last one where there are
// several; -1 where there is none.
func (d *document) key(at int, key string) int {
	found := -1
	for i, end := at+1, int(d.parts[at].next); i < end; i = int(d.parts[i+1].next) {
		if d.isKey(d.parts[i], key) {
			found = i + 1
		}
	}
	return found
}

func (d *document) isKey(p part, key string) bool {
	if p.escaped {
		return unescape(d.text[p.start+1:p.end-1]) == key
	}
	return int(p.end-p.start) == len(key)+2 && d.text[p.start+1:p.end-1] == key
}

// index returns element n of the list at, counted from the end where n is
// negative; -1 where there is none.
func (d *document) index(at, n int) int {
	if n < 0 {
		n += d.count(at)
	}
	if n < 0 {
		return -1
	}
	for i, end := at+1, int(d.parts[at].next); i < end; i = int(d.parts[i].next) {
		if n == 0 {
			return i
		}
		n--
	}
	return -1
}
