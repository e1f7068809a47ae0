package flow

import (
	"iter"

	"datakit.dev/internal/output"
	"datakit.dev/internal/point"
)

// The bounds of one write to an output.
const (
	batchPoints = 5000
	batchBytes  = 1 << 20
)

// The memory of one point, tag, field and element beyond its text.
const (
	pointBytes   = 96
	tagBytes     = 32
	fieldBytes   = 40
	elementBytes = 64
)

// sizeOf estimates the memory of a point. Keys count although points often
// share them: an estimate that is too high keeps the bound.
func sizeOf(p *point.Point) int {
	n := pointBytes + len(p.Name) + tagBytes*len(p.Tags) + fieldBytes*len(p.Fields)
	for i := range p.Tags {
		n += len(p.Tags[i].Key) + len(p.Tags[i].Value)
	}
	for i := range p.Fields {
		n += len(p.Fields[i].Key) + valueSize(p.Fields[i].Value)
	}
	return n
}

func valueSize(v point.Value) int {
	switch v.Kind() {
	case point.String:
		return len(v.Text())
	case point.Bytes:
		return len(v.Bytes())
	case point.List:
		return elementBytes * len(*v.List())
	case point.Map:
		return elementBytes * len(v.Map())
	case point.Nil, point.Bool, point.Int, point.Uint, point.Float:
	}
	return 0
}

// chunks yields b in parts within the bounds of one write, with the size of
// each; a point that is alone too large is a part of its own.
func chunks(b output.Batch) iter.Seq2[output.Batch, int] {
	return func(yield func(output.Batch, int) bool) { split(b, yield) }
}

func split(b output.Batch, yield func(output.Batch, int) bool) {
	from, bytes := 0, 0
	for i := range b.Points {
		n := sizeOf(&b.Points[i])
		if i > from && (i-from >= batchPoints || bytes+n > batchBytes) {
			if !yield(output.Batch{Category: b.Category, Points: b.Points[from:i:i]}, bytes) {
				return
			}
			from, bytes = i, 0
		}
		bytes += n
	}
	if from < len(b.Points) {
		yield(output.Batch{Category: b.Category, Points: b.Points[from:]}, bytes)
	}
}
