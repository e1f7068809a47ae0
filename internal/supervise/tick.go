package supervise

import (
	"context"
	"fmt"
	"time"
)

// early is how long after its baseline an instance is asked again, so that a
// rate shows within a second of the start and not an interval later.
const early = 500 * time.Millisecond

// gather ticks a gatherer until ctx ends. It returns an error only by panic:
// a collection that fails is counted, and the next tick tries again.
func (u *unit) gather(ctx context.Context, in instance) error {
	s := schedule{next: time.Now()}
	if u.baseline() {
		u.collect(ctx, in)
		s.next = s.next.Add(min(early, u.pace()))
	}
	u.expect(s.next)
	timer := time.NewTimer(time.Until(s.next))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-u.paced:
			s.repace(u.pace(), time.Now())
		case <-timer.C:
			s.last = s.next
			u.collect(ctx, in)
			missed := s.advance(u.pace(), time.Now())
			u.mu.Lock()
			u.tally.missed += missed
			u.mu.Unlock()
		}
		u.expect(s.next)
		timer.Reset(time.Until(s.next))
	}
}

// collect asks the instance once.
func (u *unit) collect(ctx context.Context, in instance) {
	limit := max(u.pace(), hung/2)
	cctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	u.mu.Lock()
	u.tally.began = time.Now()
	u.mu.Unlock()
	err := in.gatherer.Gather(cctx, u.sink)
	u.mu.Lock()
	u.tally.gathers++
	u.tally.began, u.tally.last = time.Time{}, time.Now()
	u.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		if cctx.Err() != nil {
			err = fmt.Errorf("no end within %v: %w", limit, err)
		}
		u.fail(err)
	}
}

// schedule is the ticks of one unit: fixed points in time, so that a slow
// collection does not shift the ones after it.
type schedule struct{ last, next time.Time }

// advance moves to the first tick after now and returns how many were missed.
func (s *schedule) advance(pace time.Duration, now time.Time) (missed uint64) {
	s.next = s.last.Add(pace)
	if late := now.Sub(s.next); late > 0 {
		missed = uint64(late / pace)
		s.next = s.next.Add(late - late%pace)
	}
	return missed
}

// repace moves the next tick to one new interval after the last one.
func (s *schedule) repace(pace time.Duration, now time.Time) {
	if s.last.IsZero() {
		return // the first tick is still to come
	}
	s.next = s.last.Add(pace)
	if s.next.Before(now) {
		s.next = now
	}
}
