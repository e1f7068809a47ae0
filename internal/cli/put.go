package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"datakit.dev/internal/store"
)

// putFlags change how put works.
type putFlags struct{ force, yes, create bool }

func (f *putFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.force, "force", false, "write even what the agents will refuse")
	cmd.Flags().BoolVar(&f.create, "create", false, "make what the store keeps its keys in, such as a table, where it is missing")
	yesFlag(cmd, &f.yes)
}

func (c *confd) putCommand() *cobra.Command {
	var f putFlags
	cmd := &cobra.Command{
		Use:   "put KEY [FILE|-]",
		Short: "Write a key",
		Long: `Write the content of FILE, or of standard input, to a key. What an agent would
refuse is not written, unless --force is given. The difference to what is there
is shown first, without what is secret; on a terminal you are asked whether to
write it. If somebody else changes the key meanwhile, nothing is written.` + "\n" + keyForms,
		Example: `  datakit confd put cpu cpu.conf
  echo '[[inputs.mem]]' | datakit confd put mem
  datakit confd put pipeline/logging/nginx.p nginx.p --yes`,
		Args:              want(1, 2),
		ValidArgsFunction: c.completeKey,
		RunE:              run(func(ctx context.Context, args []string) error { return c.put(ctx, args, f) }),
	}
	f.add(cmd)
	return cmd
}

func (c *confd) put(ctx context.Context, args []string, f putFlags) error {
	path := "-"
	if len(args) > 1 {
		path = args[1]
	} else if c.interactive() {
		return usage("confd put: give a FILE, or the value on standard input")
	}
	return c.with(true, func(t *target) error {
		value, err := c.readValue(path)
		if err != nil {
			return err
		}
		if f.create {
			if err := t.create(ctx); err != nil {
				return err
			}
		}
		old, exists, err := t.find(ctx, args[0])
		if err != nil {
			return err
		}
		e := store.Entry{Key: old.Key, Value: value}
		if bad := c.validate(e, t.full(e.Key)); len(bad) > 0 && !f.force {
			return fmt.Errorf("%w; nothing was written: put it right, or write it all the same with --force", bad)
		}
		ch := change{was: old, is: e, exists: exists}
		if ch.same() {
			c.say("unchanged %s", t.full(e.Key))
			return nil
		}
		if err := c.agree(t, []change{ch}, f.yes || path == "-"); err != nil {
			return err
		}
		return c.apply(ctx, t, ch)
	})
}

// confirm asks a question that only "y" and "yes" answer.
func (p program) confirm(question string) bool {
	fmt.Fprint(p.Stderr, question, " [y/N] ")
	line, err := bufio.NewReader(p.Stdin).ReadString('\n')
	if err != nil && line == "" {
		return false
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}
