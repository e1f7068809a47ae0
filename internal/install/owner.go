package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
)

// An owner is who the agent's files belong to; the zero owner leaves them to who
// installs.
type owner struct {
	uid, gid int
	set      bool
}

// ensureOwner returns the user that the service runs as, made where the machine
// has none of that name. Only systemd runs the agent as a user of its own: on
// macOS and Windows the inputs need an administrator's rights.
func ensureOwner(ctx context.Context, dir string) (owner, error) {
	if runtime.GOOS != "linux" {
		return owner{}, nil
	}
	u, err := user.Lookup(Name)
	if err != nil {
		if err := addUser(ctx, dir); err != nil {
			return owner{}, err
		}
		if u, err = user.Lookup(Name); err != nil {
			return owner{}, fmt.Errorf("the user of the service: %w", err)
		}
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err := errors.Join(err1, err2); err != nil {
		return owner{}, fmt.Errorf("the user of the service: %w", err)
	}
	return owner{uid, gid, true}, nil
}

// addUser makes the user with the tools of the common distributions, or those of
// busybox.
func addUser(ctx context.Context, dir string) error {
	ways := [][][]string{
		{{"useradd", "--system", "--user-group", "--no-create-home", "--home-dir", dir, "--shell", "/usr/sbin/nologin", Name}},
		{{"addgroup", "-S", Name}, {"adduser", "-S", "-D", "-H", "-h", dir, "-s", "/sbin/nologin", "-G", Name, Name}},
	}
	for _, commands := range ways {
		if _, err := exec.LookPath(commands[0][0]); err != nil {
			continue
		}
		for _, c := range commands {
			if out, err := exec.CommandContext(ctx, c[0], c[1:]...).CombinedOutput(); err != nil {
				return fmt.Errorf("make the user %s: %s: %w: %s", Name, c[0], err, out)
			}
		}
		return nil
	}
	return fmt.Errorf("the user %s is missing, and there is no useradd: make it, and install again", Name)
}

// group lets the agent read path, and nobody else but its owner, root.
func (o owner) group(path string) error {
	if !o.set {
		return nil
	}
	return os.Lchown(path, 0, o.gid) //nolint:wrapcheck // a PathError says it all
}

// all gives everything below path to the agent. A link is not followed: what it
// leads to is not the agent's.
func (o owner) all(path string) error {
	if !o.set {
		return nil
	}
	return filepath.WalkDir(path, func(p string, _ fs.DirEntry, err error) error { //nolint:wrapcheck // a PathError says it all
		if err != nil {
			return err
		}
		return os.Lchown(p, o.uid, o.gid)
	})
}
