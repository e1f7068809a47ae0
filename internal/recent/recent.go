// Package recent keeps the last points of every measurement and source in
// memory, for the queries, the monitor and the console of this host.
//
// It is bounded by bytes and by age. Points lie in chunks by series (category,
// name and tags): a list of times, and a typed list for each field. A series
// whose points come with several sets of fields has a chunk for each, so that
// every list is dense and nothing says which values are missing. Short texts that
// repeat, and the texts of tags, are kept once. Times are not compressed: with
// the jitter of nanoseconds that saves three bytes of eight, and the values beside
// them are more.
//
// Writers lock one measurement for as long as it takes to append. Readers lock
// nothing: a chunk publishes how many rows it has, a series its chunks, and what
// is published never changes. So the flow never waits for a query, however long
// that takes; what it reads stays alive until it is done.
//
// Where the bytes run out, the measurement that holds the most gives its oldest
// chunks: a flood of one log does not push out the last points of the others.
package recent

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"datakit.dev/internal/point"
	"datakit.dev/internal/point/block"
)

// The bounds where none are given.
const (
	DefaultBytes = 32 << 20
	DefaultAge   = time.Hour
)

// sweepEvery is the time between two looks for what has become too old.
const sweepEvery = 10 * time.Second

// A Store holds recent points. It is used by several goroutines at once.
type Store struct {
	now      func() time.Time
	maxBytes atomic.Int64
	maxAge   atomic.Int64 // nanoseconds
	used     atomic.Int64
	swept    atomic.Int64  // when, Unix ns
	refused  atomic.Uint64 // points that were too old when they came
	evicting sync.Mutex    // one writer makes room for all

	mu     sync.RWMutex // of writers among themselves: readers use list
	groups map[groupKey]*group
	list   atomic.Pointer[[]*group]
}

type groupKey struct {
	category point.Category
	name     string
}

// New returns a store that holds up to maxBytes of points up to age old. Where
// one of them is 0 it holds none.
func New(maxBytes int64, age time.Duration) *Store {
	s := &Store{now: time.Now, groups: map[groupKey]*group{}}
	s.list.Store(new([]*group))
	s.SetBounds(maxBytes, age)
	return s
}

// SetBounds changes the bounds; what is over them goes at once.
func (s *Store) SetBounds(maxBytes int64, age time.Duration) {
	if maxBytes <= 0 || age <= 0 {
		maxBytes, age = 0, 0
	}
	s.maxAge.Store(int64(age))
	s.maxBytes.Store(maxBytes)
	s.sweep(s.now().UnixNano())
	s.makeRoom()
}

// Enabled reports whether points are kept at all.
func (s *Store) Enabled() bool { return s.maxBytes.Load() > 0 }

// Oldest returns the time of the oldest points that count, in nanoseconds since
// 1970. Somewhat older ones may still lie in a chunk with others.
func (s *Store) Oldest() int64 { return s.now().UnixNano() - s.maxAge.Load() }

// Observe takes a copy of points that go to the outputs. It keeps none of their
// memory and does not change them.
func (s *Store) Observe(category point.Category, pts []point.Point) {
	if !s.Enabled() {
		return
	}
	now := s.now().UnixNano()
	for len(pts) > 0 {
		n := 1
		for n < len(pts) && pts[n].Name == pts[0].Name {
			n++
		}
		s.take(groupKey{category, pts[0].Name}, pts[:n], now)
		pts = pts[n:]
	}
	if last := s.swept.Load(); now-last >= int64(sweepEvery) && s.swept.CompareAndSwap(last, now) {
		s.sweep(now)
	}
}

// take appends points of one name, and makes room as soon as they go past the
// bound: a batch may be larger than all that may be held.
func (s *Store) take(key groupKey, pts []point.Point, now int64) {
	oldest := now - s.maxAge.Load()
	for len(pts) > 0 {
		g := s.group(key)
		n, refused, alive := g.append(pts, now, oldest, func(grown int64) bool {
			return s.used.Add(grown) <= s.maxBytes.Load()
		})
		s.refused.Add(refused)
		if alive {
			pts = pts[n:]
		}
		if s.used.Load() > s.maxBytes.Load() {
			s.makeRoom()
		}
		if !s.Enabled() {
			return
		}
	}
}

// group returns the group of key, a new one where there is none.
func (s *Store) group(key groupKey) *group {
	s.mu.RLock()
	g := s.groups[key]
	s.mu.RUnlock()
	if g != nil {
		return g
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.groups[key]; g != nil {
		return g
	}
	key.name = strings.Clone(key.name)
	g = newGroup(key)
	s.groups[key] = g
	s.used.Add(g.bytes.Load())
	list := append(*s.list.Load(), g)
	s.list.Store(&list)
	return g
}

// sweep drops what has become too old, and the groups that are empty.
func (s *Store) sweep(now int64) {
	oldest := now - s.maxAge.Load()
	if s.maxAge.Load() == 0 {
		oldest = now + int64(time.Hour) // everything, also what claims to be of the future
	}
	empty := false
	for _, g := range *s.list.Load() {
		freed := g.expire(oldest, !s.Enabled())
		s.used.Add(-freed)
		empty = empty || g.empty()
	}
	if empty {
		s.forget()
	}
}

// forget takes the empty groups out of the list.
func (s *Store) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(*s.list.Load()), func(g *group) bool {
		freed, gone := g.bury()
		if gone {
			s.used.Add(-freed)
			delete(s.groups, g.key)
		}
		return gone
	})
	s.list.Store(&list)
}

// room is the part of the bound that is made free at once.
const room = 32

// makeRoom drops the oldest chunks of the largest groups until the bound is kept
// with some room.
func (s *Store) makeRoom() {
	if !s.evicting.TryLock() {
		return // who has it goes on until the bound is kept
	}
	defer s.evicting.Unlock()
	limit := s.maxBytes.Load()
	if s.used.Load() <= limit {
		return
	}
	low := limit - limit/room
	for s.used.Load() > low {
		list := slices.Clone(*s.list.Load())
		if len(list) == 0 {
			return
		}
		slices.SortFunc(list, func(a, b *group) int { return cmp.Compare(b.bytes.Load(), a.bytes.Load()) })
		// Mostly the first has enough. Where there are ten thousand small ones they
		// go together: one by one each would cost a look at all.
		empty := int64(0) // bytes of groups that go with their last point
		for _, g := range list {
			want := s.used.Load() - low - empty
			if want <= 0 {
				break
			}
			s.used.Add(-g.shrink(min(want, limit/room+1)))
			if !g.empty() {
				break // it has more, and may be the largest still
			}
			empty += g.bytes.Load()
		}
		if empty > 0 {
			s.forget()
		}
	}
}

// Names returns the measurements or sources of a category, sorted.
func (s *Store) Names(category point.Category) []string {
	var names []string
	for _, g := range *s.list.Load() {
		if g.key.category == category {
			names = append(names, g.key.name)
		}
	}
	slices.Sort(names)
	return names
}

// Blocks yields the points of one name that may be of the time from to to, both
// included; a block may hold others beside them.
func (s *Store) Blocks(category point.Category, name string, from, to int64) iter.Seq[block.Block] {
	return func(yield func(block.Block) bool) {
		for _, g := range *s.list.Load() {
			if g.key.category == category && g.key.name == name {
				g.blocks(from, to, yield)
				return
			}
		}
	}
}

// Stats is what a store holds.
type Stats struct {
	Bytes, MaxBytes int64
	Points          int64
	Series          int64
	Measurements    int
	Refused         uint64 // points that were too old when they came
	MaxAge          time.Duration
}

// Stats counts what is held.
func (s *Store) Stats() Stats {
	list := *s.list.Load()
	st := Stats{
		Bytes: s.used.Load(), MaxBytes: s.maxBytes.Load(), Measurements: len(list),
		Refused: s.refused.Load(), MaxAge: time.Duration(s.maxAge.Load()),
	}
	for _, g := range list {
		st.Points += g.points.Load()
		st.Series += int64(len(*g.list.Load()))
	}
	return st
}
