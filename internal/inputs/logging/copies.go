package logging

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Rotation by copytruncate copies a log and cuts the original off. Where the
// pattern matches the copy too, its lines are those that were read already, and
// maybe some that were not. So a new file that begins like one that is followed,
// and is named after it, is not read while that one is whole; once that one is
// cut off, or gone, the copy goes on from its place.

// originalOf returns the file that the new file at path seems to be a copy of,
// nil where there is none. Short files are never taken for copies: many logs
// begin with the same few lines.
func (r *reader) originalOf(f *file, fi fs.FileInfo) *file {
	if fi.Size() < headLen {
		return nil
	}
	dir, name := filepath.Split(f.path)
	var head sample
	for _, o := range r.order {
		odir, oname := filepath.Split(o.path)
		if odir != dir || o.original != nil || !strings.HasPrefix(name, strings.TrimSuffix(oname, filepath.Ext(oname))) {
			continue
		}
		if o.entry.Head.Len < headLen {
			continue
		}
		if head.Len == 0 {
			if head = beginning(f); head.Len < headLen {
				return nil
			}
		}
		if o.entry.Head == head {
			return o
		}
	}
	return nil
}

// beginning samples the head of a file that is not open.
func beginning(f *file) sample {
	if f.open() != nil {
		return sample{}
	}
	defer f.close()
	b, err := f.bytes(0, headLen)
	if err != nil {
		return sample{}
	}
	return sampleOf(b)
}

// doubt looks at a copy again: it may be still under way, or have turned out to
// be a file of its own.
func (r *reader) doubt(f *file, now time.Time, grew bool) {
	if grew {
		f.grown = now
	}
	e := r.ledger.peek(f.original.entry)
	if f.size < e.Offset && now.Sub(f.grown) < linger {
		return // it is not all there yet
	}
	if !f.continues(&e) {
		r.part(f)
	}
}

// continues reports that the file, which is not open, holds what e says.
func (f *file) continues(e *entry) bool {
	if f.open() != nil {
		return false
	}
	defer f.close()
	ok, err := f.holds(e.Offset, e)
	return err == nil && ok
}

// part makes a copy a file of its own, which is read from its place.
func (r *reader) part(f *file) {
	f.original, f.due = nil, true
	r.ledger.add(f.entry)
}

// handOver has the copies of o go on at offset, which is where the reading of o
// ends. It reports whether there were any.
func (r *reader) handOver(o *file, offset, lines int64) bool {
	was := r.ledger.peek(o.entry)
	found := false
	for _, f := range slices.Clone(r.order) {
		if f.original != o {
			continue
		}
		if f.continues(&was) && !found {
			found = true
			f.at = offset
			// The ledger says what the flow has taken, which may be less.
			r.ledger.note(f.entry, func(e *entry) { e.Offset, e.Lines, e.Head, e.Tail = was.Offset, was.Lines, was.Head, was.Tail })
			f.linesAt = lines
		}
		r.part(f)
	}
	return found
}
