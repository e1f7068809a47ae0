// Package cli is the agent's command line. It talks to config stores and to a
// running agent; the agent itself, the backends and the inputs are given to it.
//
// Every error is one line on standard error that says what to do. The exit code
// is 0 where it is done, 1 where it failed, and 2 for wrong use.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"datakit.dev/internal/config"
	"datakit.dev/internal/diag"
	"datakit.dev/internal/input"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/workdir"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// Deps is what the commands need of the program they are part of.
type Deps struct {
	Version string
	Parts   config.Parts
	Inputs  []input.Plugin

	// CheckScript says what is wrong with a script; nil takes every script.
	CheckScript config.ScriptCheck

	// Funcs are the functions that scripts may call.
	Funcs fn.Table

	// Run runs the agent until ctx ends.
	Run func(ctx context.Context, o RunOptions) error

	// Monitor shows a running agent until the user has seen enough.
	Monitor func(ctx context.Context, o MonitorOptions) error

	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Env            map[string]string

	// Extra are commands that other packages bring along.
	Extra []*cobra.Command
}

// RunOptions is what `datakit run` was told.
type RunOptions struct {
	Dir string // the work directory; "" with Dev where none was named
	Dev bool
}

// Execute runs the command that args name and returns the exit code.
func Execute(ctx context.Context, d Deps, args []string) int {
	root := newRoot(program{d})               //nolint:contextcheck // cobra hands the context to the command
	root.SetArgs(append([]string{}, args...)) // never nil, which would mean the program's own
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = failed{errors.New("interrupted")}
	}
	if own := err.Error(); strings.HasPrefix(own, "unknown command") || strings.Contains(own, "flags in the group") {
		err = fmt.Errorf("%w; see `datakit --help`", err) // cobra says what is wrong, and not what to do
	}
	fmt.Fprintln(d.Stderr, "datakit:", diag.OneLine(spec.RedactURL(err.Error())))
	if _, ok := errors.AsType[failed](err); ok {
		return exitFailed
	}
	return exitUsage // cobra found something wrong before any command ran
}

// failed is an error of a command that was used rightly.
type failed struct{ error }

func (f failed) Unwrap() error { return f.error }

// misuse is an error of a command that was used wrongly, found while it ran.
type misuse struct{ error }

// usage returns an error for wrong use.
func usage(format string, args ...any) error { return misuse{fmt.Errorf(format, args...)} }

// program is the commands with what they need.
type program struct{ Deps }

func newRoot(p program) *cobra.Command {
	root := &cobra.Command{
		Use:   "datakit",
		Short: "A telemetry agent whose configuration lives in your config store",
		Long: `DataKit collects metrics, logs and traces. Its configuration lives in the store
that you already run: etcd, Consul, Redis, files and others. A change there is
live in seconds, and touches nothing but what changed.`,
		Example: `  datakit run --dev                         try it out in this folder
  datakit status                            what runs, and what became of every key
  datakit monitor                           the same live, in this terminal
  datakit confd put cpu cpu.conf            change an input on every agent`,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          group,
	}
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	root.AddCommand(p.manCommand()) // hidden: for those who package DataKit
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; see `%s --help`", err, cmd.CommandPath())
	})
	root.AddCommand(p.runCommand(), p.versionCommand(), p.statusCommand(), p.monitorCommand(), p.checkCommand(), p.inputCommand(), p.confdCommand(), p.pipelineCommand(), p.dqlCommand(), p.consoleCommand())
	for _, cmd := range p.Extra {
		root.AddCommand(marked(cmd))
	}
	return root
}

// group is what a command does that only has others below it.
func group(cmd *cobra.Command, args []string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	what := "a command is missing"
	if len(args) > 0 {
		what = fmt.Sprintf("unknown command %q", args[0])
	}
	return fmt.Errorf("%s: %s; there is %s; see `%s --help`", cmd.CommandPath(), what, strings.Join(names, " "), cmd.CommandPath())
}

// run makes a cobra function of f, and marks its errors as failures.
func run(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := f(cmd.Context(), args)
		if _, ok := errors.AsType[misuse](err); err == nil || ok {
			return err
		}
		return failed{err}
	}
}

// marked marks the errors of a command that another package brings along as
// failures, as run does with ours.
func marked(cmd *cobra.Command) *cobra.Command {
	if f := cmd.RunE; f != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			return run(func(context.Context, []string) error { return f(cmd, args) })(cmd, args)
		}
	}
	return cmd
}

// want refuses a number of arguments outside of least and most.
func want(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return fmt.Errorf("%s: wrong number of arguments; use: %s", cmd.CommandPath(), cmd.UseLine())
		}
		return nil
	}
}

// interactive reports whether somebody sits there who can be asked.
func (p program) interactive() bool {
	in, ok := p.Stdin.(*os.File)
	return ok && term.IsTerminal(int(in.Fd()))
}

// say prints one line of result. What stores and agents hold cannot steer the
// terminal.
func (p program) say(format string, args ...any) {
	fmt.Fprintln(p.Stdout, diag.OneLine(fmt.Sprintf(format, args...)))
}

// dirFlag adds --dir.
func dirFlag(cmd *cobra.Command, dir *string) {
	cmd.PersistentFlags().StringVar(dir, "dir", string(workdir.Default()), "work `directory`")
}
