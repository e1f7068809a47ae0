// Package workdir knows the layout of the agent's work directory, and reads the
// local configuration from it.
package workdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"datakit.dev/internal/store"
)

// A Dir is a work directory.
type Dir string

// Default returns where an installed agent works.
func Default() Dir {
	if runtime.GOOS == "windows" {
		return `C:\Program Files\datakit`
	}
	return "/usr/local/datakit"
}

// Conf returns the folder of the local configuration.
func (d Dir) Conf() string { return filepath.Join(string(d), "conf.d") }

// Main returns the path of the main configuration file.
func (d Dir) Main() string { return filepath.Join(d.Conf(), "datakit.conf") }

// Backup returns the path of the backup of the stores' inputs.
func (d Dir) Backup() string { return filepath.Join(string(d), "data", "remote.conf") }

// ConsoleToken returns the path of the file that keeps the hash of the console's
// token.
func (d Dir) ConsoleToken() string { return filepath.Join(string(d), "data", "console.token") }

// Audit returns the path of the record of what was changed over HTTP.
func (d Dir) Audit() string { return filepath.Join(string(d), "log", "audit.log") }

// Scripts returns the folder of the local scripts.
func (d Dir) Scripts() string { return filepath.Join(string(d), "pipeline") }

// ScriptBackup returns the folder of the backup of the stores' scripts.
func (d Dir) ScriptBackup() string { return filepath.Join(string(d), "pipeline_confd") }

// State returns the folder for the state of one kind of input.
func (d Dir) State(kind string) string { return filepath.Join(string(d), "data", "inputs", kind) }

// ReadScripts returns the local scripts under the keys of a store,
// "pipeline/<category>/<name>.p". A script at the top level counts as logging.
// A missing folder is empty; files that cannot be read are told in the error,
// with the others returned all the same.
func (d Dir) ReadScripts() ([]store.Entry, error) {
	var entries []store.Entry
	var problems []error
	for _, pattern := range []string{"*.p", "*/*.p"} {
		names, err := fs.Glob(os.DirFS(d.Scripts()), pattern)
		if err != nil {
			return nil, fmt.Errorf("read the local scripts: %w", err)
		}
		for _, name := range names {
			key := "pipeline/" + name
			if !strings.Contains(name, "/") {
				key = "pipeline/logging/" + name
			}
			e, err := read(filepath.Join(d.Scripts(), filepath.FromSlash(name)), key)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			entries = append(entries, e)
			if len(entries) > maxFiles {
				return nil, fmt.Errorf("the folder pipeline holds more than %d scripts", maxFiles)
			}
		}
	}
	return entries, errors.Join(problems...)
}

// Patterns returns the folder of the grok pattern files.
func (d Dir) Patterns() string { return filepath.Join(d.Scripts(), "pattern") }

// maxFiles bounds what is read of conf.d.
const maxFiles = 10_000

// ReadConf returns every conf.d/**/*.conf but datakit.conf, under the keys
// "confd/<path>", sorted. Hidden files and folders and the folder samples are left out;
// a missing conf.d is empty. Files that cannot be read are told in the error,
// with the others returned all the same.
func (d Dir) ReadConf() ([]store.Entry, error) {
	var entries []store.Entry
	var problems []error
	// A walk does not follow a link at its root, and conf.d may well be one.
	root, err := filepath.EvalSymlinks(d.Conf())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the local configuration: %w", err)
	}
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			problems = append(problems, err)
			return nil
		case e.IsDir() && path != root && (strings.HasPrefix(e.Name(), ".") || e.Name() == "samples"):
			return filepath.SkipDir
		case e.IsDir() || strings.HasPrefix(e.Name(), ".") || filepath.Ext(path) != ".conf" || path == filepath.Join(root, filepath.Base(d.Main())):
			return nil
		case len(entries) == maxFiles:
			return fmt.Errorf("conf.d holds more than %d files", maxFiles)
		}
		entry, err := read(path, "confd/"+filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator))))
		if err != nil {
			problems = append(problems, err)
			return nil
		}
		entries = append(entries, entry)
		return nil
	})
	slices.SortFunc(entries, func(a, b store.Entry) int { return strings.Compare(a.Key, b.Key) })
	return entries, errors.Join(append(problems, err)...)
}

// read returns the file at path as the entry of key.
func read(path, key string) (store.Entry, error) {
	e := store.Entry{Key: key}
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return e, fmt.Errorf("read the local configuration: %w", err)
	case !st.Mode().IsRegular():
		return e, fmt.Errorf("read the local configuration: %s is no regular file", path)
	case st.Size() > store.MaxValue:
		e.TooLarge = int(min(st.Size(), 1<<31-1))
		return e, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return e, fmt.Errorf("read the local configuration: %w", err)
	}
	e.Value = string(text)
	return e, nil
}
