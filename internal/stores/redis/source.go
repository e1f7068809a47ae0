package redis

import (
	"context"
	"log/slog"
	"sync/atomic"

	"datakit.dev/internal/store/follow"
)

// A source follows Redis for a [follow.Store].
type source struct {
	*settings
	log     *slog.Logger
	asks    chan chan error // questions of Ask to the session there is
	polling atomic.Bool

	// What was logged, which only Follow touches.
	last   telling
	logged bool
	warned map[string]bool

	ctx  context.Context //nolint:containedctx // ends the writes when the store is closed
	stop context.CancelFunc
}

func newSource(s *settings, log *slog.Logger) *source {
	src := &source{settings: s, log: log, asks: make(chan chan error), warned: map[string]bool{}}
	src.ctx, src.stop = context.WithCancel(context.Background())
	return src
}

// Follow implements [follow.Source].
func (s *source) Follow(ctx context.Context, c *follow.Copy) error {
	l, err := s.connect(ctx)
	if err != nil {
		return err
	}
	one := &session{src: s, copy: c, log: s.log, dirty: map[string]bool{}}
	if one.fetcher, err = newFetcher(ctx, l); err != nil {
		l.close()
		return err
	}
	defer one.close()
	if err := one.begin(ctx); err != nil {
		return err
	}
	return one.run(ctx)
}

// Ask implements [follow.Source]. The session that is there answers, once what
// was told before is in the copy.
func (s *source) Ask(ctx context.Context) error {
	answer := make(chan error, 1)
	select {
	case s.asks <- answer:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close implements [follow.Source].
func (s *source) Close() error {
	s.stop()
	return nil
}

// report notes whether the copy is kept by looking at intervals, and says in the
// log why, when that is new.
func (s *source) report(now telling, polling, muted bool) {
	s.polling.Store(polling)
	if s.logged && now == s.last {
		return
	}
	switch {
	case muted:
		s.log.Warn("redis does not let us listen to changes and is read at intervals",
			"every", s.every, "advice", "grant the channels "+s.channels())
	case now == silent:
		s.log.Warn("redis tells of no changes and is read at intervals", "every", s.every, "advice", advice)
	case now == unknown:
		s.log.Info("redis may not be asked whether it tells of changes and is read at intervals, too",
			"every", s.every, "advice", "grant +config|get, and "+advice)
	case s.logged:
		s.log.Info("redis tells of changes now")
	}
	s.last, s.logged = now, true
}

// channels returns what an operator grants for us to listen.
func (s *settings) channels() string {
	space := s.space()
	return "&" + space + s.names.pattern() + " &" + space + s.names.root
}
