package nacos

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
	"datakit.dev/internal/store/poll"
)

const (
	// minLook and steadyLook are the times between two looks for new
	// configurations: just after a change, as who writes one often writes more,
	// and when all is quiet. The latter is just below what follow trusts a
	// silence for.
	minLook    = 100 * time.Millisecond
	steadyLook = 900 * time.Millisecond
	// busyShare and idleShare say how long a look may take the server, as a part
	// of the time between two: a server that a large fleet makes slow is looked
	// at less often.
	busyShare = 50
	idleShare = 500
	// minPause and maxPause are how long is waited after an answer that should
	// have been held, but said nothing new.
	minPause = 50 * time.Millisecond
	maxPause = 5 * time.Second
	// early is when an answer was not held.
	early = time.Second
	// bulk is how many changes are read by one list.
	bulk = 20
	// settle is the time between two lists of which the second has to bear out
	// that keys are gone.
	settle = time.Second
	// spareChunks is how many more requests may wait than are needed.
	spareChunks = 4
)

// A session is one call of Follow. Its loop owns everything but the requests that
// wait for a change, which run beside it and end with it.
type session struct {
	*source

	copy    *follow.Copy
	trees   []*tree
	answers chan answer
	runs    sync.WaitGroup
	pace    time.Duration // from the last look to the next
}

// A tree is what we have of one namespace.
type tree struct {
	namespace

	items  map[id]item
	asked  map[id]bool     // what some request waits for
	chunks int             // how many requests wait
	ctx    context.Context //nolint:containedctx // of those requests, until the tree is split anew
	end    context.CancelFunc
}

// A chunk is a part of a tree that one request waits for.
type chunk struct {
	tree  *tree
	ctx   context.Context //nolint:containedctx // that of the requests; over once the tree is split anew
	ids   []id
	pause time.Duration // before the next request
}

// An answer is the end of one request that waited for a change.
type answer struct {
	*chunk

	changed []id
	early   bool
	err     error
}

// Follow implements [follow.Source].
func (s *source) Follow(ctx context.Context, c *follow.Copy) error {
	ctx, cancel := context.WithCancel(ctx)
	f := &session{source: s, copy: c, answers: make(chan answer), pace: minLook}
	defer f.runs.Wait()
	defer cancel()
	defer func() { s.broken = true }()
	entries := map[string]store.Entry{}
	for _, n := range s.spaces {
		items, err := s.believable(ctx, n)
		if err != nil {
			return err
		}
		f.trees = append(f.trees, &tree{namespace: n, items: items})
		for i, found := range items {
			entries[n.key(i)] = found.entry(n.key(i))
		}
	}
	if err := c.Replace(0, entries); err != nil {
		return err
	}
	for _, t := range f.trees {
		f.listen(ctx, t)
	}
	return f.loop(ctx)
}

// believable lists a namespace. A server that has just started may answer before
// it has read what it holds: r-nacos does, for half a second, with an empty list.
// So after something broke, keys that are gone, or a namespace that is empty,
// have to be so for a while.
func (s *source) believable(ctx context.Context, n namespace) (map[id]item, error) {
	items, err := s.server.list(ctx, n)
	if err != nil {
		return nil, err
	}
	for s.broken && (len(items) == 0 || lacks(items, s.known[n])) {
		if !sleep(ctx, settle) {
			return nil, ctx.Err()
		}
		again, err := s.server.list(ctx, n)
		if err != nil {
			return nil, err
		}
		if len(again) == len(items) && !lacks(again, items) {
			break
		}
		items = again
	}
	s.known[n] = items
	return items, nil
}

// lacks reports whether a key of known is not among items.
func lacks(items, known map[id]item) bool {
	for i := range known {
		if _, ok := items[i]; !ok {
			return true
		}
	}
	return false
}

func (f *session) loop(ctx context.Context) error {
	next := time.NewTimer(poll.Spread(f.pace))
	defer next.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case a := <-f.answers:
			err = f.take(ctx, a)
		case <-next.C:
			err = f.look(ctx)
			next.Reset(poll.Spread(f.pace))
		case done := <-f.asks:
			err = f.verify(ctx)
			done <- err
		}
		if err != nil {
			return err
		}
	}
}

// look asks how many configurations there are. The removed ones are pushed, so
// that, those counted off, another number means a new one.
func (f *session) look(ctx context.Context) error {
	began, found := time.Now(), false
	for _, t := range f.trees {
		n, err := f.server.count(ctx, t.namespace)
		if err == nil && n != len(t.items) {
			found = true
			_, err = f.relist(ctx, t)
		}
		if err != nil {
			return err
		}
	}
	f.copy.Heard()
	f.pace = nextLook(f.pace, time.Since(began), f.circle, found)
	return nil
}

// nextLook returns the time to the next look, after one that took so long and
// found something or not. It is at most circle.
func nextLook(last, took, circle time.Duration, found bool) time.Duration {
	if found {
		last = minLook / 2
	}
	return min(max(min(2*last, max(steadyLook, idleShare*took)), busyShare*took), circle)
}

// relist reads a namespace anew and reports whether anything has changed.
func (f *session) relist(ctx context.Context, t *tree) (moved bool, err error) {
	items, err := f.server.list(ctx, t.namespace)
	if err != nil {
		return false, err
	}
	var set []store.Entry
	var removed []string
	for i := range t.items {
		if _, ok := items[i]; !ok {
			removed = append(removed, t.key(i))
		}
	}
	for i, found := range items {
		if found != t.items[i] {
			set = append(set, found.entry(t.key(i)))
		}
	}
	t.items, f.known[t.namespace] = items, items
	f.listen(ctx, t)
	return len(set)+len(removed) > 0, f.copy.Apply(0, set, removed)
}

// listen waits for changes of what no request waits for yet. Each new
// configuration would so take a request of its own: when there are too many, the
// tree is split anew. Until then those that wait are left alone, as ending one
// costs the server a connection.
func (f *session) listen(ctx context.Context, t *tree) {
	fresh := t.listenable(func(i id) bool { return !t.asked[i] })
	all := partition(t.listenable(func(id) bool { return true }))
	parts := partition(fresh)
	if t.end == nil || t.chunks+len(parts) > len(all)+spareChunks {
		if t.end != nil {
			t.end()
		}
		t.ctx, t.end = context.WithCancel(ctx) //nolint:gosec // called above, or ended with the session
		t.asked, t.chunks, parts = map[id]bool{}, 0, all
	}
	for _, ids := range parts {
		for _, i := range ids {
			t.asked[i] = true
		}
		t.chunks++
		f.wait(&chunk{tree: t, ctx: t.ctx, ids: slices.Clone(ids)})
	}
}

// listenable returns what one can wait for, in order, where keep holds. A name
// with one of the marks of the server's form would be another one.
func (t *tree) listenable(keep func(id) bool) []id {
	var out []id
	for i := range t.items {
		if i.group != "" && i.dataID != "" && !strings.ContainsAny(i.group+i.dataID, endOfWord+endOfLine) && keep(i) {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, id.compare)
	return out
}

func (i id) compare(j id) int {
	if i.group != j.group {
		return strings.Compare(i.group, j.group)
	}
	return strings.Compare(i.dataID, j.dataID)
}

// wait sends one request that waits for a change of what c holds.
func (f *session) wait(c *chunk) {
	if len(c.ids) == 0 {
		c.tree.chunks--
		return
	}
	n, items := c.tree.namespace, make(map[id]item, len(c.ids))
	for _, i := range c.ids {
		items[i] = item{md5: c.tree.items[i].md5}
	}
	ids, pause := slices.Clone(c.ids), c.pause
	f.runs.Go(func() {
		if !sleep(c.ctx, pause) {
			return
		}
		began := time.Now()
		changed, err := f.server.changed(c.ctx, n, ids, items, hold)
		select {
		case f.answers <- answer{chunk: c, changed: changed, early: time.Since(began) < early, err: err}:
		case <-c.ctx.Done():
		}
	})
}

// sleep waits for d and reports whether ctx is still going on.
func sleep(ctx context.Context, d time.Duration) bool {
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

// take takes what a request that waited has told, and sends the next.
func (f *session) take(ctx context.Context, a answer) error {
	switch {
	case a.stale():
		return nil
	case a.err != nil:
		return a.err
	}
	moved, err := f.fetch(ctx, a.tree, a.changed)
	if err != nil {
		return err
	}
	switch {
	case moved:
		f.pace, a.pause = minLook, 0
	case a.early:
		// A proxy that does not hold answers, or a server whose memory is behind
		// its database, or ahead of it for us alone (a beta release). It must not
		// be asked without end.
		a.pause = min(max(2*a.pause, minPause), maxPause)
	default:
		a.pause = 0
	}
	a.again(f)
	return nil
}

// stale reports whether the tree was split anew since c was made.
func (c *chunk) stale() bool { return c.ctx.Err() != nil }

// again waits once more for what there still is of a chunk.
func (c *chunk) again(f *session) {
	if c.stale() {
		return
	}
	c.ids = slices.DeleteFunc(c.ids, func(i id) bool {
		_, ok := c.tree.items[i]
		if !ok {
			delete(c.tree.asked, i)
		}
		return !ok
	})
	f.wait(c)
}

// fetch reads what is said to have changed and reports whether it has.
func (f *session) fetch(ctx context.Context, t *tree, changed []id) (moved bool, err error) {
	if len(changed) > bulk {
		return f.relist(ctx, t)
	}
	var set []store.Entry
	var removed []string
	for _, i := range changed {
		found, exists, err := f.server.one(ctx, t.namespace, i)
		have, had := t.items[i]
		switch {
		case err != nil:
			return false, err
		case exists && had && found == have, !exists && !had:
			continue
		case exists:
			t.items[i] = found
			set = append(set, found.entry(t.key(i)))
		default:
			delete(t.items, i)
			removed = append(removed, t.key(i))
		}
	}
	if len(set)+len(removed) == 0 {
		f.copy.Heard()
		return false, nil
	}
	return true, f.copy.Apply(0, set, removed)
}

// verify asks for every change there is, without waiting for one.
func (f *session) verify(ctx context.Context) error {
	for _, t := range f.trees {
		ids := t.listenable(func(id) bool { return true })
		for _, part := range partition(ids) {
			changed, err := f.server.changed(ctx, t.namespace, part, t.items, 0)
			if err != nil {
				return err
			}
			if _, err := f.fetch(ctx, t, changed); err != nil {
				return err
			}
		}
	}
	return f.look(ctx)
}
