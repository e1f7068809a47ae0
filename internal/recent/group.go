package recent

import (
	"cmp"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"

	"datakit.dev/internal/point"
	"datakit.dev/internal/point/block"
)

// flushAfter is how many bytes a writer may add before it counts them.
const flushAfter = 16 << 10

// groupBytes is the memory of a group beside its series.
const groupBytes = 512

// A group is the points of one measurement or source.
type group struct {
	key    groupKey
	seed   maphash.Seed
	bytes  atomic.Int64
	points atomic.Int64
	list   atomic.Pointer[[]*series] // for readers

	mu     sync.Mutex
	series map[uint64]*series // by the hash of the tags; equal hashes are a chain
	full   []*chunk           // those that take no more, oldest first
	shared []*layout          // of its series: most have the same fields
	last   *series            // of the last point
	hidden []*chunk           // those with rows that the readers do not see yet
	dead   bool               // taken out of the store
}

func newGroup(key groupKey) *group {
	g := &group{key: key, seed: maphash.MakeSeed(), series: map[uint64]*series{}}
	g.list.Store(new([]*series))
	g.bytes.Store(groupBytes + int64(len(key.name)))
	return g
}

// append takes points until grow says that there is no room for more. It returns
// how many it has looked at and how many were too old; false where the group is
// no longer in the store.
func (g *group) append(pts []point.Point, now, oldest int64, grow func(int64) bool) (n int, refused uint64, alive bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dead {
		return 0, 0, false
	}
	grown, rows := int64(0), int64(0)
	defer func() {
		g.show()
		g.points.Add(rows)
		g.bytes.Add(grown)
		grow(grown)
	}()
	for n = range pts {
		p := &pts[n]
		if p.Time < oldest {
			refused++
			continue
		}
		added, took := g.add(p, now)
		grown += added
		if took {
			rows++
		}
		if grown >= flushAfter {
			ok := grow(grown)
			g.bytes.Add(grown)
			if grown = 0; !ok {
				return n + 1, refused, true
			}
		}
	}
	return len(pts), refused, true
}

// maxHidden bounds the list of hidden chunks that is kept for the next batch.
const maxHidden = 1 << 10

// show lets the readers look at what was added.
func (g *group) show() {
	for _, c := range g.hidden {
		c.show()
	}
	if cap(g.hidden) > maxHidden {
		g.hidden = nil
	}
	clear(g.hidden)
	g.hidden = g.hidden[:0]
}

// add takes one point, and returns how many bytes that cost; false where the
// point has no field that can be kept.
func (g *group) add(p *point.Point, now int64) (grown int64, took bool) {
	sr := g.find(p.Tags)
	if sr != nil {
		c, n := sr.append(p, now)
		if grown = n; c != nil {
			g.hide(c)
			return grown, true
		}
	}
	if !slices.ContainsFunc(p.Fields, func(f point.Field) bool { return block.Holds(f.Value.Kind()) }) {
		return grown, false
	}
	if sr == nil {
		sr = g.create(p.Tags)
		grown += sr.bytes
	}
	c, n := g.chunk(sr, p.Fields)
	grown += n + c.add(p, now)
	g.hide(c)
	return grown, true
}

// hide notes a chunk with a row that is to be shown with the others.
func (g *group) hide(c *chunk) {
	if int(c.rows.Load()) == c.filled-1 {
		g.hidden = append(g.hidden, c)
	}
}

// chunk returns a chunk of sr that takes these fields, and what it costs where it
// is new.
func (g *group) chunk(sr *series, fields []point.Field) (c *chunk, grown int64) {
	c = sr.chunkFor(fields)
	switch {
	case c == nil:
		if len(sr.open) == maxOpen {
			oldest := slices.MinFunc(sr.open, func(a, b *chunk) int { return cmp.Compare(a.arrived, b.arrived) })
			g.full = append(g.full, oldest)
			sr.closeChunk(oldest)
		}
		l, cost := g.layout(fields)
		c = newChunk(sr, l, firstRows)
		return c, cost + sr.publish(c)
	case c.isFull():
		g.full = append(g.full, c)
		sr.closeChunk(c)
		c = newChunk(sr, c.layout, 4*len(c.times))
		return c, sr.publish(c)
	}
	return c, 0
}

// find returns the series of tags, or nil. An input writes its series in the same
// order each time: the one that came behind the last one of before is asked first,
// and its tags need no hash.
func (g *group) find(tags []point.Tag) *series {
	var guess *series
	if g.last != nil {
		guess = g.last.after
	}
	if guess == nil || !slices.Equal(guess.tags, tags) {
		guess = g.lookUp(tags)
	}
	g.follow(guess)
	return guess
}

// follow notes that a point of sr came behind one of the last series.
func (g *group) follow(sr *series) {
	if g.last != nil && g.last.after != sr {
		g.last.after = sr
	}
	g.last = sr
}

// lookUp returns the series of tags by their hash, or nil.
func (g *group) lookUp(tags []point.Tag) *series {
	sr := g.series[g.hash(tags)]
	for sr != nil && !slices.Equal(sr.tags, tags) {
		sr = sr.next
	}
	return sr
}

func (g *group) hash(tags []point.Tag) uint64 {
	var h maphash.Hash
	h.SetSeed(g.seed)
	for i := range tags {
		_, _ = h.WriteString(tags[i].Key)
		_ = h.WriteByte(0)
		_, _ = h.WriteString(tags[i].Value)
		_ = h.WriteByte(1)
	}
	return h.Sum64()
}

// create adds the series of tags.
func (g *group) create(tags []point.Tag) *series {
	sum := g.hash(tags)
	sr := newSeries(tags, sum)
	sr.next = g.series[sum]
	g.series[sum] = sr
	list := append(*g.list.Load(), sr)
	g.list.Store(&list)
	g.follow(sr)
	return sr
}

// maxShared bounds the layouts that a group keeps, whoever makes up new fields.
const maxShared = 64

// layout returns the layout of fields, and what it costs where it is new.
func (g *group) layout(fields []point.Field) (l *layout, grown int64) {
	for _, l := range g.shared {
		if l.same(fields) {
			return l, 0
		}
	}
	l = layoutOf(fields)
	if len(g.shared) < maxShared {
		g.shared = append(g.shared, l)
		return l, l.bytes
	}
	l.own = true
	return l, 0
}

// blocks yields what may be of the time from to to.
func (g *group) blocks(from, to int64, yield func(block.Block) bool) {
	for _, sr := range *g.list.Load() {
		for _, c := range *sr.chunks.Load() {
			if b, ok := c.block(g.key.name, from, to); ok && !yield(b) {
				return
			}
		}
	}
}

// expire drops the chunks with nothing newer than oldest, or all of them.
func (g *group) expire(oldest int64, all bool) (freed int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.drop(func(c *chunk) bool { return all || c.arrived < oldest || c.newest.Load() < oldest })
}

// shrink drops the oldest chunks until want bytes are free, or nothing is left.
func (g *group) shrink(want int64) (freed int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	doomed := map[*chunk]bool{}
	for _, c := range g.full {
		if freed >= want {
			break
		}
		doomed[c] = true
		freed += c.bytes
	}
	if freed < want {
		var open []*chunk
		for _, sr := range *g.list.Load() {
			open = append(open, sr.open...)
		}
		slices.SortFunc(open, func(a, b *chunk) int { return cmp.Compare(a.arrived, b.arrived) })
		for _, c := range open {
			if freed >= want {
				break
			}
			doomed[c] = true
			freed += c.bytes + c.series.bytes // its series may go with it
		}
	}
	return g.drop(func(c *chunk) bool { return doomed[c] })
}

// drop takes away the chunks that gone names, and the series that are empty then.
func (g *group) drop(gone func(*chunk) bool) (freed int64) {
	rows, emptied := int64(0), false
	for _, sr := range *g.list.Load() {
		kept := slices.DeleteFunc(slices.Clone(*sr.chunks.Load()), func(c *chunk) bool {
			if !gone(c) {
				return false
			}
			freed += c.bytes
			rows += int64(c.rows.Load())
			c.dropped = true
			return true
		})
		if len(kept) == len(*sr.chunks.Load()) {
			continue
		}
		sr.open = slices.DeleteFunc(sr.open, func(c *chunk) bool { return c.dropped })
		sr.chunks.Store(&kept)
		emptied = emptied || len(kept) == 0
	}
	g.full = slices.DeleteFunc(g.full, func(c *chunk) bool { return c.dropped })
	if emptied {
		freed += g.dropEmpty()
	}
	g.bytes.Add(-freed)
	g.points.Add(-rows)
	return freed
}

func (g *group) dropEmpty() (freed int64) {
	list := slices.DeleteFunc(slices.Clone(*g.list.Load()), func(sr *series) bool {
		if len(*sr.chunks.Load()) > 0 {
			return false
		}
		freed += sr.bytes
		return true
	})
	g.list.Store(&list)
	g.series = make(map[uint64]*series, len(list)) // anew: a map does not give back what it once had
	g.last = nil
	for _, sr := range list {
		sr.next = g.series[sr.hash]
		g.series[sr.hash] = sr
		sr.after = nil // it may be one that is gone
	}
	return freed
}

func (g *group) empty() bool { return len(*g.list.Load()) == 0 }

// bury marks an empty group as gone and returns its bytes; false where points
// have come meanwhile.
func (g *group) bury() (freed int64, gone bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.empty() {
		return 0, false
	}
	g.dead = true
	return g.bytes.Load(), true
}
