package recent

import (
	"slices"
	"strings"
	"sync/atomic"

	"datakit.dev/internal/point"
	"datakit.dev/internal/point/block"
)

const (
	maxText  = 32 << 10 // of a field; what is longer is cut
	window   = 8        // so many texts before are looked at for an equal one
	textSlab = 4 << 10  // texts of a chunk are allocated up to so many bytes at once
)

// A chunk is a bounded number of points of one series with one layout.
//
// A writer fills rows, and shows them to the readers when its batch is done: each
// store that others see waits until the ones before it are in the cache, which for
// every row took longer than the row.
type chunk struct {
	series  *series
	layout  *layout
	times   []int64
	columns []block.Column
	texts   strings.Builder // what the text columns point at
	kept    int             // bytes of all texts so far

	filled  int   // rows, of the writer
	low     int64 // of the points' own times
	high    int64
	arrived int64 // when the last point came
	bytes   int64
	dropped bool

	rows   atomic.Int32 // that readers may look at
	oldest atomic.Int64
	newest atomic.Int64
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

func (c *chunk) isFull() bool { return c.filled == len(c.times) }

// show lets the readers look at the rows that have been added.
func (c *chunk) show() {
	c.oldest.Store(c.low)
	c.newest.Store(c.high)
	c.rows.Store(int32(c.filled)) //nolint:gosec // at most mostRows
}

// append adds a point whose fields are the columns, in their order, where there is
// room; else it returns false. A row that is begun and not finished is nobody's:
// the next point overwrites it. It returns how many bytes the texts cost.
func (c *chunk) append(p *point.Point, now int64) (grown int64, ok bool) {
	if len(p.Fields) != len(c.columns) || c.isFull() {
		return 0, false
	}
	for j := range c.columns {
		col, f := &c.columns[j], &p.Fields[j]
		kind, bits := f.Value.Bits()
		if kind != col.Kind || f.Key != col.Key {
			c.bytes += grown
			return grown, false
		}
		if kind == point.String {
			grown += c.keep(col, f.Value.Text())
		} else {
			col.Nums[c.filled] = bits
		}
	}
	c.finish(p.Time, now, grown)
	return grown, true
}

// add adds a point whose fields that can be kept are the columns, in any order. It
// returns how many bytes the texts cost.
func (c *chunk) add(p *point.Point, now int64) (grown int64) {
	for j := range p.Fields {
		f := &p.Fields[j]
		k := c.layout.index(f.Key)
		if k < 0 {
			continue // a value that cannot be kept
		}
		col := &c.columns[k]
		switch kind, bits := f.Value.Bits(); {
		case kind != col.Kind:
		case kind == point.String:
			grown += c.keep(col, f.Value.Text())
		default:
			col.Nums[c.filled] = bits
		}
	}
	c.finish(p.Time, now, grown)
	return grown
}

// finish makes the row that is filled one of the chunk.
func (c *chunk) finish(t, now, grown int64) {
	if c.filled == 0 {
		c.low, c.high = t, t
	}
	c.low, c.high = min(c.low, t), max(c.high, t)
	c.times[c.filled] = t
	c.filled++
	c.arrived = now
	c.bytes += grown
}

// keep puts a text into the row that is being filled, and returns what it costs:
// one that the last of them have costs nothing.
func (c *chunk) keep(col *block.Column, s string) (grown int64) {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	before := col.Texts[:c.filled]
	for _, have := range slices.Backward(before[max(0, len(before)-window):]) {
		if have == s {
			col.Texts[c.filled] = have
			return 0
		}
	}
	col.Texts[c.filled], grown = c.copyText(s)
	return grown
}

// copyText returns a copy of s, and what it costs. The text of a point may lie in
// a buffer of many megabytes, and must not keep that alive; and the texts of a
// chunk, which go together, are allocated together.
func (c *chunk) copyText(s string) (text string, grown int64) {
	if c.texts.Cap()-c.texts.Len() < len(s) {
		c.texts.Reset() // the texts that lie there keep it
		c.texts.Grow(max(len(s), min(2*c.kept, textSlab)))
		grown = int64(c.texts.Cap())
	}
	c.kept += len(s)
	from := c.texts.Len()
	_, _ = c.texts.WriteString(s)
	return c.texts.String()[from:], grown
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
