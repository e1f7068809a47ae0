package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"datakit.dev/internal/atomicfile"
	"datakit.dev/internal/store"
)

// exportMark is the file that tells an export from any other folder: its names
// are escaped, and it may be replaced by a newer one.
const exportMark = ".datakit-export"

const exportNote = `Written by "datakit confd export"; "datakit confd import" takes it back. The path
of each file is its key. %XX stands for a byte that no file name should hold, and
a % at the end of a name for nothing: the key is also a folder of others.
`

func (c *confd) exportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "export DIR|FILE.json|-",
		Short: "Write the keys of the store to files",
		Long: `Write every key of the store to a file of its own below DIR, or all of them to one
JSON file, which is complete or not there at all. import takes back either. DIR
must be new, empty, or an earlier export, which is then replaced. Values may hold
passwords: only the owner may read what is written.`,
		Example: "  datakit confd export ./backup\n  datakit confd export backup.json --store etcdv3\n  datakit confd export - | jq '.entries[].key'",
		Args:    want(1, 1),
		RunE: run(func(ctx context.Context, args []string) error {
			return c.with(false, func(t *target) error { return c.export(ctx, t, args[0]) })
		}),
	}
}

func (c *confd) export(ctx context.Context, t *target, to string) error {
	snap, err := t.read(ctx)
	if err != nil {
		return err
	}
	for _, e := range snap.Entries {
		if err := t.whole(e); err != nil {
			return err
		}
	}
	if to != "-" && filepath.Ext(to) != ".json" {
		err = writeTree(to, snap.Entries)
	} else {
		err = c.writeJSON(to, t.conf.Root, snap.Entries)
	}
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if to != "-" {
		c.say("exported %d keys to %s", len(snap.Entries), to)
	}
	return nil
}

func (c *confd) writeJSON(to, root string, entries []store.Entry) error {
	text, err := encodeTree(root, entries)
	if err != nil {
		return err
	}
	if to == "-" {
		_, err = c.Stdout.Write(text)
		return err //nolint:wrapcheck // the caller says what was done
	}
	return atomicfile.Write(to, text, 0o600) //nolint:wrapcheck // a PathError says it all
}

// writeTree writes entries beside dir and then moves them there.
func writeTree(dir string, entries []store.Entry) (err error) {
	dir = filepath.Clean(dir)
	replaces, err := mayExport(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err //nolint:wrapcheck // a PathError says it all
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), exportMark+"-*") // for its owner only
	if err != nil {
		return err //nolint:wrapcheck // a PathError says it all
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	whole := filepath.Join(tmp, "new")
	if err := writeFiles(whole, entries); err != nil {
		return err
	}
	if !replaces {
		return os.Rename(whole, dir) //nolint:wrapcheck // a LinkError says it all
	}
	old := filepath.Join(tmp, "old")
	if err := os.Rename(dir, old); err != nil {
		return err //nolint:wrapcheck // a LinkError says it all
	}
	if err := os.Rename(whole, dir); err != nil {
		return errors.Join(err, os.Rename(old, dir))
	}
	return nil
}

// mayExport refuses a folder that holds anything but an export, and reports
// whether dir is there.
func mayExport(dir string) (replaces bool, err error) {
	list, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err //nolint:wrapcheck // a PathError says it all
	case len(list) > 0 && !isExport(dir):
		return false, fmt.Errorf("%s holds other files: name a new folder, or a FILE.json", dir)
	}
	return true, nil
}

func isExport(dir string) bool {
	at, err := os.Lstat(filepath.Join(dir, exportMark))
	return err == nil && at.Mode().IsRegular()
}

func writeFiles(dir string, entries []store.Entry) error {
	folders := map[string]bool{}
	for _, e := range entries {
		for i := range e.Key {
			if e.Key[i] == '/' {
				folders[e.Key[:i]] = true
			}
		}
	}
	if err := writeNew(filepath.Join(dir, exportMark), exportNote); err != nil {
		return err
	}
	for _, e := range entries {
		rel, err := pathOfKey(e.Key)
		if err != nil {
			return err
		}
		if folders[e.Key] {
			rel += "%"
		}
		if err := writeNew(filepath.Join(dir, filepath.FromSlash(rel)), e.Value); err != nil {
			if errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("the file system takes key %q and another one for the same: export to a FILE.json", e.Key)
			}
			return err
		}
	}
	return nil
}

// writeNew writes a file that must not be there, and its folders.
func writeNew(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err //nolint:wrapcheck // a PathError says it all
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err //nolint:wrapcheck // a PathError says it all
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// maxName is how long the name of a file may be; most systems take 255 bytes.
const maxName = 240

// pathOfKey returns the path of a key's file, slash separated. No two keys have
// the same, and none leaves its folder or is hidden in it.
func pathOfKey(key string) (string, error) {
	parts := strings.Split(key, "/")
	for i, part := range parts {
		parts[i] = escape(part)
		if len(parts[i]) > maxName {
			return "", fmt.Errorf("key %.40q… has a name of %d bytes, too long for a file: export to a FILE.json", key, len(part))
		}
	}
	return strings.Join(parts, "/"), nil
}
