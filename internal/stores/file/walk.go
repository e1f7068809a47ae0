package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"datakit.dev/internal/store"
)

// errBound marks a tree that is too big: another look will not help.
var errBound = errors.New("too big")

// maxDepth bounds nested directories.
const maxDepth = 32

// A source is one file that is a key.
type source struct {
	key, path string
	info      fs.FileInfo
}

// A walker finds the sources below the listed paths.
type walker struct {
	ctx     context.Context //nolint:containedctx // lives for one walk
	watch   func(dir string)
	sources []source
	dirs    []fs.FileInfo  // every directory, for the time of its last change
	byKey   map[string]int // index into sources
	hidden  []string       // paths whose key an earlier path holds
}

// walk returns the walker after it went through paths. Every directory is given
// to watch before it is listed, so that what appears meanwhile is not missed.
func walk(ctx context.Context, paths []string, watch func(dir string)) (*walker, error) {
	w := &walker{ctx: ctx, watch: watch, byKey: map[string]int{}}
	keys := fileKeys(paths)
	for _, p := range paths {
		if err := w.listed(p, keys[p]); err != nil {
			return nil, classify(err)
		}
	}
	return w, nil
}

func (w *walker) listed(path, key string) error {
	w.watch(existing(filepath.Dir(path)))
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s is missing: create it or take it off the list", store.ErrUnavailable, path)
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is neither a file nor a directory", path)
		}
		return w.add(key, path, info)
	}
	return w.directory(path, info)
}

// directory takes a listed directory: its two folders and its bare .conf files.
func (w *walker) directory(path string, info fs.FileInfo) error {
	names, err := w.list(path, info)
	if err != nil {
		return err
	}
	for _, name := range names {
		p := filepath.Join(path, name)
		switch {
		case name == confdDir || name == pipelineDir:
			err = w.item(name, p, []fs.FileInfo{info}, true)
		case filepath.Ext(name) == confSuffix:
			err = w.item(confdDir+"/"+name, p, nil, false)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// item takes one name of a directory, following links. above holds the
// directories that it is in.
func (w *walker) item(key, path string, above []fs.FileInfo, dirs bool) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, lerr := os.Lstat(path); errors.Is(lerr, fs.ErrNotExist) {
			return nil // deleted since the directory was listed
		}
		// The link is there, so its key is meant to be: this is no deletion.
		return fmt.Errorf("%s is a link to nothing: %w", path, err)
	}
	switch {
	case err != nil:
		return err
	case info.IsDir():
		if !dirs || slices.ContainsFunc(above, func(a fs.FileInfo) bool { return os.SameFile(a, info) }) {
			return nil // a link back up: everything in it is already taken
		}
		return w.folder(key, path, info, above)
	case info.Mode().IsRegular():
		return w.add(key, path, info)
	}
	return nil // a pipe would block, a device never ends, and neither is a configuration
}

func (w *walker) folder(key, path string, info fs.FileInfo, above []fs.FileInfo) error {
	if len(above) > maxDepth {
		return fmt.Errorf("%w: %s is nested over %d directories deep", errBound, path, maxDepth)
	}
	names, err := w.list(path, info)
	if err != nil {
		return err
	}
	above = append(slices.Clone(above), info)
	for _, name := range names {
		if err := w.item(key+"/"+name, filepath.Join(path, name), above, true); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) list(path string, info fs.FileInfo) ([]string, error) {
	w.watch(path)
	w.dirs = append(w.dirs, info)
	if len(w.dirs) > store.MaxEntries {
		return nil, fmt.Errorf("%w: over %d directories", errBound, store.MaxEntries)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if !ignored(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func (w *walker) add(key, path string, info fs.FileInfo) error {
	if _, ok := w.byKey[key]; ok {
		w.hidden = append(w.hidden, path)
		return nil
	}
	if len(w.sources) == store.MaxEntries {
		return fmt.Errorf("%w: over %d files", errBound, store.MaxEntries)
	}
	w.byKey[key] = len(w.sources)
	w.sources = append(w.sources, source{key, path, info})
	if target, err := filepath.EvalSymlinks(path); err == nil && filepath.Dir(target) != filepath.Dir(path) {
		w.watch(filepath.Dir(target)) // what a link points to changes elsewhere
	}
	return nil
}

// existing returns dir or the nearest directory above it that is there.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || filepath.Dir(dir) == dir {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}
