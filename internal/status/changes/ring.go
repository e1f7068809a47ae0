package changes

import (
	"sort"
	"strings"
)

// ring keeps the newest entries within a count and a number of bytes.
type ring struct {
	limit   int
	entries []Entry
	bytes   int
	lost    uint64 // the ID of the newest entry that was given up
}

func (r *ring) add(e Entry) {
	r.entries = append(r.entries, e)
	r.bytes += e.size()
	drop := 0
	for len(r.entries)-drop > r.limit || r.bytes > maxBytes && len(r.entries)-drop > 1 {
		r.bytes -= r.entries[drop].size()
		r.lost = r.entries[drop].ID
		drop++
	}
	if drop > 0 {
		clear(r.entries[:drop]) // what is given up must not be held by the array
		r.entries = r.entries[drop:]
	}
}

// since appends to list at most limit entries behind the ID since.
func (r *ring) since(list []Entry, since uint64, limit int, wanted func(Kind) bool) []Entry {
	from := sort.Search(len(r.entries), func(i int) bool { return r.entries[i].ID > since })
	for _, e := range r.entries[from:] {
		if limit <= 0 {
			break
		}
		if wanted(e.Kind) {
			list = append(list, e)
			limit--
		}
	}
	return list
}

// entrySize is what an entry takes beside its texts.
const entrySize = 256

func (e Entry) size() int {
	n := entrySize
	if c := e.Change; c != nil {
		n += len(c.Store) + len(c.Key) + len(c.Revision) + len(c.Error) + len(c.Diff)
		for _, s := range c.Steps {
			n += 64 + len(s.Unit) + len(s.Error)
		}
	}
	if u := e.Unit; u != nil {
		n += len(u.ID) + len(u.Error)
	}
	if s := e.Store; s != nil {
		n += len(s.ID) + len(s.Error)
	}
	return n
}

// The bounds of one entry's parts.
const (
	maxName  = 1 << 10
	maxError = 2 << 10
	maxSteps = 100
)

// bound cuts what is too long: of a key of a thousand tables, or of an error
// that repeats a whole answer.
func (e *Entry) bound() {
	if e.Change != nil {
		c := *e.Change // the caller's stays whole
		c.bound()
		e.Change = &c
	}
	if e.Unit != nil {
		u := *e.Unit
		u.ID, u.Error = cut(u.ID, maxName), cut(u.Error, maxError)
		e.Unit = &u
	}
	if e.Store != nil {
		s := *e.Store
		s.ID, s.Error = cut(s.ID, maxName), cut(s.Error, maxError)
		e.Store = &s
	}
}

func (c *Change) bound() {
	c.Key, c.Revision, c.Error = cut(c.Key, maxName), cut(c.Revision, maxName), cut(c.Error, maxError)
	if len(c.Diff) > maxText {
		// Whole lines: half a line could be read as another value.
		c.Diff = cut(c.Diff, maxText)
		c.Diff = c.Diff[:strings.LastIndexByte(c.Diff, '\n')+1]
		c.Cut = true
	}
	if len(c.Steps) > maxSteps {
		c.Steps, c.Cut = c.Steps[:maxSteps], true
	}
	steps := make([]Step, len(c.Steps)) // never null, and not the caller's
	copy(steps, c.Steps)
	for i := range steps {
		steps[i].Unit, steps[i].Error = cut(steps[i].Unit, maxName), cut(steps[i].Error, maxError)
	}
	c.Steps = steps
}

// cut bounds s to n bytes of whole characters, and makes a copy of them: a piece
// of a megabyte would keep all of it.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(strings.Clone(s[:n]), "")
}
