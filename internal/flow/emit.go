package flow

import (
	"context"
	"fmt"
	"time"

	"datakit.dev/internal/output"
)

// emit offers b to every output. The batch is shared: nobody writes to it from
// here on.
func (f *Flow) emit(ctx context.Context, fence <-chan struct{}, b output.Batch, now time.Time) error {
	outs := *f.outlets.Load()
	if f.observe != nil && len(b.Points) > 0 {
		f.observe(b.Category, b.Points)
	}
	if len(outs) == 0 {
		f.stats.unclaimed.Add(uint64(len(b.Points)))
		return nil
	}
	for part, bytes := range chunks(b) {
		var behind []*outlet
		e := entry{batch: part, bytes: bytes, at: now}
		for _, o := range outs {
			if o.offer(e, false) == full {
				behind = append(behind, o)
			}
		}
		for _, o := range behind {
			if err := f.hold(ctx, fence, o, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// hold waits until o takes e: the writer goes at the pace of the slowest
// output. But one that has stalled is not waited for while another output still
// works: it loses its oldest entries instead.
func (f *Flow) hold(ctx context.Context, fence <-chan struct{}, o *outlet, e entry) error {
	again := time.NewTicker(stalledAfter)
	defer again.Stop()
	for {
		room := o.queue.roomSignal()
		if o.offer(e, f.bypass(o)) != full {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("write points: %w", context.Cause(ctx))
		case <-fence:
			return ErrClosed
		case <-f.closing:
			return ErrClosed
		case <-room:
		case <-again.C:
		}
	}
}

// bypass reports that o has stalled while another output works.
func (f *Flow) bypass(o *outlet) bool {
	now := time.Now()
	if !o.stalled(now) {
		return false
	}
	for _, other := range *f.outlets.Load() {
		if !other.stalled(now) {
			return true
		}
	}
	return false
}
