package consul

import (
	"context"
	"time"
)

const (
	// minGap is the least time between two queries in the long run. A key that is
	// written without end would else be as many answers, each the whole tree.
	minGap = 50 * time.Millisecond
	// maxGap is the most that answers without news bring it to.
	maxGap = time.Second
	// bytesPerSecond is how much of one agent's following a server may have to
	// send: the gap grows with the tree.
	bytesPerSecond = 8 << 20
	// slack is how far queries may be ahead of their pace.
	slack = 2 * minGap
)

// A pace keeps queries apart that a server answers at once. The zero pace is
// ready for use.
type pace struct {
	gap time.Duration
	due time.Time // when the next query would come at the pace
}

// next returns the time from now, when an answer of size bytes has come, to the
// next query. idle says that it came early and brought nothing new, such as where
// the root is empty and the keys of others change: the next one may well do the
// same. An answer that comes alone is followed by no gap, however large it is.
func (p *pace) next(now time.Time, idle bool, size int) time.Duration {
	if idle {
		p.gap = min(max(2*p.gap, minGap), maxGap)
	} else {
		p.gap = minGap
	}
	if p.due.Before(now) {
		p.due = now
	}
	ahead := p.due.Sub(now)
	p.due = p.due.Add(p.gap + time.Duration(size)*time.Second/bytesPerSecond)
	return max(ahead-slack, 0)
}

// pause returns after gap.
func pause(ctx context.Context, gap time.Duration) error {
	t := time.NewTimer(gap)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
