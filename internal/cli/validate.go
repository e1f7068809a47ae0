package cli

import (
	"context"
	"fmt"
	"net/http"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/plan"
	"datakit.dev/internal/reconcile"
	"datakit.dev/internal/status"
)

// defaultRoot is what keys are below where no store is asked.
const defaultRoot = "/datakit"

const fileForms = `
Each FILE is one value. Its key is confd/NAME for NAME.conf, and
pipeline/CATEGORY/NAME.p for CATEGORY/NAME.p; KEY=FILE names another.`

func (c *confd) validateCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "validate FILE...",
		Short:   "Say what an agent would refuse in files",
		Long:    "Say what an agent would refuse in files, without any store or agent.\n" + fileForms,
		Example: "  datakit confd validate *.conf\n  datakit confd validate pipeline/metric/cpu.p",
		Args:    want(1, 1<<20),
		RunE: run(func(_ context.Context, args []string) error {
			var wrong problems
			for _, arg := range args {
				e, err := c.fileArg(c.root(), arg)
				if err != nil {
					return err
				}
				bad := c.validate(e, arg)
				if wrong.add(bad); len(bad) > 0 {
					fmt.Fprintln(c.Stdout, bad.Text())
				} else {
					c.say("%s: valid", arg)
				}
			}
			return wrong.err()
		}),
	}
}

// root returns what whole keys begin with, where no store is opened.
func (c *confd) root() string {
	if s, err := c.choose(&c.flags, false); err == nil {
		return s.Root
	}
	return defaultRoot
}

func (c *confd) planCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan FILE...",
		Short: "Ask the running agent what a change would do",
		Long: `Ask the running agent what would start, restart, update, stop and stay if the
files were put into the store. Nothing is changed.` + "\n" + fileForms,
		Example: "  datakit confd plan cpu.conf\n  datakit confd plan confd/web=nginx.conf mem.conf",
		Args:    want(1, maxPlanFiles),
		RunE:    run(c.plan),
	}
	c.addr.addAddr(cmd)
	return cmd
}

// maxPlanFiles is how many values an agent takes at once.
const maxPlanFiles = 1000

// planEntry is one value of the request, as /v1/confd/plan takes it.
type planEntry struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func (c *confd) plan(ctx context.Context, args []string) error {
	entries := make([]planEntry, len(args))
	for i, arg := range args {
		e, err := c.fileArg(c.root(), arg)
		if err != nil {
			return err
		}
		entries[i] = planEntry{e.Key, e.Value}
	}
	a, err := c.running()
	if err != nil {
		return err
	}
	in := map[string]any{"source": c.flags.id, "entries": entries}
	var t reconcile.Trial
	if err := a.call(ctx, http.MethodPost, "/v1/confd/plan", in, &t); err != nil {
		return err
	}
	return c.showTrial(t)
}

// showTrial prints what would happen. A value that would be refused is an error.
func (c *confd) showTrial(t reconcile.Trial) error {
	w := tabwriter.NewWriter(c.Stdout, 0, 0, 2, ' ', 0)
	for _, s := range t.Steps {
		verb := string(s.Verb)
		if s.Verb == plan.Keep {
			verb = "stay"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", verb, diag.OneLine(s.Unit), diag.OneLine(s.Origin))
	}
	var refused problems
	for _, k := range t.Keys {
		if k.Error == "" {
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", k.State, diag.OneLine(k.Key), diag.OneLine(k.Error))
		if k.State == status.Rejected || k.State == status.Kept {
			refused.tell(k.Error)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the plan: %w", err)
	}
	return refused.err()
}
