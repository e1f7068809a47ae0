package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"datakit.dev/internal/workdir"
)

// Uninstall takes the service and the program away. It deletes configuration and
// data only where purge, asked with what it would delete, says so.
func Uninstall(ctx context.Context, o Options, purge func(paths []string) (bool, error)) error {
	if err := checkDir(o.Dir); err != nil {
		return err
	}
	if _, err := os.Stat(o.target()); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(o.Dir.Main()); err != nil {
			return fmt.Errorf("%s: no agent is installed there: give its --dir", o.Dir)
		}
	}
	if err := o.takeService(ctx); err != nil {
		return err
	}
	if err := errors.Join(remove(o.target()), remove(o.target()+".old"), remove(o.target()+".new")); err != nil {
		return fmt.Errorf("remove the program: %w", err)
	}
	o.say("program   %s was removed", o.target())
	paths := kept(o.Dir)
	if len(paths) == 0 {
		return o.removeDir()
	}
	yes, err := purge(paths)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s is kept: %w", o.Dir, err)
	}
	if !yes {
		o.say("kept      %s; delete it with: rm -r, or uninstall --purge", o.Dir)
		return nil
	}
	for _, path := range paths {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("delete the data: %w", err)
		}
		o.say("deleted   %s", path)
	}
	return o.removeDir()
}

// takeService stops and removes the service, where it is that of this directory.
func (o Options) takeService(ctx context.Context) error {
	if o.FilesOnly || !o.Service.Registered() {
		return nil
	}
	if why := o.withoutService(); why != nil {
		return fmt.Errorf("remove the service: %w", why)
	}
	if o.Service.Running() {
		if err := o.Service.Stop(); err != nil {
			return err //nolint:wrapcheck // it is whole
		}
	}
	if err := errors.Join(o.Service.Unregister(ctx), unlink(o.Dir)); err != nil {
		return err
	}
	o.say("service   %s was stopped and removed", Name)
	return nil
}

// kept returns what of a work directory holds configuration and data, and is
// there. Nothing else is ever deleted: who named the wrong directory loses
// nothing of their own.
func kept(dir workdir.Dir) (paths []string) {
	for _, path := range append([]string{dir.Conf(), dir.Scripts()}, writable(dir)...) {
		if _, err := os.Lstat(path); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

// removeDir removes the directory where nothing is left in it.
func (o Options) removeDir() error {
	entries, err := os.ReadDir(string(o.Dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && len(entries) > 0 {
		o.say("kept      %s, where something else lies: %s", o.Dir, filepath.Join(string(o.Dir), entries[0].Name()))
		return nil
	}
	return errors.Join(err, remove(string(o.Dir)))
}
