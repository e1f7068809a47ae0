package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
		Use:   "import DIR",
		Short: "Put a folder of files into the store",
		Long: `Put every file of a folder into the store: confd/… and pipeline/CATEGORY/… under
their own names, and other .conf files as confd/NAME. All are validated first,
and nothing is written if one of them is wrong. Keys that are equal already are
left alone, and none is deleted.`,
		Example: "  datakit confd import /usr/local/datakit/conf.d --dry-run\n  datakit confd import ./confd-repo",
		Args:    want(1, 1),
		RunE: run(func(ctx context.Context, args []string) error {
			return c.with(!dry, func(t *target) error { return c.importDir(ctx, t, args[0], f.force, dry) })
		}),
	}
	cmd.Flags().BoolVar(&f.force, "force", false, "write even what the agents will refuse")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only say what would be written")
	return cmd
}

func (c *confd) importDir(ctx context.Context, t *target, dir string, force, dry bool) error {
	entries, err := c.collect(dir)
	if err != nil {
		return err
	}
	n := 0
	for _, e := range entries {
		if bad := c.validate(e, t.full(e.Key)); len(bad) > 0 && !force {
			fmt.Fprintln(c.Stdout, bad.Text())
			n += len(bad)
		}
	}
	if err := problems(n); err != nil {
		return fmt.Errorf("nothing was written: %w", err)
	}
	snap, err := t.read(ctx)
	if err != nil {
		return err
	}
	for i, e := range entries {
		old, exists := snap.Get(e.Key)
		switch {
		case exists && old.Value == e.Value && old.TooLarge == 0:
			c.say("unchanged %s", t.full(e.Key))
		case dry:
			c.say("would put %s", t.full(e.Key))
		default:
			if err := c.write(ctx, t, e, unchanged(old, exists)); err != nil {
				return fmt.Errorf("%s: %w; %d of %d files are done, and can be imported again", t.full(e.Key), err, i, len(entries))
			}
		}
	}
	return nil
}

// collect reads the files of dir, by key.
func (c *confd) collect(dir string) ([]store.Entry, error) {
	var out []store.Entry
	from := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		hidden := path != dir && strings.HasPrefix(d.Name(), ".")
		switch {
		case err != nil:
			return err
		case d.IsDir() && (hidden || d.Name() == "samples"):
			return filepath.SkipDir
		case d.IsDir() || hidden:
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err //nolint:wrapcheck // cannot happen below dir
		}
		key, ok := importKey(filepath.ToSlash(rel))
		if !ok {
			return nil
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
		return nil, fmt.Errorf("import: %w", err)
	}
	if len(out) == 0 {
		return nil, errors.New("import: " + dir + " holds no .conf file, no confd/ and no pipeline/ folder")
	}
	slices.SortFunc(out, func(a, b store.Entry) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
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
