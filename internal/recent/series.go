package recent

import (
	"math"
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
	maxOpen    = 16       // sets of fields of one series that are appended to in turn
	maxText    = 32 << 10 // of a field; what is longer is cut
	window     = 8        // so many texts before are looked at for an equal one
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

// chunkFor returns the open chunk for points with these fields, or nil, and
// whether they stand in the order of its columns.
func (sr *series) chunkFor(fields []point.Field) (c *chunk, inOrder bool) {
	for _, c := range sr.open {
		if c.layout.same(fields) {
			return c, true
		}
	}
	// The same fields in another order, as from a map.
	for _, c := range sr.open {
		if c.layout.permuted(fields) {
			return c, false
		}
	}
	return nil, false
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
	if len(fields) != len(l.columns) {
		return false
	}
	for i := range fields {
		if c := &l.columns[i]; c.Key != fields[i].Key || c.Kind != fields[i].Value.Kind() {
			return false
		}
	}
	return true
}

// permuted reports whether the fields that can be kept are those of l.
func (l *layout) permuted(fields []point.Field) bool {
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

// A chunk is a bounded number of points of one series with one layout.
type chunk struct {
	series  *series
	layout  *layout
	times   []int64
	columns []block.Column
	rows    atomic.Int32 // that readers may look at
	oldest  atomic.Int64 // of the points' own times
	newest  atomic.Int64
	arrived int64 // when the last point came
	bytes   int64
	dropped bool
}

// newChunk returns a chunk with room for about rows, within bounds.
func newChunk(sr *series, l *layout, rows int) *chunk {
	rows = max(min(rows, mostRows, chunkBytes/l.rowBytes()), firstRows)
	c := &chunk{series: sr, layout: l, times: make([]int64, rows), columns: slices.Clone(l.columns)}
	nums, texts := make([]uint64, rows*(len(l.columns)-l.texts)), make([]string, rows*l.texts)
	for i := range c.columns {
		if c.columns[i].Kind == point.String {
			c.columns[i].Texts, texts = texts[:rows:rows], texts[rows:]
		} else {
			c.columns[i].Nums, nums = nums[:rows:rows], nums[rows:]
		}
	}
	c.bytes = int64(emptyChunk + columnBytes*len(c.columns) + rows*l.rowBytes())
	if l.own {
		c.bytes += l.bytes
	}
	return c
}

func (c *chunk) isFull() bool { return int(c.rows.Load()) == len(c.times) }

// add appends a point whose fields have the chunk's layout, and returns how many
// bytes its texts cost.
func (c *chunk) add(p *point.Point, inOrder bool, now int64) (grown int64) {
	i := int(c.rows.Load())
	c.times[i] = p.Time
	for j := range p.Fields {
		k := j
		if !inOrder {
			if k = c.layout.index(p.Fields[j].Key); k < 0 {
				continue // a value that cannot be kept
			}
		}
		col, v := &c.columns[k], p.Fields[j].Value
		switch col.Kind {
		case point.Float: // most are
			col.Nums[i] = math.Float64bits(v.Float())
		case point.String:
			text, cost := intern(col.Texts[:i], v.Text())
			col.Texts[i] = text
			grown += cost
		default:
			col.Nums[i] = block.Bits(v)
		}
	}
	if i == 0 || p.Time < c.oldest.Load() {
		c.oldest.Store(p.Time)
	}
	if i == 0 || p.Time > c.newest.Load() {
		c.newest.Store(p.Time)
	}
	c.arrived = now
	c.bytes += grown
	c.rows.Store(int32(i + 1)) //nolint:gosec // at most mostRows
	return grown
}

// intern returns a text to keep behind others, and what it costs: one that the
// last of them have costs nothing. The text of a point may lie in a buffer of many
// megabytes, and must not keep that alive.
func intern(before []string, s string) (string, int64) {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	for _, have := range slices.Backward(before[max(0, len(before)-window):]) {
		if have == s {
			return have, 0
		}
	}
	if s == "" {
		return "", 0
	}
	return strings.Clone(s), int64(len(s)+15) &^ 15
}

// block returns the rows that a reader may look at; false where none is of the
// time from to to.
func (c *chunk) block(name string, from, to int64) (block.Block, bool) {
	rows := int(c.rows.Load())
	if rows == 0 || c.newest.Load() < from || c.oldest.Load() > to {
		return block.Block{}, false
	}
	return block.Block{Name: name, Tags: c.series.tags, Rows: rows, Times: c.times, Columns: c.columns}, true
}
