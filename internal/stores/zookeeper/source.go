package zookeeper

import (
	"context"
	"fmt"
	"time"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
)

// A source keeps a copy complete by watches.
type source struct {
	*ensemble

	asks chan chan<- error // questions for a sign of life
}

// Follow implements [follow.Source].
func (z *source) Follow(ctx context.Context, to *follow.Copy) error {
	c, err := z.connect(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	// The cut waits a little, or no server would be told that the session ends.
	defer context.AfterFunc(ctx, func() { time.AfterFunc(farewell, c.cut) })()
	err = z.keep(ctx, c, to)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	z.next() // this node has failed
	return c.why(err)
}

// keep reads the tree and follows it until the session ends.
func (z *source) keep(ctx context.Context, c *session, to *follow.Copy) error {
	t := newTree(z.root)
	c.touch(z.root)
	// What a server knows may be behind the others; this has it catch up.
	if _, err := c.Sync(z.root); err != nil {
		return err
	}
	if err := t.settle(c); err != nil {
		return err
	}
	if err := to.Replace(0, t.entries()); err != nil {
		return err
	}
	publish := func() error {
		if err := t.settle(c); err != nil {
			return err
		}
		if set, removed := t.changes(); len(set)+len(removed) > 0 {
			return to.Apply(0, set, removed)
		}
		return nil
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.down:
			return nil
		case <-c.poke:
			if err := publish(); err != nil {
				return err
			}
		case asked := <-z.asks:
			// The leader answers this by way of our server, after every change that
			// it has made so far: a server that lost the others answers nothing.
			_, err := c.Sync(z.root)
			if err == nil {
				err = publish()
			}
			asked <- err
			if err != nil {
				return err
			}
			to.Heard()
		}
	}
}

// touch has a node read.
func (c *session) touch(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mark(path, both)
}

// Ask implements [follow.Source].
func (z *source) Ask(ctx context.Context) error {
	asked := make(chan error, 1)
	select {
	case z.asks <- asked:
	case <-ctx.Done():
		return fmt.Errorf("%w: no sign of life", store.ErrUnavailable)
	}
	select {
	case err := <-asked:
		return err
	case <-ctx.Done():
		z.next() // or the frozen node would be the first to be tried again
		return fmt.Errorf("%w: no sign of life", store.ErrUnavailable)
	}
}

// Close implements [follow.Source].
func (z *source) Close() error {
	z.leaving.Wait()
	return nil
}
