package install

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"datakit.dev/internal/workdir"
)

// checkDir refuses a directory that an installation must not take over, or
// whose name a service file cannot hold.
func checkDir(dir workdir.Dir) error {
	clean := filepath.Clean(string(dir))
	switch {
	case !filepath.IsAbs(string(dir)):
		return fmt.Errorf("--dir %s: expected the whole path of a directory", dir)
	case strings.ContainsFunc(string(dir), func(r rune) bool { return r < ' ' || r == 0x7f }) || strings.Contains(string(dir), "{{"):
		return fmt.Errorf("--dir %q: a name with control characters or {{ cannot be used", string(dir))
	case runtime.GOOS != "windows" && strings.ContainsAny(string(dir), "\"'\\"):
		return fmt.Errorf("--dir %s: systemd takes no program below a name with quotes or backslashes", dir)
	case filepath.Dir(clean) == clean || slices.Contains([]string{"/usr", "/usr/local", "/usr/bin", "/bin", "/etc", "/opt", "/home", "/root", "/var", "/tmp"}, clean):
		return fmt.Errorf("--dir %s: the agent needs a directory of its own, such as %s", dir, workdir.Default())
	}
	return nil
}

// folders makes the folders of a work directory: what is configured belongs to
// root, and the agent reads it; what it keeps for itself is its own.
func folders(ctx context.Context, dir workdir.Dir, o owner) error {
	// The program has to be in everybody's reach: `datakit version` needs no rights.
	if err := folder(string(dir), 0o755); err != nil {
		return err
	}
	for _, path := range []string{dir.Conf(), dir.Scripts()} {
		if err := errors.Join(folder(path, 0o750), o.group(path)); err != nil {
			return err
		}
	}
	for _, path := range writable(dir) {
		if err := errors.Join(folder(path, 0o750), o.all(path)); err != nil {
			return err
		}
	}
	return protect(ctx, dir.Conf())
}

// folder makes a folder with permissions perm, whatever the umask says; one that
// is there keeps its own.
func folder(path string, perm fs.FileMode) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return errors.Join(os.MkdirAll(path, perm), os.Chmod(path, perm))
}

// place copies the program at from to path, and reports whether that changed
// anything. It is written beside it and renamed: who runs the old one goes on.
func place(from, path string) (changed bool, err error) {
	if same, err := samePrograms(from, path); err != nil || same {
		return false, err
	}
	tmp := path + ".new"
	if err := copyProgram(from, tmp); err != nil {
		return false, errors.Join(err, remove(tmp))
	}
	return true, swap(tmp, path)
}

// swap puts the program at tmp in the place of that at path. Windows lets nobody
// replace a program that runs, but rename it.
func swap(tmp, path string) error {
	if runtime.GOOS == "windows" {
		if err := errors.Join(remove(path+".old"), moved(os.Rename(path, path+".old"))); err != nil {
			return err
		}
	}
	return os.Rename(tmp, path) //nolint:wrapcheck // a LinkError says it all
}

// moved forgives that there was nothing to move.
func moved(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func remove(path string) error { return moved(os.Remove(path)) }

func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err //nolint:wrapcheck // a PathError says it all
	}
	defer in.Close() //nolint:errcheck // it was only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
	if err != nil {
		return err //nolint:wrapcheck // a PathError says it all
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Chmod(0o755), out.Sync(), out.Close())
}

func samePrograms(a, b string) (bool, error) {
	x, err := digest(a)
	if err != nil {
		return false, err
	}
	y, err := digest(b)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return bytes.Equal(x, y), err
}

func digest(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // a PathError says it all
	}
	defer f.Close() //nolint:errcheck // it was only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return h.Sum(nil), nil
}

// link puts the program of the usual directory into everybody's PATH; what has
// that name there already and is not ours stays.
func link(dir workdir.Dir) (string, error) {
	path := "/usr/local/bin/datakit"
	if runtime.GOOS == "windows" || dir != workdir.Default() {
		return "", nil
	}
	target := program(dir, runtime.GOOS)
	switch have, err := os.Readlink(path); {
	case err == nil && have == target:
		return path, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", nil // somebody's own
	}
	if err := errors.Join(folder(filepath.Dir(path), 0o755), os.Symlink(target, path)); err != nil {
		return "", fmt.Errorf("link the program: %w", err)
	}
	return path, nil
}

// unlink takes the link of link away.
func unlink(dir workdir.Dir) error {
	path := "/usr/local/bin/datakit"
	if have, err := os.Readlink(path); err == nil && have == program(dir, runtime.GOOS) {
		return os.Remove(path) //nolint:wrapcheck // a PathError says it all
	}
	return nil
}

// works runs the program at path, which must at least tell its version.
func works(ctx context.Context, path string) error {
	out, err := command(ctx, path, "version")
	if err != nil {
		return fmt.Errorf("the new program does not run on this machine: %w: %s", err, strings.TrimSpace(out))
	}
	return nil
}
