// Package monitor shows a running agent on a terminal: its units with their
// rates, its stores and their lag, scripts, outputs, and the last changes.
//
// [Model] is everything but the terminal: answers of the agent and keys go in,
// the text of a screen comes out. [Run] puts it on a terminal.
package monitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Options say what is shown where.
type Options struct {
	// Poll asks the agent.
	Poll func(ctx context.Context) (Answer, error)
	// Await returns when something has happened at the agent, so that it is asked at
	// once; an error where that cannot be told. It may be nil.
	Await    func(ctx context.Context) error
	Interval time.Duration // between two polls
	Stdin    io.Reader
	Stdout   io.Writer
	Env      []string // TERM, NO_COLOR and what else says how to draw
	Color    bool

	width, height int // of an output that has no size of its own
}

// Once prints as plain text what two polls say, an interval apart: a rate takes
// two.
func Once(ctx context.Context, o Options) error {
	m := NewModel(o.Interval)
	for i := range 2 {
		if i > 0 {
			rest(ctx, o.Interval)
		}
		a, err := o.Poll(ctx)
		if err != nil {
			return err
		}
		m.Take(a)
	}
	if _, err := io.WriteString(o.Stdout, m.Text()); err != nil {
		return fmt.Errorf("print what the agent does: %w", err)
	}
	return nil
}

func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// Run shows the agent on the terminal until the user quits or ctx ends. An agent
// that does not answer at the start is an error; one that goes away later is
// waited for.
func Run(ctx context.Context, o Options) error {
	if _, ok := o.Stdout.(*os.File); !ok {
		return errors.New("this is no terminal: use --once")
	}
	m := NewModel(o.Interval)
	a, err := o.Poll(ctx)
	if err != nil {
		return err
	}
	m.Take(a)
	return show(ctx, o, m)
}
