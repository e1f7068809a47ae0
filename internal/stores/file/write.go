package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"datakit.dev/internal/store"
)

// The permissions of what Put creates: a configuration may hold passwords.
const (
	dirMode  = 0o750
	fileMode = 0o640
)

// Put implements [store.Writer]. The file appears whole or not at all. cond is
// checked before the write: another program may still write in between.
func (f *files) Put(ctx context.Context, key, value string, cond store.Cond) (store.Revision, error) {
	if err := errors.Join(store.CheckPut(key, value), checkName(key)); err != nil {
		return "", fmt.Errorf("put: %w", err)
	}
	release, err := f.lock(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	if err := f.makeRoot(); err != nil {
		return "", fmt.Errorf("put %s: %w", key, classify(err))
	}
	path, err := f.place(ctx, key, cond)
	if err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	if err := replace(path, value); err != nil {
		return "", fmt.Errorf("put %s: %w", key, classify(err))
	}
	c, err := readFile(path)
	if err != nil {
		return "", fmt.Errorf("put %s: %w", key, classify(err))
	}
	return c.entry.Revision, nil
}

// Delete implements [store.Writer].
func (f *files) Delete(ctx context.Context, key string, cond store.Cond) error {
	if err := store.CheckKey(key); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	release, err := f.lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	t, err := f.look(ctx)
	if err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	path, entry, ok := t.find(key)
	if !ok {
		return fmt.Errorf("delete %s: %w", key, store.ErrNotFound)
	}
	if !holds(cond, entry, true) {
		return fmt.Errorf("delete %s: %w", key, store.ErrConflict)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("delete %s: %w", key, classify(err))
	}
	// A folder left empty would stand in the way of a key of its name.
	for dir := filepath.Dir(path); strings.Count(key, "/") > 1; dir = filepath.Dir(dir) {
		if key = key[:strings.LastIndexByte(key, '/')]; os.Remove(dir) != nil {
			break
		}
	}
	return nil
}

func (f *files) lock(ctx context.Context) (release func(), err error) {
	select {
	case f.writing <- struct{}{}:
		return func() { <-f.writing }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-f.ctx.Done():
		return nil, store.ErrClosed
	}
}

// makeRoot creates the first listed path, should nothing listed be there yet.
func (f *files) makeRoot() error {
	if _, err := os.Stat(f.paths[0]); !errors.Is(err, fs.ErrNotExist) || filepath.Ext(f.paths[0]) == confSuffix {
		return nil
	}
	return os.MkdirAll(f.paths[0], dirMode)
}

// place returns the file that holds key or shall hold it, if cond holds.
func (f *files) place(ctx context.Context, key string, cond store.Cond) (string, error) {
	t, err := f.look(ctx)
	if err != nil {
		return "", err
	}
	path, entry, ok := t.find(key)
	if !holds(cond, entry, ok) {
		return "", store.ErrConflict
	}
	if ok {
		return filepath.EvalSymlinks(path) // a link stays one, and its target changes
	}
	for _, p := range f.paths {
		if info, err := os.Stat(p); err == nil && info.IsDir() {
			return filepath.Join(p, filepath.FromSlash(key)), nil
		}
	}
	return "", errors.New("no directory is listed that could take a new key")
}

func (t tree) find(key string) (string, store.Entry, bool) {
	e, ok := t.snapshot.Get(key)
	i := slices.IndexFunc(t.sources, func(s source) bool { return s.key == key })
	if !ok || i < 0 {
		return "", store.Entry{}, false
	}
	return t.sources[i].path, e, true
}

func holds(cond store.Cond, e store.Entry, exists bool) bool {
	return (!cond.Absent || !exists) && (cond.Revision == "" || exists && cond.Revision == e.Revision)
}

// checkName refuses a key that no look would find again.
func checkName(key string) error {
	head, rest, ok := strings.Cut(key, "/")
	if !ok || head != confdDir && head != pipelineDir {
		return fmt.Errorf("key %q: it has to begin with %s/ or %s/", key, confdDir, pipelineDir)
	}
	for part := range strings.SplitSeq(rest, "/") {
		if ignored(part) {
			return fmt.Errorf("key %q: %q is ignored as hidden or as an editor's file", key, part)
		}
	}
	if !filepath.IsLocal(filepath.FromSlash(key)) {
		return fmt.Errorf("key %q is no file name on this system", key)
	}
	return nil
}

// replace writes value beside path, makes it durable, and renames it there.
func replace(path, value string) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	mode := fs.FileMode(fileMode)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	tmp, err := os.CreateTemp(dir, ownTemp)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	_, err = tmp.WriteString(value)
	err = errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	syncDir(dir)
	return nil
}

// syncDir makes a rename durable. Not every system can open a directory, and
// there the rename is all there is.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = errors.Join(d.Sync(), d.Close())
	}
}
