package recent

import (
	"slices"
	"strings"
	"sync/atomic"
	"unique"

	"datakit.dev/internal/point"
	"datakit.dev/internal/point/block"
)

const (
	firstRows  = 8        // of the first chunk of a series
	chunkBytes = 16 << 10 // of a grown one, about
	mostRows   = 1024
	maxOpen    = 16 // sets of fields of one series that are appended to in turn
)

// The memory of a series and a chunk beside their lists, and of a text: as the
// allocator rounds them up.
const (
	seriesBytes = 256
	tagBytes    = 64
	emptyChunk  = 256
	columnBytes = 80
	layoutBytes = 96
)

// A series is the points of one set of tags.
type series struct {
	hash   uint64
	tags   []point.Tag
	kept   []unique.Handle[string] // keep the texts of the tags shared with other series
	bytes  int64
	next   *series                  // with the same hash
	after  *series                  // whose point came behind the last one of this
	open   []*chunk                 // one for each set of fields
	chunks atomic.Pointer[[]*chunk] // for readers, oldest first
}

func newSeries(tags []point.Tag, hash uint64) *series {
	sr := &series{hash: hash, tags: make([]point.Tag, len(tags)), kept: make([]unique.Handle[string], 0, 2*len(tags)), bytes: seriesBytes}
	for i, t := range tags {
		k, v := unique.Make(t.Key), unique.Make(t.Value)
		sr.kept = append(sr.kept, k, v)
		sr.tags[i] = point.Tag{Key: k.Value(), Value: v.Value()}
		// In full, although others may share them: who goes first must not
		// leave the bytes to nobody.
		sr.bytes += tagBytes + int64(len(t.Key)+len(t.Value))
	}
	sr.chunks.Store(new([]*chunk))
	return sr
}

// append takes a point for which an open chunk is made, and has room. That is
// nearly every point, and costs one look at each field.
func (sr *series) append(p *point.Point, now int64) (c *chunk, grown int64) {
	for _, c := range sr.open {
		n, ok := c.append(p, now)
		grown += n
		if ok {
			return c, grown
		}
	}
	return nil, grown
}

// chunkFor returns the open chunk for points with these fields, in whatever order,
// as they are in from a map; or nil.
func (sr *series) chunkFor(fields []point.Field) *chunk {
	for _, c := range sr.open {
		if c.layout.holds(fields) {
			return c
		}
	}
	return nil
}

func (sr *series) closeChunk(c *chunk) {
	sr.open = slices.DeleteFunc(sr.open, func(have *chunk) bool { return have == c })
}

// publish makes c one that is appended to and read, and returns what it costs.
func (sr *series) publish(c *chunk) int64 {
	sr.open = append(sr.open, c)
	list := append(*sr.chunks.Load(), c)
	sr.chunks.Store(&list)
	return c.bytes
}

// A layout is the fields that every point of a chunk has.
type layout struct {
	columns []block.Column // without values
	texts   int            // so many of them are texts
	bytes   int64
	own     bool // of one chunk alone, which counts its bytes
}

func layoutOf(fields []point.Field) *layout {
	l := &layout{columns: make([]block.Column, 0, len(fields)), bytes: layoutBytes + columnBytes*int64(len(fields))}
	for _, f := range fields {
		kind := f.Value.Kind()
		if !block.Holds(kind) || slices.ContainsFunc(l.columns, func(c block.Column) bool { return c.Key == f.Key }) {
			continue
		}
		if kind == point.String {
			l.texts++
		}
		l.columns = append(l.columns, block.Column{Key: strings.Clone(f.Key), Kind: kind})
		l.bytes += int64(len(f.Key))
	}
	return l
}

// same reports whether the fields are those of l, in its order.
func (l *layout) same(fields []point.Field) bool {
	return slices.EqualFunc(l.columns, fields, func(c block.Column, f point.Field) bool {
		return c.Key == f.Key && c.Kind == f.Value.Kind()
	})
}

// holds reports whether the fields that can be kept are those of l, in any order.
func (l *layout) holds(fields []point.Field) bool {
	n := 0
	for i := range fields {
		kind := fields[i].Value.Kind()
		if !block.Holds(kind) {
			continue
		}
		if j := l.index(fields[i].Key); j < 0 || l.columns[j].Kind != kind {
			return false
		}
		n++
	}
	return n == len(l.columns)
}

func (l *layout) index(key string) int {
	for i := range l.columns {
		if l.columns[i].Key == key {
			return i
		}
	}
	return -1
}

// rowBytes is the memory of one row, without its texts.
func (l *layout) rowBytes() int { return 8 + 8*len(l.columns) + 8*l.texts }
