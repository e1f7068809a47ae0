package cli

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"datakit.dev/internal/workdir"
)

// completeWithin is how long the shell waits for the keys of a store.
const completeWithin = 2 * time.Second

// completions makes the shell complete what the flags of stores take.
func (c *confd) completions(cmd *cobra.Command) {
	for flag, names := range map[string]func() []string{"backend": c.backends, "store": c.storeIDs} {
		// An error says that there is no such flag, which a test would show.
		_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return names(), cobra.ShellCompDirectiveNoFileComp
		})
	}
}

func (c *confd) backends() (names []string) {
	for _, b := range c.Parts.Backends {
		names = append(names, b.Name)
	}
	return names
}

func (c *confd) storeIDs() (ids []string) {
	m, err := c.readMain(workdir.Dir(c.flags.dir))
	if err != nil {
		return nil
	}
	for _, s := range m.Stores {
		ids = append(ids, s.ID)
	}
	return ids
}

// completeKey completes a KEY with those of the store; behind it come files.
func (c *confd) completeKey(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var keys []string
	flags := c.flags
	flags.timeout = min(flags.timeout, completeWithin)
	t, err := c.open(&flags, false)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError | cobra.ShellCompDirectiveNoFileComp
	}
	snap, err := t.read(cmd.Context())
	if t.Close() != nil || err != nil {
		return nil, cobra.ShellCompDirectiveError | cobra.ShellCompDirectiveNoFileComp
	}
	for _, e := range snap.Entries {
		for _, form := range []string{strings.TrimPrefix(e.Key, confdFolder), e.Key, t.full(e.Key)} {
			if strings.HasPrefix(form, begun) && !strings.ContainsAny(form, "\t\n") {
				keys = append(keys, form)
				break
			}
		}
	}
	return keys, cobra.ShellCompDirectiveNoFileComp
}
