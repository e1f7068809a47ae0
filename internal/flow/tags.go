package flow

import (
	"slices"
	"strings"

	"datakit.dev/internal/point"
)

// A tagSet is tags in order of their keys, never changed once made.
type tagSet struct{ tags []point.Tag }

// newTagSet leaves out empty keys and values, which line protocol cannot say.
func newTagSet(m map[string]string) *tagSet {
	s := &tagSet{tags: make([]point.Tag, 0, len(m))}
	for k, v := range m {
		if k != "" && v != "" {
			s.tags = append(s.tags, point.Tag{Key: k, Value: v})
		}
	}
	slices.SortFunc(s.tags, func(a, b point.Tag) int { return strings.Compare(a.Key, b.Key) })
	return s
}

// over returns s with those of base that s lacks.
func (s *tagSet) over(base *tagSet) *tagSet {
	return &tagSet{tags: mergeTags(make([]point.Tag, 0, len(s.tags)+len(base.tags)), s.tags, base.tags)}
}

// apply gives each point the tags that it lacks. The new tags of all points lie
// in one slab, and no point's own slice is written to: inputs may let several
// points share one.
func (s *tagSet) apply(pts []point.Point) {
	if len(s.tags) == 0 {
		return
	}
	room := 0
	for i := range pts {
		room += len(pts[i].Tags) + len(s.tags)
	}
	slab := make([]point.Tag, 0, room)
	for i := range pts {
		from := len(slab)
		slab = mergeTags(slab, pts[i].Tags, s.tags)
		pts[i].Tags = slab[from:len(slab):len(slab)]
	}
}

// mergeTags appends to dst the tags of both, in order, those of own where both
// have the key.
func mergeTags(dst, own, base []point.Tag) []point.Tag {
	for len(own) > 0 && len(base) > 0 {
		switch c := strings.Compare(own[0].Key, base[0].Key); {
		case c < 0:
			dst, own = append(dst, own[0]), own[1:]
		case c > 0:
			dst, base = append(dst, base[0]), base[1:]
		default:
			dst, own, base = append(dst, own[0]), own[1:], base[1:]
		}
	}
	return append(append(dst, own...), base...)
}
