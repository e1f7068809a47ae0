package state

import (
	"math"
	"strings"
	"sync"
	"time"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// maxSeries bounds the series in the buckets of a script: their tags come from
// points.
const maxSeries = 10_000

// buckets are those of a script.
type buckets struct {
	mu     sync.Mutex
	byID   map[bucketID]*bucket
	order  []*bucket
	series int
	bytes  int
}

type bucketID struct {
	category point.Category
	name     string
}

// A bucket sums up points until it is due.
type bucket struct {
	category point.Category
	name     string
	interval time.Duration // 0: never
	limit    int           // values; 0: any number
	keep     bool          // go on with the values that were sent
	tags     []point.Tag

	due    time.Time
	count  int
	series map[string]*series
	order  []*series // as they came: what is sent has an order
}

// A series is the fields of one combination of tags.
type series struct {
	tags   []point.Tag
	fields []sum
}

// A sum is one field on its way.
type sum struct {
	field, action string
	value         float64
	count         int
}

// A sample is one value that comes to a bucket.
type sample struct {
	tags          []point.Tag
	field, action string
	value         float64
}

// made is a point that a bucket has made.
type made struct {
	category point.Category
	point    point.Point
}

func sharedBuckets(c *fn.Call) *buckets {
	return shared(c, "state: buckets", func() *buckets { return &buckets{byID: map[bucketID]*bucket{}} })
}

// create adds a bucket, unless there is one of that name, and returns the points
// that are due.
func (all *buckets) create(b bucket, now time.Time) []made {
	all.mu.Lock()
	defer all.mu.Unlock()
	id := bucketID{b.category, b.name}
	if n := b.size(); all.byID[id] == nil && all.bytes+n <= maxBytes {
		b.due, b.series = now.Add(b.interval), map[string]*series{}
		for i := range b.tags {
			b.tags[i].Key, b.tags[i].Value = strings.Clone(b.tags[i].Key), strings.Clone(b.tags[i].Value)
		}
		all.byID[id] = &b
		all.order = append(all.order, &b)
		all.bytes += n
	}
	return all.sweep(now)
}

func (b *bucket) size() int {
	n := fn.EntrySize
	for _, t := range b.tags {
		n += len(t.Key) + len(t.Value) + fn.EntrySize
	}
	return n
}

// add adds a value to a bucket, if there is one of that name, and returns the
// points that are due.
func (all *buckets) add(id bucketID, s sample, now time.Time) []made {
	all.mu.Lock()
	defer all.mu.Unlock()
	due := all.sweep(now)
	b := all.byID[id]
	if b == nil || !all.put(b, s) {
		return due
	}
	if b.count++; b.limit > 0 && b.count >= b.limit {
		due = append(due, all.empty(b, now)...)
	}
	return due
}

// sweep empties the buckets whose interval is over.
func (all *buckets) sweep(now time.Time) []made {
	var due []made
	for _, b := range all.order {
		if b.interval > 0 && !now.Before(b.due) {
			due = append(due, all.empty(b, now)...)
			b.due = now.Add(b.interval)
		}
	}
	return due
}

// put adds a value to its series, and reports whether there was room.
func (all *buckets) put(b *bucket, s sample) bool {
	if !isAction(s.action) || math.IsNaN(s.value) {
		return false
	}
	id := seriesID(s.tags)
	line := b.series[id]
	if line == nil {
		n := 2*len(id) + fn.EntrySize
		if all.series >= maxSeries || all.bytes+n > maxBytes {
			return false
		}
		all.series++
		all.bytes += n
		line = &series{}
		for _, t := range s.tags { // a tag may be a small part of a large message
			line.tags = append(line.tags, point.Tag{Key: t.Key, Value: strings.Clone(t.Value)})
		}
		b.series[id] = line
		b.order = append(b.order, line)
	}
	line.add(s)
	return true
}

// seriesID returns what tells the series of tags from others.
func seriesID(tags []point.Tag) string {
	var b strings.Builder
	for _, t := range tags {
		for _, s := range []string{t.Key, t.Value} {
			b.WriteString(strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "\n", `\n`))
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func (l *series) add(s sample) {
	for i := range l.fields {
		if l.fields[i].field == s.field { // the first call for a field says how it is summed
			l.fields[i].add(s.value)
			return
		}
	}
	l.fields = append(l.fields, sum{field: s.field, action: s.action, value: s.value, count: 1})
}

func isAction(name string) bool {
	switch name {
	case "avg", "sum", "min", "max", "set":
		return true
	}
	return false
}

func (s *sum) add(v float64) {
	s.count++
	switch s.action {
	case "avg", "sum":
		s.value += v
	case "min":
		s.value = min(s.value, v)
	case "max":
		s.value = max(s.value, v)
	case "set":
		s.value = v
	}
}

func (s *sum) result() float64 {
	if s.action == "avg" {
		return s.value / float64(s.count)
	}
	return s.value
}

// empty makes the points of a bucket, and begins it anew.
func (all *buckets) empty(b *bucket, now time.Time) []made {
	b.count = 0
	out := make([]made, 0, len(b.order))
	for _, line := range b.order {
		p := point.New(b.name, len(line.fields))
		p.Time = now.UnixNano()
		for _, t := range b.tags {
			p.SetTag(t.Key, t.Value)
		}
		for _, t := range line.tags {
			p.SetTag(t.Key, t.Value)
		}
		for i := range line.fields {
			p.Set(line.fields[i].field, point.FloatOf(line.fields[i].result()))
		}
		out = append(out, made{b.category, p})
	}
	if !b.keep {
		for id := range b.series {
			all.series--
			all.bytes -= 2*len(id) + fn.EntrySize
		}
		clear(b.series)
		b.order = nil
	}
	return out
}
