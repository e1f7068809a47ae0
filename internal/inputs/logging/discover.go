package logging

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// maxFiles bounds the files that one instance follows, maxWalked the names that
// one look at a pattern may come by.
const (
	maxFiles  = 10_000
	maxWalked = 200_000
)

var errEnough = errors.New("too many files match")

// matches reports that path is one to follow.
func matches(globs, ignore []string, path string) bool {
	return slices.ContainsFunc(globs, func(g string) bool { return doublestar.PathMatchUnvalidated(g, path) }) && !ignored(ignore, path)
}

func ignored(ignore []string, path string) bool {
	return slices.ContainsFunc(ignore, func(g string) bool {
		if !strings.ContainsRune(g, filepath.Separator) {
			return doublestar.PathMatchUnvalidated(g, filepath.Base(path))
		}
		return doublestar.PathMatchUnvalidated(g, path)
	})
}

// discover returns the paths that match, in order, each once, and the folders
// in which new ones may appear. It reports false where there are more than it
// returns.
func discover(globs, ignore []string) (paths, dirs []string, all bool) {
	all = true
	seen, folders := map[string]bool{}, map[string]bool{}
	for _, g := range globs {
		base, pattern := doublestar.SplitPattern(filepath.ToSlash(g))
		base = filepath.FromSlash(base)
		folders[base] = true
		if !strings.ContainsAny(pattern, `*?[{\`) {
			paths = once(paths, seen, folders, ignore, filepath.Join(base, pattern))
			continue
		}
		walked := 0
		err := doublestar.GlobWalk(os.DirFS(base), pattern, func(name string, d fs.DirEntry) error {
			if walked++; walked > maxWalked || len(paths) >= maxFiles {
				return errEnough
			}
			if !d.IsDir() {
				paths = once(paths, seen, folders, ignore, filepath.Join(base, filepath.FromSlash(name)))
			}
			return nil
		}, follow(pattern)...)
		if errors.Is(err, errEnough) {
			all = false
		}
	}
	slices.Sort(paths)
	for d := range folders {
		dirs = append(dirs, d)
	}
	slices.Sort(dirs)
	return paths, dirs, all
}

// follow goes through links to folders only where the pattern bounds how deep:
// behind ** a link to a parent would have no end.
func follow(pattern string) []doublestar.GlobOption {
	if strings.Contains(pattern, "**") {
		return []doublestar.GlobOption{doublestar.WithNoFollow()}
	}
	return nil
}

func once(paths []string, seen, folders map[string]bool, ignore []string, path string) []string {
	if seen[path] || ignored(ignore, path) {
		return paths
	}
	seen[path] = true
	folders[filepath.Dir(path)] = true
	return append(paths, path)
}

// findAll looks for files that were renamed, among the names beside their old
// ones. It returns where those lie that it found.
func findAll(wanted map[identity]string) map[identity]string {
	found := map[identity]string{}
	dirs := map[string]bool{}
	for _, path := range wanted {
		dirs[filepath.Dir(path)] = true
	}
	for dir := range dirs {
		names, err := os.ReadDir(dir)
		if err != nil || len(names) > maxWalked {
			continue
		}
		for _, n := range names {
			if !n.Type().IsRegular() {
				continue
			}
			fi, err := n.Info()
			if err != nil {
				continue
			}
			path := filepath.Join(dir, n.Name())
			if id, err := identify(path, fi); err == nil && wanted[id] != "" {
				found[id] = path
			}
		}
	}
	return found
}
