package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/store"
)

// watchPause is the time before a store that failed is asked again.
const watchPause = time.Second

func (c *confd) watchCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "watch",
		Short: "Print the changes of the keys as they come",
		Long: `Print a line for each key that is put or deleted, until it is interrupted. A
store that fails is asked again. Changes between two reads of one key are one.`,
		Example: "  datakit confd watch\n  datakit confd watch --backend consul --node localhost:8500",
		Args:    want(0, 0),
		RunE: run(func(ctx context.Context, _ []string) error {
			return c.with(false, func(t *target) error { return c.watch(ctx, t) })
		}),
	}
}

func (c *confd) watch(ctx context.Context, t *target) error {
	last, err := t.read(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Stderr, "watching %s in %s: %d keys; interrupt to end\n", t.conf.Root, t.conf.ID, len(last.Entries))
	for {
		next, err := c.next(ctx, t, last.Revision)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the user has seen enough
		}
		if err != nil {
			fmt.Fprintln(c.Stderr, "datakit:", diag.OneLine(err.Error())+"; it is tried again")
			pause(ctx, watchPause)
			continue
		}
		c.changes(t, last, next)
		last = next
	}
}

// next returns the tree once it may differ from since.
func (c *confd) next(ctx context.Context, t *target, since store.Revision) (store.Snapshot, error) {
	if err := t.Wait(ctx, since); err != nil {
		return store.Snapshot{}, t.explain(err)
	}
	return t.read(ctx)
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// changes prints what differs between two reads.
func (c *confd) changes(t *target, was, is store.Snapshot) {
	now := time.Now().UTC().Format(time.RFC3339)
	for _, e := range was.Entries {
		if _, ok := is.Get(e.Key); !ok {
			c.say("%s del %s", now, t.full(e.Key))
		}
	}
	for _, e := range is.Entries {
		if old, ok := was.Get(e.Key); !ok || old != e {
			c.say("%s put %s, revision %s, %d bytes", now, t.full(e.Key), e.Revision, max(len(e.Value), e.TooLarge))
		}
	}
}
