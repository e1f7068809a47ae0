package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"datakit.dev/internal/store"
)

// putFlags change how much put asks.
type putFlags struct{ force, yes bool }

func (c *confd) putCommand() *cobra.Command {
	var f putFlags
	cmd := &cobra.Command{
		Use:   "put KEY [FILE|-]",
		Short: "Write a key",
		Long: `Write the content of FILE, or of standard input, to a key. What an agent would
refuse is not written, unless --force is given. On a terminal the difference to
a value that is there already is shown first. If somebody else changes the key
meanwhile, nothing is written.` + "\n" + keyForms,
		Example: `  datakit confd put cpu cpu.conf
  echo '[[inputs.mem]]' | datakit confd put mem
  datakit confd put pipeline/logging/nginx.p nginx.p --yes`,
		Args: want(1, 2),
		RunE: run(func(ctx context.Context, args []string) error { return c.put(ctx, args, f) }),
	}
	cmd.Flags().BoolVar(&f.force, "force", false, "write it even if the agents will refuse it")
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
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
		old, exists, err := t.find(ctx, args[0])
		if err != nil {
			return err
		}
		e := store.Entry{Key: old.Key, Value: value}
		if bad := c.validate(e, t.full(e.Key)); len(bad) > 0 && !f.force {
			return fmt.Errorf("%w; nothing was written: put it right, or write it all the same with --force", bad)
		}
		if exists && old.Value == value && old.TooLarge == 0 {
			c.say("unchanged %s", t.full(e.Key))
			return nil
		}
		if exists && path != "-" && !f.yes && c.interactive() {
			if err := c.agree(old.Value, value); err != nil {
				return err
			}
		}
		return c.write(ctx, t, e, unchanged(old, exists))
	})
}

// agree shows a difference and asks whether to write it.
func (c *confd) agree(was, is string) error {
	if _, err := c.Stderr.Write(diff.Diff("store", []byte(was), "new", []byte(is))); err != nil {
		return fmt.Errorf("show the difference: %w", err)
	}
	if !c.confirm("write it?") {
		return errors.New("nothing was written")
	}
	return nil
}

// unchanged is the condition that nobody wrote the key since it was read.
func unchanged(old store.Entry, exists bool) store.Cond {
	if !exists {
		return store.Cond{Absent: true}
	}
	return store.Cond{Revision: old.Revision}
}

func (c *confd) write(ctx context.Context, t *target, e store.Entry, cond store.Cond) error {
	rev, err := t.put(ctx, e, cond)
	if err != nil {
		return err
	}
	c.say("put %s, revision %s", t.full(e.Key), rev)
	return nil
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
