package cli

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"datakit.dev/internal/status"
	"datakit.dev/internal/status/changes"
)

// The bounds of the time between two polls of the monitor.
const (
	minInterval = 100 * time.Millisecond
	maxInterval = time.Minute
)

// A Look is what the agent answered at one time.
type Look struct {
	Status  status.Status
	At      time.Time       // by the agent's clock
	Changes []changes.Entry // the last ones of keys, oldest first; nil where the agent does not tell
	Untold  string          // why it does not
}

// MonitorOptions is what `datakit monitor` was told.
type MonitorOptions struct {
	Poll func(ctx context.Context) (Look, error)
	// Await returns when something has happened at the agent. An error says that it
	// does not tell.
	Await    func(ctx context.Context) error
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
shows what the keys do. What happens at the agent is shown at once, the rest after
the interval. An agent that goes away is waited for.

The changes of keys, with what they restarted, are the agent's own list. It tells
them on its own machine, and where the console has a token to who shows it by
--console-token-file. Where it does not, the monitor shows what differs between two
looks, and says why.

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
	o.Poll, o.Await, o.Color = a.poll(), a.await(settle(o.Interval)), p.Env["NO_COLOR"] == ""
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

// poll returns what asks the agent for its status and its changes. The time is
// that of this machine's clock, which is finer, moved where the agent's is another.
func (a *agent) poll() func(context.Context) (Look, error) {
	var ahead time.Duration // the agent's clock, of ours
	var past remembered
	return func(ctx context.Context) (l Look, err error) {
		header, err := a.exchange(ctx, http.MethodGet, "/v1/status", nil, &l.Status)
		if err != nil {
			return l, err
		}
		now := time.Now()
		if date, err := http.ParseTime(header.Get("Date")); err == nil {
			if d := date.Sub(now); d < ahead-drift || d > ahead+drift {
				ahead = d
			}
		}
		l.At = now.Add(ahead)
		l.Changes, l.Untold = past.list(ctx, a)
		return l, nil
	}
}

// mostRemembered bounds the changes that the monitor holds.
const mostRemembered = 500

// remembered is the agent's changes as far as they have been asked for.
type remembered struct {
	entries []changes.Entry // oldest first
	last    uint64          // the ID to go on from; 0 at the start
}

// list returns the changes, or why there are none.
func (r *remembered) list(ctx context.Context, a *agent) (entries []changes.Entry, untold string) {
	if err := r.refresh(ctx, a); err != nil {
		return nil, err.Error()
	}
	return r.entries, ""
}

// refresh asks for the changes behind the last one. Where the agent started again,
// or has forgotten some, it asks for all.
func (r *remembered) refresh(ctx context.Context, a *agent) error {
	path := fmt.Sprintf("/v1/changes?limit=%d", mostRemembered)
	if r.last > 0 {
		path += fmt.Sprintf("&since=%d", r.last)
	}
	var answer struct {
		Content struct {
			Changes []struct {
				ID   uint64
				Time status.Time
				changes.Change
			}
			Complete bool
			Last     uint64
		}
	}
	if err := a.call(ctx, http.MethodGet, path, nil, &answer); err != nil {
		return err
	}
	if r.last > 0 && !answer.Content.Complete {
		*r = remembered{}
		return r.refresh(ctx, a)
	}
	entries := slices.Clip(r.entries) // who has it, keeps it as it is
	if entries == nil {
		entries = []changes.Entry{}
	}
	for _, c := range answer.Content.Changes {
		entries = append(entries, changes.Entry{ID: c.ID, Time: c.Time, Kind: changes.Key, Change: &c.Change})
	}
	r.entries, r.last = entries[max(0, len(entries)-mostRemembered):], answer.Content.Last
	return nil
}
