package cli

import (
	"context"
	"fmt"
	"net/http"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"datakit.dev/internal/diag"
)

// confd is the commands that work on one store.
type confd struct {
	program
	flags storeFlags
	addr  agentFlags
}

func (p program) confdCommand() *cobra.Command {
	c := &confd{program: p}
	cmd := &cobra.Command{
		Use:   "confd",
		Short: "Read and change the keys of a config store",
		Long: `Read and change the keys of a config store: the first one in datakit.conf that
is enabled, the one that --store names, or the one that --backend and --node
describe.` + "\n" + keyForms,
		Example: `  datakit confd ls
  datakit confd put cpu cpu.conf
  datakit confd get /datakit/confd/cpu --backend etcdv3 --node 10.0.0.5:2379`,
		RunE: group,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return c.flags.alone(cmd.Flags())
		},
	}
	c.flags.add(cmd)
	cmd.AddCommand(c.lsCommand(), c.getCommand(), c.putCommand(), c.rmCommand(), c.editCommand(), c.watchCommand(),
		c.validateCommand(), c.planCommand(), c.importCommand(), c.exportCommand(), c.copyCommand(), c.acceptCommand())
	c.completions(cmd)
	return cmd
}

// with opens the store, and closes it after f.
func (c *confd) with(write bool, f func(t *target) error) (err error) {
	t, err := c.open(&c.flags, write)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := t.Close(); cerr != nil && err == nil {
			err = fmt.Errorf("close the store: %w", cerr)
		}
	}()
	return f(t)
}

func (c *confd) lsCommand() *cobra.Command {
	var long bool
	cmd := &cobra.Command{
		Use:     "ls",
		Short:   "List the keys",
		Example: "  datakit confd ls\n  datakit confd ls -l --store consul",
		Args:    want(0, 0),
		RunE:    run(func(ctx context.Context, _ []string) error { return c.ls(ctx, long) }),
	}
	cmd.Flags().BoolVarP(&long, "long", "l", false, "show the revision and the size of each")
	return cmd
}

func (c *confd) ls(ctx context.Context, long bool) error {
	return c.with(false, func(t *target) error {
		snap, err := t.read(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(c.Stdout, 0, 0, 2, ' ', 0)
		for _, e := range snap.Entries {
			key := diag.OneLine(t.full(e.Key))
			if long {
				fmt.Fprintf(w, "%s\t%s\t%d\n", key, diag.OneLine(string(e.Revision)), max(len(e.Value), e.TooLarge))
			} else {
				fmt.Fprintln(w, key)
			}
		}
		if err := w.Flush(); err != nil {
			return fmt.Errorf("print the keys: %w", err)
		}
		return nil
	})
}

func (c *confd) getCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "get KEY",
		Short:   "Print the value of a key",
		Long:    "Print the value of a key, byte for byte.\n" + keyForms,
		Example: "  datakit confd get cpu\n  datakit confd get pipeline/logging/nginx.p > nginx.p",
		Args:    want(1, 1),

		ValidArgsFunction: c.completeKey,
		RunE: run(func(ctx context.Context, args []string) error {
			return c.with(false, func(t *target) error {
				e, err := t.get(ctx, args[0])
				if err == nil {
					err = t.whole(e)
				}
				if err != nil {
					return err
				}
				if _, err := fmt.Fprint(c.Stdout, e.Value); err != nil {
					return fmt.Errorf("print the value: %w", err)
				}
				return nil
			})
		}),
	}
}

func (c *confd) rmCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "rm KEY",
		Short: "Delete a key",
		Long: `Delete a key. The agents stop what it asked for; what a local file has of the
same kind comes back. What goes is shown first, without what is secret; on a
terminal you are asked whether to delete it.` + "\n" + keyForms,
		Example: "  datakit confd rm cpu",
		Args:    want(1, 1),

		ValidArgsFunction: c.completeKey,
		RunE: run(func(ctx context.Context, args []string) error {
			return c.with(true, func(t *target) error {
				e, err := t.get(ctx, args[0])
				if err != nil {
					return err
				}
				ch := change{was: e, exists: true, gone: true}
				if err := c.agree(t, []change{ch}, yes); err != nil {
					return err
				}
				return c.apply(ctx, t, ch)
			})
		}),
	}
	yesFlag(cmd, &yes)
	return cmd
}

func (c *confd) acceptCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "accept",
		Short: "Apply a mass deletion that the agent holds back",
		Long: `Tell the running agent to apply the deletions that it holds back: where more
than half of a store's keys go at once it waits for a second look (state held).`,
		Example: "  datakit confd accept",
		Args:    want(0, 0),
		RunE: run(func(ctx context.Context, _ []string) error {
			a, err := c.running()
			if err != nil {
				return err
			}
			var out struct {
				Content struct{ Stores int }
			}
			if err := a.call(ctx, http.MethodPost, "/v1/confd/accept", nil, &out); err != nil {
				return err
			}
			if out.Content.Stores == 0 {
				c.say("no deletion is held")
				return nil
			}
			c.say("accepted the deletions of %d stores", out.Content.Stores)
			return nil
		}),
	}
	c.addr.addAddr(cmd)
	return cmd
}

// running returns the agent, which the store's --dir and --timeout hold for too.
func (c *confd) running() (*agent, error) {
	f := c.addr
	f.dir, f.timeout = c.flags.dir, c.flags.timeout
	return c.agent(f)
}
