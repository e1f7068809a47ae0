package cli

import (
	"context"
	"runtime"

	"github.com/spf13/cobra"

	"datakit.dev/internal/workdir"
)

func (p program) runCommand() *cobra.Command {
	var o RunOptions
	cmd := &cobra.Command{
		Use:   "run [--dir DIR] [--dev]",
		Short: "Run the agent in the foreground",
		Long: `Run the agent in the foreground, until it is interrupted.

With --dev it needs nothing: it makes a work directory with a file store in it
below the current folder, or in DIR, and writes points to standard output.`,
		Example: `  datakit run
  datakit run --dir /srv/datakit
  datakit run --dev`,
		Args: want(0, 0),
		RunE: run(func(ctx context.Context, _ []string) error {
			if o.Dir == "" && !o.Dev {
				o.Dir = string(workdir.Default())
			}
			return p.Run(ctx, o)
		}),
	}
	cmd.Flags().StringVar(&o.Dir, "dir", "", "work `directory` (default \""+string(workdir.Default())+"\")")
	cmd.Flags().BoolVar(&o.Dev, "dev", false, "make a work directory and a file store to try things out")
	return cmd
}

func (p program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version",
		Args:  want(0, 0),
		RunE: run(func(context.Context, []string) error {
			p.say("datakit %s (%s %s/%s)", p.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		}),
	}
}
