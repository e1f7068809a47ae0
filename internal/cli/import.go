package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"datakit.dev/internal/point"
	"datakit.dev/internal/store"
)

// mainFile is the main configuration, which is no input's.
const mainFile = "datakit.conf"

func (c *confd) importCommand() *cobra.Command {
	var f putFlags
	var dry bool
	cmd := &cobra.Command{
		Use:   "import DIR|FILE|-",
		Short: "Put a folder of files into the store",
		Long: `Put every file of a folder into the store: confd/… and pipeline/CATEGORY/… under
their own names, and other .conf files as confd/NAME. What export has written, a
folder or a file, goes back under the keys that it came from. All are validated
first, and nothing is written if one of them is wrong. The differences are shown,
without what is secret; on a terminal you are asked whether to write them. Keys
that are equal already are left alone, and none is deleted.`,
		Example: "  datakit confd import /usr/local/datakit/conf.d --dry-run\n  datakit confd import ./confd-repo\n  datakit confd import backup.json",
		Args:    want(1, 1),
		RunE: run(func(ctx context.Context, args []string) error {
			return c.with(!dry, func(t *target) error { return c.importAll(ctx, t, args[0], f, dry) })
		}),
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only say what would be written")
	return cmd
}

func (c *confd) importAll(ctx context.Context, t *target, from string, f putFlags, dry bool) error {
	entries, err := c.collect(from)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	var wrong problems
	for _, e := range entries {
		if bad := c.validate(e, t.full(e.Key)); len(bad) > 0 && !f.force {
			fmt.Fprintln(c.Stdout, bad.Text())
			wrong.add(bad)
		}
	}
	if err := wrong.err(); err != nil {
		return fmt.Errorf("nothing was written: %w", err)
	}
	if f.create && !dry {
		if err := t.create(ctx); err != nil {
			return err
		}
	}
	snap, err := t.read(ctx)
	if err != nil {
		return err
	}
	return c.bring(ctx, t, changesTo(snap, entries), f.yes || from == "-", dry)
}

// changesTo returns what has to be done for the tree to have entries.
func changesTo(snap store.Snapshot, entries []store.Entry) []change {
	out := make([]change, len(entries))
	for i, e := range entries {
		was, exists := snap.Get(e.Key)
		out[i] = change{was: was, is: e, exists: exists}
	}
	return out
}

// bring makes changes, other than those that are there already. With dry it only
// says so.
func (c *confd) bring(ctx context.Context, t *target, changes []change, yes, dry bool) error {
	var todo []change
	for _, ch := range changes {
		if ch.same() {
			c.say("unchanged %s", t.full(ch.key()))
			continue
		}
		if todo = append(todo, ch); dry {
			c.say("would %s %s", ch.verb(), t.full(ch.key()))
		}
	}
	if len(todo) == 0 {
		return nil
	}
	if err := c.agree(t, todo, yes || dry); err != nil || dry {
		return err
	}
	for i, ch := range todo {
		if err := c.apply(ctx, t, ch); err != nil {
			return fmt.Errorf("%s: %w; %d of %d keys are done, and the same command does the rest", t.full(ch.key()), err, i, len(todo))
		}
	}
	return nil
}

// collect reads what import was given, by key.
func (c *confd) collect(from string) ([]store.Entry, error) {
	if from == "-" {
		return decodeTree(c.Stdin)
	}
	at, err := os.Stat(from)
	switch {
	case err != nil:
		return nil, err //nolint:wrapcheck // a PathError says it all
	case !at.IsDir():
		f, err := os.Open(from)
		if err != nil {
			return nil, err //nolint:wrapcheck // a PathError says it all
		}
		entries, err := decodeTree(f)
		return entries, errors.Join(err, f.Close())
	}
	return c.collectDir(from)
}

// collectDir reads the files of a folder.
func (c *confd) collectDir(dir string) ([]store.Entry, error) {
	var out []store.Entry
	from, exported := map[string]string{}, isExport(dir)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		key, ok, err := keyOfEntry(dir, path, d, exported)
		if !ok || err != nil {
			return err
		}
		if other, taken := from[key]; taken {
			return fmt.Errorf("%s and %s would both be the key %s: rename one", other, path, key)
		}
		from[key] = path
		if len(out) == store.MaxEntries {
			return fmt.Errorf("%s holds more than %d files", dir, store.MaxEntries)
		}
		value, err := c.readValue(path)
		out = append(out, store.Entry{Key: key, Value: value})
		return err
	})
	if err != nil {
		return nil, err //nolint:wrapcheck // a PathError says it all
	}
	if len(out) == 0 {
		return nil, errors.New(dir + " holds no .conf file, no confd/ and no pipeline/ folder")
	}
	slices.SortFunc(out, func(a, b store.Entry) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

// keyOfEntry returns the key of what is at path, and whether it is to be taken.
// An export says itself what its files are called.
func keyOfEntry(dir, path string, d fs.DirEntry, exported bool) (key string, ok bool, err error) {
	hidden := path != dir && strings.HasPrefix(d.Name(), ".")
	switch {
	case d.IsDir() && (hidden || d.Name() == "samples" && !exported):
		return "", false, filepath.SkipDir
	case d.IsDir() || hidden:
		return "", false, nil
	}
	rel, err := filepath.Rel(dir, path)
	if err != nil {
		return "", false, err //nolint:wrapcheck // cannot happen below dir
	}
	rel = filepath.ToSlash(rel)
	if !exported {
		key, ok = importKey(rel)
		return key, ok, nil
	}
	if key, err = keyOfPath(rel); err != nil {
		return "", false, fmt.Errorf("%s: %w", path, err)
	}
	return key, true, nil
}

// importKey returns the key of the file at rel, and whether it is to be taken.
func importKey(rel string) (string, bool) {
	rest, script := strings.CutPrefix(rel, pipelineFolder)
	switch {
	case script && !strings.Contains(rest, "/"):
		return pipelineFolder + string(point.Logging) + "/" + rest, true // as in a work directory
	case ours(rel):
		return rel, true
	case strings.HasSuffix(rel, confSuffix) && rel != mainFile:
		return confdFolder + strings.TrimSuffix(rel, confSuffix), true
	}
	return "", false
}
