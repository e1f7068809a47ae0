package redis

import (
	"context"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
)

const (
	// lookEvery is the time between two looks at servers that say nothing.
	lookEvery = 3 * time.Second
	// window is how many keys such a look asks for; the next takes those after.
	window = 2000
	// maxRounds is how often keys that belong together are read again because
	// one more of them has changed meanwhile. Only who writes new keys without a
	// pause gets there, and would otherwise never be seen.
	maxRounds = 50
)

// A session is one set of connections, and the copy that they keep.
type session struct {
	*fetcher
	src   *source
	feeds *feeds
	copy  *follow.Copy
	log   *slog.Logger

	tree    tree
	dirty   map[string]bool // names that have changed since they were read
	telling telling
	muted   bool // we may not listen
	heard   bool // a change was told
	from    int  // where the next look begins
}

func (s *session) close() {
	if s.feeds != nil {
		s.feeds.close()
	}
	s.links.close()
}

// begin subscribes, and then reads the tree: what changes in between is told.
func (s *session) begin(ctx context.Context) (err error) {
	if err := s.check(ctx); err != nil {
		return err
	}
	if s.feeds, s.muted, err = s.subscribe(ctx, s.rooted); err != nil {
		return err
	}
	return s.refresh(ctx)
}

// refresh reads the tree whole.
func (s *session) refresh(ctx context.Context) error {
	if _, err := s.listen(ctx); err != nil {
		return err
	}
	wanted, err := s.list(ctx)
	if err != nil {
		return err
	}
	if s.tree, err = s.readAll(ctx, wanted); err != nil {
		return err
	}
	if err := s.feeds.barrier(ctx, s.take); err != nil {
		return err
	}
	if len(s.dirty) > 0 {
		part, err := s.settle(ctx)
		if err != nil {
			return err
		}
		s.tree.merge(s.names, part)
	}
	s.mention(s.kinds)
	return s.copy.Replace(0, s.tree.entries(s.names))
}

// take notes what an event says.
func (s *session) take(ev event) error {
	if ev.err != nil || ev.name == "" {
		return ev.err
	}
	s.heard = true
	s.dirty[ev.name] = true
	if len(s.dirty) > store.MaxEntries {
		return errBusy
	}
	return nil
}

// settle reads the names that have changed. On a single server what it returns
// is of one instant, and there was no other change before it: should a ping
// after the read bring one more name, all are read again.
func (s *session) settle(ctx context.Context) (tree, error) {
	wanted := s.dirty
	for round := 1; ; round++ {
		s.dirty = map[string]bool{}
		part, err := s.read(ctx, slices.Collect(maps.Keys(wanted)))
		if err != nil || s.layout != nil {
			return part, err
		}
		if err := s.feeds.barrier(ctx, s.take); err != nil {
			return nil, err
		}
		before := len(wanted)
		for name := range s.dirty {
			wanted[name] = true
		}
		if len(wanted) == before || round == maxRounds {
			return part, nil
		}
	}
}

// update reads what has changed into the copy.
func (s *session) update(ctx context.Context) error {
	part, err := s.settle(ctx)
	if err != nil {
		return err
	}
	s.mention(s.kinds)
	s.report()
	set, removed := s.tree.merge(s.names, part)
	return s.copy.Apply(0, set, removed)
}

// mention says once which keys hold what is no configuration.
func (s *session) mention(kinds map[string]string) {
	for name, kind := range kinds {
		if kind != kindHash && !s.src.warned[name] {
			s.src.warned[name] = true
			s.log.Warn("a redis key is neither a string nor a hash, and not read", "key", name, "kind", kind)
		}
	}
}

// listen finds out whether changes are told, and whether that is new.
func (s *session) listen(ctx context.Context) (changed bool, err error) {
	now, err := s.told(ctx)
	if err != nil {
		return false, err
	}
	if s.muted {
		now = silent
	}
	changed = now != s.telling
	s.telling = now
	s.report()
	return changed, nil
}

// report says whether the copy is kept by looking at intervals. Where it is not
// known whether changes are told, the first that is told shows it.
func (s *session) report() {
	s.src.report(s.telling, s.telling == silent || s.telling == unknown && !s.heard, s.muted)
}

// run keeps the copy complete until something breaks.
func (s *session) run(ctx context.Context) error {
	look, poll := time.NewTimer(spread(s.s.look)), time.NewTimer(spread(s.s.every))
	defer look.Stop()
	defer poll.Stop()
	always := make(chan struct{})
	close(always)
	for {
		var changed chan struct{}
		if len(s.dirty) > 0 {
			changed = always
		}
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case ev := <-s.feeds.events:
			err = s.take(ev)
		case <-changed:
			err = s.update(ctx)
		case asked := <-s.src.asks:
			err = s.confirm(ctx)
			asked <- err
		case <-look.C:
			err = s.look(ctx)
			look.Reset(spread(s.s.look))
		case <-poll.C:
			if s.telling != tells {
				err = s.refresh(ctx)
			}
			poll.Reset(spread(s.s.every))
		}
		if err != nil {
			return err
		}
	}
}

// spread returns d, give or take a tenth, so that a fleet does not come all at
// once.
func spread(d time.Duration) time.Duration { return d - d/10 + rand.N(d/5) }

// confirm returns once every change made before is in the copy.
func (s *session) confirm(ctx context.Context) error {
	if s.telling != tells {
		return s.refresh(ctx)
	}
	return s.compare(ctx, slices.Collect(maps.Keys(s.tree)))
}

// compare takes what was told so far, and reads the tree anew should one of
// names be gone without a word.
func (s *session) compare(ctx context.Context, names []string) error {
	there, err := s.whole(ctx, names)
	if err != nil {
		return err
	}
	if !there {
		return s.refresh(ctx)
	}
	if err := s.feeds.barrier(ctx, s.take); err != nil {
		return err
	}
	if len(s.dirty) > 0 {
		return s.update(ctx)
	}
	s.copy.Heard()
	return nil
}

// look finds out, where nothing is told, whether all is still as we think: the
// servers answer, are the same, tell of changes, and hold what they held.
func (s *session) look(ctx context.Context) error {
	if err := s.check(ctx); err != nil {
		return err
	}
	changed, err := s.listen(ctx)
	switch {
	case err != nil:
		return err
	case changed:
		return s.refresh(ctx)
	case s.telling != tells:
		return s.feeds.barrier(ctx, s.take)
	}
	return s.compare(ctx, s.window())
}

// window returns the names that the next look asks for, which are all of them
// in the end: a tree of any size costs the servers little.
func (s *session) window() []string {
	names := slices.Sorted(maps.Keys(s.tree))
	if s.from >= len(names) {
		s.from = 0
	}
	out := names[s.from:min(s.from+window, len(names))]
	s.from += len(out)
	return out
}
