package state

import (
	"bytes"
	"container/list"
	"fmt"
	"strings"
	"sync"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func pointWindow() fn.Func {
	return fn.Func{
		Name:   "point_window",
		Params: []fn.Param{{Name: "before"}, {Name: "after"}, {Name: "stream_tags", Optional: true}},
		Match:  fn.ByName,
		Doc: fn.Text{
			En: fmt.Sprintf("Remembers the points that the script drops, so that window_hit can bring back those before and after a point. "+
				"Points with the same values of stream_tags (filepath and host if left out) are one stream. At most %d points of a stream, "+
				"%d streams and %d MiB are remembered; the stream that rested longest goes first.", maxWindow, maxStreams, maxBytes>>20),
			Zh: fmt.Sprintf("记住被脚本丢弃的数据点，以便 window_hit 取回某个数据点前后的数据。stream_tags（默认 filepath 与 host）取值相同的数据点属于同一个流。"+
				"每个流最多保留 %d 个数据点，最多 %d 个流，共 %d MiB；超出时淘汰最久未活动的流。", maxWindow, maxStreams, maxBytes>>20),
		},
		Examples: []fn.Example{{
			Script: "point_window(10, 10, [\"host\"])\nif level == \"error\" { window_hit() } else { drop() }",
			In:     map[string]any{"host": "a", "level": "error"},
			Out:    map[string]any{"level": "error"},
		}},
		Bind: bindPointWindow,
	}
}

func windowHit() fn.Func {
	return fn.Func{
		Name:   "window_hit",
		Params: []fn.Param{{Name: "ignored", Rest: true}},
		Doc: fn.Text{
			En: "Keeps what the script drops around this point: the points before it and after it that point_window asked for.",
			Zh: "保留该数据点前后被脚本丢弃的数据：数量由 point_window 指定。",
		},
		Examples: []fn.Example{{
			Script: "point_window(3, 3)\nif code >= 500 { window_hit() }",
			In:     map[string]any{"filepath": "/var/log/a", "host": "a", "code": int64(502)},
			Out:    map[string]any{"code": int64(502)},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			all := sharedStreams(c)
			return func(r *fn.Run) (point.Value, error) {
				if m, ok := r.Kept(place{all, r.Point}).(*member); ok {
					all.hit(m.stream)
				}
				return nothing()
			}, nil
		},
	}
}

func bindPointWindow(c *fn.Call) (fn.Eval, error) {
	all := sharedStreams(c)
	before, after, tags := c.Args[0].Eval, c.Args[1].Eval, c.Default(2, point.NilOf())
	return func(r *fn.Run) (point.Value, error) {
		var n [2]int
		for i, eval := range []fn.Eval{before, after} {
			v, err := eval(r)
			if err != nil {
				return v, err
			}
			count, ok := v.AsInt()
			if !ok {
				return v, c.Errorf(i, "expected a number of points, got %s", v.Kind())
			}
			n[i] = int(max(0, min(count, maxWindow)))
		}
		names, err := tags(r)
		if err != nil {
			return names, err
		}
		if k := names.Kind(); k != point.List && k != point.Nil {
			return names, c.Errorf(2, "expected a list of keys, got %s", k)
		}
		id, ok := streamID(r, names)
		at := place{all, r.Point}
		if !ok || r.Kept(at) != nil { // the first call for a point decides
			return nothing()
		}
		r.Keep(at, &member{all: all, stream: all.open(id, n[0], n[1]), point: r.Point})
		return nothing()
	}, nil
}

// streamID returns what tells the stream of the point at hand from others; false
// where a key of it is no string.
func streamID(r *fn.Run, names point.Value) (string, bool) {
	keys := []string{"filepath", "host"}
	if names.Kind() == point.List && len(*names.List()) > 0 {
		keys = keys[:0]
		for _, name := range *names.List() {
			if name.Kind() != point.String || len(keys) == maxKeys {
				return "", false
			}
			keys = append(keys, name.Text())
		}
	}
	var b strings.Builder
	for _, key := range keys {
		v, ok := r.Load(key)
		if !ok || v.Kind() != point.String || b.Len() > maxID {
			return "", false
		}
		fmt.Fprintf(&b, "%q=%q,", key, v.Text())
	}
	return b.String(), b.Len() <= maxID
}

// Bounds of what a script remembers.
const (
	maxWindow  = 1000 // points of a stream
	maxStreams = 1000
	maxKeys    = 16   // that tell one stream from another
	maxID      = 4096 // bytes of their values
)

// A place is a point on its way through a script.
type place struct {
	all   *streams
	point *point.Point
}

// A member is a point of a stream, whose fate shows when its run ends.
type member struct {
	all    *streams
	stream *stream
	point  *point.Point
}

// End remembers the point where the script drops it, or sends it all the same,
// with those before it, where it stands in a window that was hit.
func (m *member) End(r *fn.Run) {
	if m.point != r.Point { // one that create_point made: it is sent in any case
		return
	}
	for _, p := range m.all.move(m.stream, m.point, r.Dropped) {
		if err := r.Create(r.Env.Category, p, nil); err != nil {
			return
		}
	}
}

// streams are those that a script remembers points of.
type streams struct {
	mu    sync.Mutex
	byID  map[string]*list.Element
	order list.List // of *stream, the one that rested longest last
	bytes int
}

// A stream is the last points of one, in a ring: those that were dropped, and
// nothing for those that were not.
type stream struct {
	id    string
	ring  []*point.Point
	next  int
	after int
	hits  int // points still to come that are not dropped
	bytes int
}

func sharedStreams(c *fn.Call) *streams {
	return shared(c, "state: streams", func() *streams { return &streams{byID: map[string]*list.Element{}} })
}

// open returns the stream of that name, whose size is what its first point asked
// for.
func (all *streams) open(id string, before, after int) *stream {
	all.mu.Lock()
	defer all.mu.Unlock()
	if e := all.byID[id]; e != nil {
		all.order.MoveToFront(e)
		s, _ := e.Value.(*stream)
		return s
	}
	if all.order.Len() >= maxStreams {
		all.forget(all.order.Back())
	}
	s := &stream{id: id, ring: make([]*point.Point, before), after: after}
	all.byID[id] = all.order.PushFront(s)
	return s
}

func (all *streams) forget(e *list.Element) {
	s, _ := all.order.Remove(e).(*stream)
	delete(all.byID, s.id)
	all.empty(s)
}

// empty takes the points out of a stream, the oldest first.
func (all *streams) empty(s *stream) []point.Point {
	var out []point.Point
	for i := range s.ring {
		at := (s.next + i) % len(s.ring)
		if s.ring[at] != nil {
			out = append(out, *s.ring[at])
			s.ring[at] = nil
		}
	}
	all.bytes -= s.bytes
	s.bytes = 0
	return out
}

func (all *streams) hit(s *stream) {
	all.mu.Lock()
	defer all.mu.Unlock()
	s.hits = s.after
}

// move adds a point to its stream and returns those that are to be sent.
func (all *streams) move(s *stream, p *point.Point, dropped bool) []point.Point {
	all.mu.Lock()
	defer all.mu.Unlock()
	if s.hits > 0 {
		s.hits--
		out := all.empty(s)
		if dropped {
			out = append(out, p.Clone())
		}
		return out
	}
	if len(s.ring) > 0 {
		all.put(s, p, dropped)
	}
	return nil
}

func (all *streams) put(s *stream, p *point.Point, dropped bool) {
	if old := s.ring[s.next]; old != nil {
		all.grow(s, -pointSize(old))
	}
	s.ring[s.next] = nil
	if n := pointSize(p); dropped && n <= maxBytes {
		all.makeRoom(s, n)
		if all.byID[s.id] != nil { // it was not forgotten while its point ran
			s.ring[s.next] = copyOf(p)
			all.grow(s, n)
		}
	}
	s.next = (s.next + 1) % len(s.ring)
}

// makeRoom forgets the streams that rested longest, and in the end the points of
// s itself, until n bytes more are within bounds.
func (all *streams) makeRoom(s *stream, n int) {
	for all.bytes+n > maxBytes {
		last := all.order.Back()
		if last == nil {
			return
		}
		if last.Value == s {
			all.empty(s)
			all.order.MoveToFront(last)
			continue
		}
		all.forget(last)
	}
}

func (all *streams) grow(s *stream, n int) {
	s.bytes += n
	all.bytes += n
}

// copyOf returns a copy of p that shares nothing with it. Its strings are copied
// too: they may be small parts of a message that is large, and not counted.
func copyOf(p *point.Point) *point.Point {
	c := p.Clone()
	c.Name = strings.Clone(c.Name)
	for i, t := range c.Tags {
		c.Tags[i] = point.Tag{Key: strings.Clone(t.Key), Value: strings.Clone(t.Value)}
	}
	for i, f := range c.Fields {
		c.Fields[i].Key = strings.Clone(f.Key)
		switch f.Value.Kind() { //nolint:exhaustive // the others hold no bytes
		case point.String:
			c.Fields[i].Value = point.StringOf(strings.Clone(f.Value.Text()))
		case point.Bytes:
			c.Fields[i].Value = point.BytesOf(bytes.Clone(f.Value.Bytes()))
		}
	}
	return &c
}

// pointSize returns about how many bytes p takes.
func pointSize(p *point.Point) int {
	n := len(p.Name) + fn.EntrySize
	for _, t := range p.Tags {
		n += len(t.Key) + len(t.Value) + fn.EntrySize
	}
	for _, f := range p.Fields {
		n += len(f.Key) + fn.EntrySize + size(f.Value)
	}
	return n
}
