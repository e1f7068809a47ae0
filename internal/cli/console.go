package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"datakit.dev/internal/access"
	"datakit.dev/internal/workdir"
)

func (p program) consoleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "console",
		Short:   "Say who may use the console",
		Example: "  datakit console token\n  datakit console token --revoke",
		RunE:    group,
	}
	cmd.AddCommand(p.tokenCommand())
	return cmd
}

func (p program) tokenCommand() *cobra.Command {
	var dir string
	var revoke bool
	cmd := &cobra.Command{
		Use:   "token [--revoke]",
		Short: "Make the token that lets in to the console",
		Long: `Make the token that lets in to the console, and print it once: only its hash is
kept. Without a token the console is for this machine alone; with one, who shows it is
let in from everywhere that reaches the HTTP interface, and nobody without it, on
this machine too. A token that there was before, and every session that was opened
with it, ends at once. With --revoke there is none from now on.`,
		Example: `  datakit console token
  datakit console token --dir /srv/datakit
  datakit console token --revoke`,
		Args: want(0, 0),
		RunE: run(func(context.Context, []string) error {
			return p.token(access.File(workdir.Dir(dir).ConsoleToken()), revoke)
		}),
	}
	dirFlag(cmd, &dir)
	cmd.Flags().BoolVar(&revoke, "revoke", false, "take the token away")
	return cmd
}

func (p program) token(f access.File, revoke bool) error {
	if revoke {
		gone, err := f.Revoke()
		switch {
		case err != nil:
			return fmt.Errorf("%w: run this as the agent's user, or give --dir", err)
		case gone:
			p.say("revoked: the console is for this machine alone")
		default:
			p.say("there is no token: the console is for this machine alone")
		}
		return nil
	}
	secret, err := f.Create(time.Now())
	if err != nil {
		return fmt.Errorf("%w: run this as the agent's user, or give --dir", err)
	}
	fmt.Fprintln(p.Stderr, "this is shown once; whoever has it can use the console:")
	p.say("%s", secret)
	return nil
}
