// Package block is how many points of one series lie beside each other: a list
// of times, and a list of values for each field.
//
// It is what the recent points are read as. The memory is shared with a writer
// that appends: a reader looks at the first [Block.Rows] of every list, which
// never change, and at nothing behind them.
package block

import (
	"math"

	"datakit.dev/internal/point"
)

// A Block is the points of one series that have the same fields.
type Block struct {
	Name    string      // the measurement
	Tags    []point.Tag // sorted by key
	Rows    int         // so many points are to be read
	Times   []int64     // nanoseconds since 1970 UTC, in the order of arrival
	Columns []Column    // no two of one key
}

// A Column is one field of all points of a block; every point has it.
type Column struct {
	Key   string
	Kind  point.Kind // Bool, Int, Uint, Float or String
	Nums  []uint64   // of any kind but String, as [point.Value.Bits] has them
	Texts []string   // of kind String
}

// Holds reports whether a column can hold values of kind k. Lists, maps and raw
// bytes live only between an input and a script.
func Holds(k point.Kind) bool {
	switch k {
	case point.Bool, point.Int, point.Uint, point.Float, point.String:
		return true
	case point.Nil, point.Bytes, point.List, point.Map:
	}
	return false
}

// Value returns the value of row i.
func (c *Column) Value(i int) point.Value {
	switch c.Kind {
	case point.Float:
		return point.FloatOf(math.Float64frombits(c.Nums[i]))
	case point.Int:
		return point.IntOf(int64(c.Nums[i]))
	case point.Uint:
		return point.UintOf(c.Nums[i])
	case point.Bool:
		return point.BoolOf(c.Nums[i] == 1)
	case point.String:
		return point.StringOf(c.Texts[i])
	case point.Nil, point.Bytes, point.List, point.Map:
	}
	return point.Value{}
}

// Column returns the column of field key, nil where the points have none.
func (b *Block) Column(key string) *Column {
	for i := range b.Columns {
		if b.Columns[i].Key == key {
			return &b.Columns[i]
		}
	}
	return nil
}

// Tag returns the value of tag key.
func (b *Block) Tag(key string) (string, bool) {
	for _, t := range b.Tags {
		if t.Key == key {
			return t.Value, true
		}
	}
	return "", false
}
