package backup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"datakit.dev/internal/atomicfile"
	"datakit.dev/internal/store"
)

// writeScripts makes the folder hold the scripts among entries and no others.
// The first of a name wins, as it does among the stores.
func writeScripts(dir string, entries []Entry) error {
	if dir == "" {
		return nil
	}
	var written []string
	for _, e := range entries {
		if e.Script == "" || slices.Contains(written, e.Script) {
			continue
		}
		if err := atomicfile.Write(filepath.Join(dir, filepath.FromSlash(e.Script)), []byte(e.Text), 0o640); err != nil {
			return err //nolint:wrapcheck // Write wraps it
		}
		written = append(written, e.Script)
	}
	return prune(dir, written)
}

// prune removes the scripts below dir that are not in keep, and folders that
// are empty then.
func prune(dir string, keep []string) error {
	files, err := fs.Glob(os.DirFS(dir), "*/*.p")
	if err != nil {
		return err //nolint:wrapcheck // the pattern is a constant
	}
	for _, name := range files {
		if slices.Contains(keep, name) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			return err //nolint:wrapcheck // a PathError says it all
		}
		// The folder goes with its last script; it stays where others are in it.
		_ = os.Remove(filepath.Join(dir, filepath.Dir(filepath.FromSlash(name))))
	}
	return nil
}

// readScript returns the text of a script below dir, or "" where it cannot be
// read: its checksum then tells.
func readScript(dir, name string) string {
	path := filepath.FromSlash(name)
	if !filepath.IsLocal(path) {
		return ""
	}
	st, err := os.Stat(filepath.Join(dir, path))
	if err != nil || !st.Mode().IsRegular() || st.Size() > store.MaxValue {
		return ""
	}
	text, err := os.ReadFile(filepath.Join(dir, path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return string(text)
}
