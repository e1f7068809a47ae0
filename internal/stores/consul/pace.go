package consul

import (
	"context"
	"time"
)

const (
	// minGap is the least time between an answer and the next query. A key that
	// is written without end would else be as many answers, each the whole tree.
	minGap = 50 * time.Millisecond
	// maxGap is the most that answers without news bring it to.
	maxGap = time.Second
	// bytesPerSecond is how much of one agent's following a server may have to
	// send: the gap grows with the tree.
	bytesPerSecond = 8 << 20
)

// A pace keeps queries apart that a server answers at once.
type pace struct{ gap time.Duration }

// next returns the time to the next query after an answer of size bytes. idle
// says that it came early and brought nothing new, such as where the root is
// empty and the keys of others change: the next one may well do the same.
func (p *pace) next(idle bool, size int) time.Duration {
	if idle {
		p.gap = min(max(2*p.gap, minGap), maxGap)
	} else {
		p.gap = minGap
	}
	return p.gap + time.Duration(size)*time.Second/bytesPerSecond
}

// pause waits for the time of the next query.
func (p *pace) pause(ctx context.Context, idle bool, size int) error {
	t := time.NewTimer(p.next(idle, size))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
