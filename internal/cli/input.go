package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"datakit.dev/internal/input"
)

func (p program) inputCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "input",
		Short: "List, describe and try out inputs",
		Example: `  datakit input ls
  datakit input sample cpu > cpu.conf
  datakit input test cpu cpu.conf`,
		RunE: group,
	}
	cmd.AddCommand(p.inputListCommand(), p.inputSampleCommand(), p.inputTestCommand())
	return cmd
}

func (p program) inputListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "ls",
		Short:   "List the inputs",
		Example: "  datakit input ls",
		Args:    want(0, 0),
		RunE: run(func(context.Context, []string) error {
			w := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
			plugins := slices.SortedFunc(slices.Values(p.Inputs), func(a, b input.Plugin) int { return strings.Compare(a.Name, b.Name) })
			for _, in := range plugins {
				fmt.Fprintf(w, "%s\t%s\n", in.Name, in.Doc)
			}
			if err := w.Flush(); err != nil {
				return fmt.Errorf("print the inputs: %w", err)
			}
			return nil
		}),
	}
}

func (p program) inputSampleCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "sample NAME",
		Short:   "Print a configuration file with every option of an input",
		Example: "  datakit input sample cpu > /usr/local/datakit/conf.d/cpu.conf",
		Args:    want(1, 1),
		RunE: run(func(_ context.Context, args []string) error {
			in, err := p.plugin(args[0])
			if err != nil {
				return err
			}
			if _, err := fmt.Fprint(p.Stdout, in.Schema().Sample()); err != nil {
				return fmt.Errorf("print the sample: %w", err)
			}
			return nil
		}),
	}
}

// plugin returns the input called name.
func (p program) plugin(name string) (input.Plugin, error) {
	in, ok := p.Parts.Catalog.Find(name)
	if !ok {
		return in, usage("unknown input %q; there is %s", name, strings.Join(p.Parts.Catalog.Names(), " "))
	}
	return in, nil
}

func (p program) inputTestCommand() *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "test NAME [FILE]",
		Short: "Collect once on this host and print the points",
		Long: `Collect once on this host, with the defaults or as FILE says, and print the
points as line protocol. An input that measures rates collects twice; one that
paces itself runs until its first points.`,
		Example: "  datakit input test cpu\n  datakit input test disk disk.conf --timeout 5s",
		Args:    want(1, 2),
		RunE: run(func(ctx context.Context, args []string) error {
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			err := p.testInput(ctx, args)
			if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
				err = fmt.Errorf("%w: not done within %v; --timeout waits longer", err, timeout)
			}
			return err
		}),
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Second, "how long it may take")
	return cmd
}
