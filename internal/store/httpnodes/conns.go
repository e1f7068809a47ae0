package httpnodes

import (
	"context"
	"errors"
	"net"
	"sync"
)

// conns are the connections of one HTTP client. [http.Client] closes those that
// are idle only, and with HTTP/2 one is not idle until the server has heard that
// its last request was given up: it would outlive the client by a minute.
type conns struct {
	dialer net.Dialer

	mu     sync.Mutex
	closed bool
	open   map[*conn]struct{}
}

// A conn takes itself out of the list when it is closed.
type conn struct {
	net.Conn

	of *conns
}

// Close implements [net.Conn].
func (c *conn) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

var errClosed = errors.New("the client was closed")

// dial makes a connection. One that comes after the end is closed at once: HTTP
// goes on dialing for a request that was given up.
func (l *conns) dial(ctx context.Context, network, address string) (net.Conn, error) {
	raw, err := l.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, of: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errors.Join(errClosed, raw.Close())
	}
	l.open[c] = struct{}{}
	return c, nil
}

// empty reports whether nothing is open, and lets nothing be opened later then.
func (l *conns) empty() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = l.closed || len(l.open) == 0
	return len(l.open) == 0
}

// close closes all connections, whatever they are used for.
func (l *conns) close() {
	l.mu.Lock()
	l.closed = true
	var all []net.Conn
	for c := range l.open {
		all = append(all, c.Conn)
	}
	clear(l.open)
	l.mu.Unlock()
	for _, c := range all {
		_ = c.Close()
	}
}
