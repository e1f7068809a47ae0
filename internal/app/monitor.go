package app

import (
	"context"
	"io"
	"os"

	"datakit.dev/internal/cli"
	"datakit.dev/internal/monitor"
)

// watchAgent shows the agent that o asks on the terminal.
func watchAgent(ctx context.Context, o cli.MonitorOptions, stdin io.Reader, stdout io.Writer) error {
	opts := monitor.Options{
		Interval: o.Interval, Color: o.Color, Stdin: stdin, Stdout: stdout, Env: os.Environ(),
		Poll: func(ctx context.Context) (monitor.Answer, error) {
			l, err := o.Poll(ctx)
			return monitor.Answer{Status: l.Status, At: l.At, Changes: l.Changes, Untold: l.Untold}, err
		},
		Await: o.Await,
	}
	if o.Once {
		return monitor.Once(ctx, opts)
	}
	return monitor.Run(ctx, opts)
}
