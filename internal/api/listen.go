package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"

	"datakit.dev/internal/config"
)

// socketMode lets the agent's user and group in.
const socketMode = 0o660

// Listen listens at addr: host:port, or the path of a unix socket. A socket file
// is replaced only if nobody answers on it.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	if !config.IsSocket(addr) {
		ln, err := lc.Listen(ctx, "tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("http_api.listen: %w: stop what uses the address, or set another one in datakit.conf", err)
		}
		return ln, nil
	}
	if err := removeStale(ctx, addr); err != nil {
		return nil, fmt.Errorf("http_api.listen: %w", err)
	}
	ln, err := lc.Listen(ctx, "unix", addr)
	if err != nil {
		return nil, fmt.Errorf("http_api.listen: %w: does the folder exist, and may the agent write there?", err)
	}
	if err := os.Chmod(addr, socketMode); err != nil {
		return nil, errors.Join(fmt.Errorf("http_api.listen: %w", err), ln.Close())
	}
	return ln, nil
}

// removeStale takes a socket file away that an agent left behind.
func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err //nolint:wrapcheck // a PathError says it all
	case info.Mode()&fs.ModeSocket == 0:
		return fmt.Errorf("%s exists and is no socket: move it away, or set another path in datakit.conf", path)
	}
	d := net.Dialer{Timeout: time.Second}
	conn, err := d.DialContext(ctx, "unix", path)
	if err == nil {
		return errors.Join(fmt.Errorf("another agent answers on %s: stop it first", path), conn.Close())
	}
	if !refused(err) {
		return fmt.Errorf("%s exists, and it cannot be told whether somebody uses it: %w", path, err)
	}
	return os.Remove(path) //nolint:wrapcheck // a PathError says it all
}
