package cli

import (
	"context"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"datakit.dev/internal/status"
)

// The bounds of the time between two polls of the monitor.
const (
	minInterval = 100 * time.Millisecond
	maxInterval = time.Minute
)

// MonitorOptions is what `datakit monitor` was told.
type MonitorOptions struct {
	// Poll returns the agent's status, and the time by the agent's clock.
	Poll     func(ctx context.Context) (status.Status, time.Time, error)
	Interval time.Duration // between two polls
	Once     bool          // print text and end
	Color    bool
}

func (p program) monitorCommand() *cobra.Command {
	var f agentFlags
	o := MonitorOptions{}
	cmd := &cobra.Command{
		Use:   "monitor",
		Short: "Watch what the agent does, in this terminal",
		Long: `Show the running agent on the whole terminal, and keep up with it: its units with
points a second, errors, the last gather and the next tick; its stores and their
lag; keys that are not applied; scripts, outputs, and the last changes. The key ?
shows what the keys do. An agent that goes away is waited for.

Colours are left out where the environment has NO_COLOR.`,
		Example: `  datakit monitor
  datakit monitor --interval 5s --addr 10.0.0.7:9529
  datakit monitor --once                    print it as text, with rates over the interval`,
		Args: want(0, 0),
		RunE: run(func(ctx context.Context, _ []string) error { return p.monitor(ctx, f, o) }),
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&o.Once, "once", false, "print plain text once, and end")
	cmd.Flags().DurationVar(&o.Interval, "interval", time.Second, "time between two looks")
	return cmd
}

func (p program) monitor(ctx context.Context, f agentFlags, o MonitorOptions) error {
	if o.Interval < minInterval || o.Interval > maxInterval {
		return usage("--interval %v: expected %v to %v", o.Interval, minInterval, maxInterval)
	}
	if !o.Once && !p.onScreen() {
		return usage("standard input and output are no terminal that can be drawn on: use --once, or `datakit status`")
	}
	a, err := p.agent(f)
	if err != nil {
		return err
	}
	o.Poll, o.Color = a.poll(), p.Env["NO_COLOR"] == ""
	return p.Monitor(ctx, o)
}

// onScreen reports whether there is a terminal that can be drawn on.
func (p program) onScreen() bool {
	out, ok := p.Stdout.(*os.File)
	return ok && term.IsTerminal(int(out.Fd())) && p.interactive() && p.Env["TERM"] != "dumb"
}

// drift is how far two clocks may be apart and still count as one: a header
// tells whole seconds, and takes a moment to come.
const drift = 2 * time.Second

// poll returns what asks the agent for its status. The time is that of this
// machine's clock, which is finer, moved where the agent's is another.
func (a *agent) poll() func(context.Context) (status.Status, time.Time, error) {
	var ahead time.Duration // the agent's clock, of ours
	return func(ctx context.Context) (s status.Status, at time.Time, err error) {
		header, err := a.exchange(ctx, http.MethodGet, "/v1/status", nil, &s)
		if err != nil {
			return s, at, err
		}
		now := time.Now()
		if date, err := http.ParseTime(header.Get("Date")); err == nil {
			if d := date.Sub(now); d < ahead-drift || d > ahead+drift {
				ahead = d
			}
		}
		return s, now.Add(ahead), nil
	}
}
