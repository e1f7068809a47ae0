package logging

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
)

// A runner is one instance. Two goroutines share its work: the reader finds and
// reads files, the writer hands the points to the flow. So a full flow stops
// neither the look-out for files that are rotated meanwhile nor the saving of
// offsets.
type runner struct {
	env      input.Env
	settings settings
	running  *registry
	notify   func() *notifier
}

// Run follows the files until ctx ends.
func (r *runner) Run(ctx context.Context, sink input.Sink) error {
	release := r.running.claim(ctx, r.env.Dir, r.settings.owner)
	defer release()
	runs := func(owner string) bool { return r.running.running(r.env.Dir, owner) }
	books := openLedger(r.env.Log, r.env.Dir, r.settings, runs, time.Now())
	rd := newReader(r.env.Log, r.settings, books, r.notify())

	inner, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		defer close(rd.out)
		ended <- rd.run(inner)
	}()
	// Whatever happens here, a panic of the flow included, the reader ends before
	// Run does, and what was taken is saved.
	defer func() {
		cancel()
		for range rd.out { // what is left is read again at the next start
		}
		books.save(time.Now())
	}()
	for b := range rd.out {
		if err := sink.Write(inner, point.Logging, b.points); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("write points: %w", err)
		}
		books.commit(b.marks)
	}
	if err := <-ended; ctx.Err() == nil {
		return err
	}
	return nil
}

// run is loop with an end: files closed, a panic turned into an error, which
// would else end the agent.
func (r *reader) run(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("panic", "panic", p, "stack", strings.ReplaceAll(string(debug.Stack()), "\n", " | "))
			err = fmt.Errorf("panic: %v", p)
		}
		for _, f := range r.files {
			f.close()
		}
		r.notify.close()
	}()
	return r.loop(ctx)
}
