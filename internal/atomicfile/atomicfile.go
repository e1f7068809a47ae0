// Package atomicfile replaces a file so that whoever reads it, and whoever
// starts after a power cut, finds either the old content or the new one whole.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Write puts data into the file at path with permissions perm: it is written
// beside it, synced, and renamed over it. Folders that are missing are made,
// for their owner and group only. On an error the old file is untouched.
func Write(path string, data []byte, perm fs.FileMode) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err //nolint:wrapcheck // a PathError says it all
	}
	// One name, so that a process that was killed leaves at most one file, and
	// the next write takes it over.
	tmp := filepath.Join(dir, "."+filepath.Base(path)+".tmp")
	if err := fill(tmp, data, perm); err != nil {
		return errors.Join(err, remove(tmp))
	}
	if err := os.Rename(tmp, path); err != nil {
		return errors.Join(err, remove(tmp))
	}
	return syncDir(dir)
}

func fill(path string, data []byte, perm fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err //nolint:wrapcheck // a PathError says it all
	}
	// The permissions go first: what an earlier run left may be open to all.
	if err := f.Chmod(perm); err != nil {
		return errors.Join(err, f.Close())
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err //nolint:wrapcheck // a PathError says it all
	}
	return nil
}

// syncDir makes the rename last. Windows has no such call and needs none.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err //nolint:wrapcheck // a PathError says it all
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
