package vault

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"datakit.dev/internal/store"
)

// checkRoot refuses a root that no path of Vault can be.
func checkRoot(root string) error {
	if !strings.HasPrefix(root, "/") || root == "/" {
		return errors.New("prefix names the mount and the folder in it, such as /secret/datakit")
	}
	if err := checkPath(root[1:]); err != nil {
		return fmt.Errorf("prefix: %w", err)
	}
	return nil
}

// checkPath refuses what Vault would refuse, or take for another path: it cuts
// spaces off both ends of a path, and cannot hold two dots or a character that
// is not shown.
func checkPath(path string) error {
	if err := store.CheckKey(path); err != nil {
		return err
	}
	switch {
	case strings.Contains(path, ".."):
		return fmt.Errorf("key %q: Vault takes no .. in a key", path)
	case strings.TrimSpace(path) != path:
		return fmt.Errorf("key %q: Vault takes no space at either end of a key", path)
	case strings.ContainsFunc(path, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("key %q: Vault takes no character that is not shown", path)
	}
	return nil
}

// escape writes path for a URL, its slashes apart.
func escape(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// errName is a listed name that is none.
var errName = errors.New("the server lists a name that no key can have")

// child splits a listed name into the key below folder, and whether that is a
// folder again. A name that would lead elsewhere is refused: it goes into the
// path of the next request.
func child(folder, name string) (key string, isFolder bool, err error) {
	base, isFolder := strings.CutSuffix(name, "/")
	if base == "" || base == "." || base == ".." || strings.Contains(base, "/") || !utf8.ValidString(base) {
		return "", false, fmt.Errorf("%w: %.100q", errName, name)
	}
	return folder + base, isFolder, nil
}
