package block

import (
	"cmp"
	"container/heap"
	"iter"
	"slices"

	"datakit.dev/internal/point"
)

// Last returns the n newest points of blocks that are not older than oldest, the
// newest first. The points share the texts of the blocks and nothing else with
// them.
func Last(blocks iter.Seq[Block], oldest int64, n int) []point.Point {
	var best newest
	for b := range blocks {
		for i, t := range b.Times[:b.Rows] {
			switch {
			case t < oldest || n <= 0:
			case len(best) < n:
				heap.Push(&best, row{t, &b, i})
			case t > best[0].time:
				best[0] = row{t, &b, i}
				heap.Fix(&best, 0)
			}
		}
	}
	slices.SortStableFunc(best, func(a, b row) int { return cmp.Compare(b.time, a.time) })
	out := make([]point.Point, len(best))
	for i, r := range best {
		out[i] = r.block.point(r.index)
	}
	return out
}

// point returns the point of row i.
func (b *Block) point(i int) point.Point {
	p := point.New(b.Name, len(b.Columns))
	p.Time, p.Tags = b.Times[i], slices.Clone(b.Tags)
	for j := range b.Columns {
		p.Add(b.Columns[j].Key, b.Columns[j].Value(i))
	}
	return p
}

// A row is one point of a block.
type row struct {
	time  int64
	block *Block
	index int
}

// newest is a heap whose first row is the oldest: the next to go.
type newest []row

// Len implements [sort.Interface].
func (h newest) Len() int { return len(h) }

// Less implements [sort.Interface].
func (h newest) Less(i, j int) bool { return h[i].time < h[j].time }

// Swap implements [sort.Interface].
func (h newest) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements [heap.Interface].
func (h *newest) Push(x any) { *h = append(*h, x.(row)) } //nolint:forcetypeassert // Last pushes rows alone

// Pop implements [heap.Interface].
func (h *newest) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
