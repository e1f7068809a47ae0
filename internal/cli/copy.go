package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"datakit.dev/internal/config"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/workdir"
)

// An end is one of the two stores of a copy, as the flags name it.
type end struct {
	name    string // "from" or "to"
	ref     string
	options []string
	secrets []string
}

func (e *end) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&e.ref, e.name, "", "`STORE`: its ID in datakit.conf, or BACKEND=HOST:PORT[,HOST:PORT…]")
	fs.StringArrayVar(&e.options, e.name+"-option", nil, "any `name=value` of [[confds]] for --"+e.name+"; may be repeated")
	fs.StringArrayVar(&e.secrets, e.name+"-secret", nil, "`name=FILE`: an option for --"+e.name+" that a file holds; may be repeated")
}

// copyFlags change what copy does.
type copyFlags struct {
	from, to         end
	yes, create, dry bool
	remove           bool
}

func (c *confd) copyCommand() *cobra.Command {
	f := copyFlags{from: end{name: "from"}, to: end{name: "to"}}
	cmd := &cobra.Command{
		Use:   "copy --from STORE --to STORE",
		Short: "Copy all keys from one store to another",
		Long: `Copy all keys below the root of one store to another, whatever their backends.
Keys that are equal already are left alone; those that only --to has stay, unless
--delete is given. The differences are shown first, without what is secret; on a
terminal you are asked whether to write them. Everything is put before anything
is deleted, so that an agent that follows both stops nothing. A key that somebody
else changes meanwhile is not overwritten.

A STORE is the ID of one in datakit.conf, such as etcdv3 or redis#2, or
BACKEND=HOST:PORT, for which --from-option and --to-option give any further key of
[[confds]]. What is secret is better in a file (--from-secret password=FILE) or in
a variable (ENV_CONFD_FROM_PASSWORD, ENV_CONFD_TO_AUTH_TOKEN) than in an option,
which ` + "`ps`" + ` shows.`,
		Example: `  datakit confd copy --from redis --to etcdv3 --dry-run
  datakit confd copy --from file=/etc/datakit/store --to consul=localhost:8500 --delete
  datakit confd copy --from etcdv3=10.0.0.5:2379 --from-option username=root --from-secret password=pw.txt --to etcdv3`,
		Args: want(0, 0),
		RunE: run(func(ctx context.Context, _ []string) error { return c.copy(ctx, f) }),
	}
	f.from.add(cmd)
	f.to.add(cmd)
	cmd.Flags().BoolVar(&f.remove, "delete", false, "delete the keys that --from does not have")
	cmd.Flags().BoolVar(&f.create, "create", false, "make what --to keeps its keys in, such as a table, where it is missing")
	cmd.Flags().BoolVar(&f.dry, "dry-run", false, "only say what would be written")
	yesFlag(cmd, &f.yes)
	cmd.Flags().SortFlags = false
	return cmd
}

func (c *confd) copy(ctx context.Context, f copyFlags) (err error) {
	if c.flags.backend != "" || c.flags.id != "" {
		return usage("confd copy: name the two stores with --from and --to, not with --store or --backend")
	}
	from, err := c.openEnd(f.from, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := c.openEnd(f.to, !f.dry)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	source, err := from.read(ctx)
	if err == nil {
		err = copyable(from, to, source)
	}
	if err == nil && f.create && !f.dry {
		err = to.create(ctx)
	}
	if err != nil {
		return err
	}
	there, err := to.read(ctx)
	if err != nil {
		return err
	}
	changes := changesTo(there, source.Entries)
	if f.remove {
		changes = append(changes, changesFrom(there, source)...)
	}
	return c.bring(ctx, to, changes, f.yes, f.dry)
}

// changesFrom returns the deletions of what only there has.
func changesFrom(there, source store.Snapshot) (out []change) {
	for _, e := range there.Entries {
		if _, ok := source.Get(e.Key); !ok {
			out = append(out, change{was: e, exists: true, gone: true})
		}
	}
	return out
}

// copyable refuses a tree that the other store cannot take as it is, before any
// of it is written.
func copyable(from, to *target, source store.Snapshot) error {
	most := to.conf.Backend.Traits.MaxValue
	for _, e := range source.Entries {
		if err := from.whole(e); err != nil {
			return err
		}
		if err := store.CheckPut(e.Key, e.Value); err != nil {
			return fmt.Errorf("copy: %w", err)
		}
		if most > 0 && len(e.Value) > most {
			return fmt.Errorf("%s holds %d bytes, and %s takes at most %d", from.full(e.Key), len(e.Value), to.conf.ID, most)
		}
	}
	return nil
}

// openEnd opens one of the two stores.
func (c *confd) openEnd(e end, write bool) (*target, error) {
	conf, err := c.endOf(e)
	if err != nil {
		return nil, err
	}
	if write && !conf.Backend.Traits.Writes {
		return nil, fmt.Errorf("the store %s can only be read: change its keys with its own tools", conf.ID)
	}
	return open(conf, c.flags.timeout)
}

// endOf returns the store that e names: of datakit.conf, or described by flags.
func (c *confd) endOf(e end) (config.Store, error) {
	name, nodes, described := strings.Cut(e.ref, "=")
	if e.ref == "" {
		return config.Store{}, usage("confd copy: --%s is missing: name a store of datakit.conf, or BACKEND=HOST:PORT", e.name)
	}
	if !described && len(e.options) == 0 && len(e.secrets) == 0 {
		conf, found, err := c.configured(e)
		if err != nil || found {
			return conf, err
		}
	}
	f := storeFlags{backend: name, more: e.options}
	if nodes != "" {
		f.nodes = strings.Split(nodes, ",")
	}
	env, err := c.environmentOf(e)
	if err != nil {
		return config.Store{}, err
	}
	p := c.program
	p.Env = env
	all, err := p.stores(&f)
	if err != nil {
		return config.Store{}, fmt.Errorf("--%s: %w", e.name, err)
	}
	return all[0], nil
}

// configured returns the store of datakit.conf that has the ID. Where there is
// none, the ID may still be a backend that needs no nodes.
func (c *confd) configured(e end) (config.Store, bool, error) {
	var ids []string
	_, err := store.Find(c.Parts.Backends, e.ref)
	if _, serr := os.Stat(workdir.Dir(c.flags.dir).Main()); serr == nil || err != nil {
		m, merr := c.readMain(workdir.Dir(c.flags.dir))
		if merr != nil {
			return config.Store{}, false, merr
		}
		for _, s := range m.Stores {
			if s.ID == e.ref {
				return s, true, nil
			}
			ids = append(ids, s.ID)
		}
	}
	if err != nil {
		return config.Store{}, false, usage("--%s %s: there is no such store in datakit.conf, which has %s; give BACKEND=HOST:PORT for another", e.name, e.ref, orNone(ids))
	}
	return config.Store{}, false, nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// environmentOf returns the variables that hold secrets of one end, under the
// names that they have where there is one store only. Those of the other end,
// and of the store in a container, are not in it: a password goes to the store
// that it is for.
func (c *confd) environmentOf(e end) (map[string]string, error) {
	out := map[string]string{}
	for _, field := range store.Fields() {
		if v := c.Env["ENV_CONFD_"+strings.ToUpper(e.name+"_"+field.Name)]; field.Secret && v != "" {
			out[variableOf(field.Name)] = v
		}
	}
	return out, named(e.secrets, e.name+"-secret", func(field, path string) error {
		text, err := readSecret(path)
		if err != nil {
			return fmt.Errorf("--%s-secret: %w", e.name, err)
		}
		if !slices.ContainsFunc(store.Fields(), func(f spec.Field) bool { return f.Name == field && f.Secret }) {
			return usage("--%s-secret %s: it is no secret: give --%s-option %s=VALUE", e.name, field, e.name, field)
		}
		out[variableOf(field)] = text
		return nil
	})
}
