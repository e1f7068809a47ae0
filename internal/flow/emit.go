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
	if f.observe != nil && len(b.Points) > 0 {
		f.observe(b.Category, b.Points)
	}
	for part, bytes := range chunks(b) {
		if err := f.spread(ctx, fence, entry{batch: part, bytes: bytes, at: now}); err != nil {
			return err
		}
	}
	return nil
}

// spread offers e to every output. Those that do not wait get it first.
func (f *Flow) spread(ctx context.Context, fence <-chan struct{}, e entry) error {
	for !f.closed() {
		outs := *f.outlets.Load()
		if len(outs) == 0 {
			f.stats.unclaimed.Add(uint64(len(e.batch.Points)))
			return nil
		}
		reached := false
		var behind []*outlet
		for _, o := range outs {
			switch o.offer(e, false) {
			case taken:
				reached = true
			case full:
				behind = append(behind, o)
			case gone:
			}
		}
		for _, o := range behind {
			v, err := f.hold(ctx, fence, o, e)
			if err != nil {
				return err
			}
			reached = reached || v == taken
		}
		if reached {
			return nil
		}
		// All of them were replaced meanwhile: the new ones get it.
	}
	return ErrClosed
}

// hold waits until o takes e: the writer goes at the pace of the slowest
// output. But one that has stalled is not waited for while another output still
// works: it loses its oldest entries instead.
func (f *Flow) hold(ctx context.Context, fence <-chan struct{}, o *outlet, e entry) (verdict, error) {
	again := time.NewTicker(stalledAfter)
	defer again.Stop()
	for {
		room := o.queue.roomSignal()
		if v := o.offer(e, f.bypass(o)); v != full {
			return v, nil
		}
		select {
		case <-ctx.Done():
			return full, fmt.Errorf("write points: %w", context.Cause(ctx))
		case <-fence:
			return full, ErrClosed
		case <-f.closing:
			return full, ErrClosed
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
