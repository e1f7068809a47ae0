package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"datakit.dev/internal/store"
)

func (c *confd) editCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "edit KEY",
		Short: "Change a key in your editor",
		Long: `Open the value of a key in the editor that VISUAL or EDITOR names, and write
what you saved. The editor opens again while an agent would refuse the value;
to give up, leave it without a change. The difference is shown, and on a terminal
you are asked whether to write it. A new key begins with a sample.` + "\n" + keyForms,
		Example: "  datakit confd edit cpu\n  EDITOR=nano datakit confd edit pipeline/logging/nginx.p",
		Args:    want(1, 1),

		ValidArgsFunction: c.completeKey,
		RunE: run(func(ctx context.Context, args []string) error {
			return c.with(true, func(t *target) error { return c.edit(ctx, t, args[0], yes) })
		}),
	}
	yesFlag(cmd, &yes)
	return cmd
}

func (c *confd) edit(ctx context.Context, t *target, arg string, yes bool) error {
	old, exists, err := t.find(ctx, arg)
	if err == nil {
		err = t.whole(old)
	}
	if err != nil {
		return err
	}
	key := old.Key
	text := old.Value
	if !exists {
		text = c.sample(key)
	}
	file, err := draft(key, text)
	if err != nil {
		return err
	}
	value, err := c.edited(ctx, file, text, store.Entry{Key: key})
	if err != nil {
		return errors.Join(err, os.Remove(file))
	}
	if value == text {
		c.say("unchanged %s", t.full(key))
		return os.Remove(file) //nolint:wrapcheck // a PathError says it all
	}
	ch := change{was: old, is: store.Entry{Key: key, Value: value}, exists: exists}
	err = c.agree(t, []change{ch}, yes)
	if err == nil {
		err = c.apply(ctx, t, ch)
	}
	if err != nil {
		return fmt.Errorf("%w; your text is in %s", err, file)
	}
	return os.Remove(file) //nolint:wrapcheck // a PathError says it all
}

// sample returns what a new key begins with.
func (c *confd) sample(key string) string {
	p, ok := c.Parts.Catalog.Find(strings.TrimSuffix(path.Base(key), confSuffix))
	if !ok || !strings.HasPrefix(key, confdFolder) {
		return ""
	}
	return p.Schema().Sample()
}

// draft writes text to a file of its own that only its owner can read: a value
// may hold passwords. The suffix tells the editor what it is.
func draft(key, text string) (string, error) {
	suffix := path.Ext(key)
	if suffix != scriptSuffix {
		suffix = confSuffix
	}
	f, err := os.CreateTemp("", "datakit-*"+suffix)
	if err != nil {
		return "", fmt.Errorf("make a file to edit: %w", err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("make a file to edit: %w", err)
	}
	return f.Name(), nil
}

// edited returns what the user saved, once it is valid. e names the key.
func (c *confd) edited(ctx context.Context, file, before string, e store.Entry) (string, error) {
	for {
		if err := c.editor(ctx, file); err != nil {
			return "", err
		}
		var err error
		if e.Value, err = c.readValue(file); err != nil {
			return "", err
		}
		bad := c.validate(e, e.Key)
		if len(bad) == 0 {
			return e.Value, nil
		}
		if e.Value == before {
			return "", fmt.Errorf("%w; nothing was written", bad)
		}
		before = e.Value
		fmt.Fprintln(c.Stdout, bad.Text())
	}
}

// editor runs the user's editor on file.
func (c *confd) editor(ctx context.Context, file string) error {
	words := strings.Fields(c.Env["VISUAL"])
	if len(words) == 0 {
		words = strings.Fields(c.Env["EDITOR"])
	}
	if len(words) == 0 {
		words = []string{"vi"}
		if runtime.GOOS == "windows" {
			words = []string{"notepad"}
		}
	}
	cmd := exec.CommandContext(ctx, words[0], append(words[1:], file)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, c.Stdout, c.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the editor %s: %w: set EDITOR to one that works; nothing was written", words[0], err)
	}
	return nil
}
