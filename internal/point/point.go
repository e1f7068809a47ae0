// Package point is the record that flows through the agent: a measurement, its
// tags, its fields and a time.
//
// A point belongs to one goroutine at a time. Whoever writes it to a sink gives
// it away; nothing in the flow copies it.
package point

import (
	"slices"
	"strings"
)

// A Tag names a series: an indexed key and value, both strings.
type Tag struct{ Key, Value string }

// A Field is one measured value.
type Field struct {
	Key   string
	Value Value
}

// A Point is one record. Tags are sorted by key and unique, so that equal
// series encode equally; the methods below keep it so.
type Point struct {
	Name   string // the measurement
	Tags   []Tag
	Fields []Field
	Time   int64 // nanoseconds since 1970 UTC; 0 means "not set yet"
}

// New returns a point of measurement name with room for its fields.
func New(name string, fields int) Point {
	return Point{Name: name, Fields: make([]Field, 0, fields)}
}

// Tag returns the value of tag key.
func (p *Point) Tag(key string) (string, bool) {
	if i, ok := p.tagIndex(key); ok {
		return p.Tags[i].Value, true
	}
	return "", false
}

// SetTag sets tag key, replacing what it held.
func (p *Point) SetTag(key, value string) {
	i, ok := p.tagIndex(key)
	if ok {
		p.Tags[i].Value = value
		return
	}
	p.Tags = slices.Insert(p.Tags, i, Tag{key, value})
}

// DelTag removes tag key and reports whether it was there.
func (p *Point) DelTag(key string) bool {
	i, ok := p.tagIndex(key)
	if ok {
		p.Tags = slices.Delete(p.Tags, i, i+1)
	}
	return ok
}

// Field returns the value of field key.
func (p *Point) Field(key string) (Value, bool) {
	for i := range p.Fields {
		if p.Fields[i].Key == key {
			return p.Fields[i].Value, true
		}
	}
	return Value{}, false
}

// Set sets field key, replacing what it held. Fields keep the order in which
// they were first set.
func (p *Point) Set(key string, v Value) {
	for i := range p.Fields {
		if p.Fields[i].Key == key {
			p.Fields[i].Value = v
			return
		}
	}
	p.Fields = append(p.Fields, Field{key, v})
}

// SetAmong sets field key, which none of the fields after the first n has: who
// writes many keys, all different, need not look for one among the others.
func (p *Point) SetAmong(n int, key string, v Value) {
	for i := range p.Fields[:n] {
		if p.Fields[i].Key == key {
			p.Fields[i].Value = v
			return
		}
	}
	p.Fields = append(p.Fields, Field{key, v})
}

// Add appends a field whose key the caller knows to be new: an input that
// writes constants need not pay for Set's search.
func (p *Point) Add(key string, v Value) { p.Fields = append(p.Fields, Field{key, v}) }

// Del removes field key and reports whether it was there.
func (p *Point) Del(key string) bool {
	for i := range p.Fields {
		if p.Fields[i].Key == key {
			p.Fields = slices.Delete(p.Fields, i, i+1)
			return true
		}
	}
	return false
}

// Clone returns a copy that shares only strings and composite values with p.
func (p *Point) Clone() Point {
	q := *p
	q.Tags, q.Fields = slices.Clone(p.Tags), slices.Clone(p.Fields)
	return q
}

// SortTags restores the order of Tags after they were appended to directly, and
// drops all but the last of equal keys.
func (p *Point) SortTags() {
	slices.SortStableFunc(p.Tags, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	out := p.Tags[:0]
	for i, t := range p.Tags {
		if i+1 < len(p.Tags) && p.Tags[i+1].Key == t.Key {
			continue
		}
		out = append(out, t)
	}
	p.Tags = out
}

func (p *Point) tagIndex(key string) (int, bool) {
	// Points have a handful of tags: a scan beats a binary search's branches.
	for i := range p.Tags {
		if c := strings.Compare(p.Tags[i].Key, key); c >= 0 {
			return i, c == 0
		}
	}
	return len(p.Tags), false
}
