package redis

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"datakit.dev/internal/store"
)

const (
	// dialTimeout bounds the way to the first answer: a server that is frozen
	// takes connections and says nothing, and then the next node has its turn.
	dialTimeout = 2 * time.Second
	// idleTimeout is how long a server may pause within an answer, callTimeout
	// how long one may take in all.
	idleTimeout = 3 * time.Second
	callTimeout = time.Minute
)

// A command is what one call sends: its name and arguments.
type command []string

// A conn is one connection. It is used by one goroutine at a time; only that of
// a subscription is read by one and written by another.
type conn struct {
	net.Conn
	node    string // host:port, as it is shown in errors
	reader  reader
	patient bool   // reading may wait as long as it takes
	mode    string // standalone, sentinel or cluster
	master  bool
}

// Read reads with the time limit of one pause.
func (c *conn) Read(b []byte) (int, error) {
	limit := time.Now().Add(idleTimeout)
	if c.patient {
		limit = time.Time{}
	}
	if err := c.SetReadDeadline(limit); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// dial connects to node, logs in, and asks what kind of server it is.
func (s *settings) dial(ctx context.Context, node string) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, err := s.greet(ctx, node)
	if err != nil {
		return nil, s.explain(ctx, node, err)
	}
	return c, nil
}

func (s *settings) greet(ctx context.Context, node string) (*conn, error) {
	raw, err := s.open(ctx, node)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, node: node, mode: standalone, master: true}
	c.reader.r = bufio.NewReader(c)
	if err := s.login(ctx, c); err != nil {
		_ = c.Close() // of no use without a login
		return nil, err
	}
	return c, nil
}

// open connects, by TLS where that is asked for. The certificate files are read
// here and not at Open, so that one which comes later or is renewed is taken.
func (s *settings) open(ctx context.Context, node string) (net.Conn, error) {
	network := "tcp"
	if node[0] == '/' {
		network = "unix"
	}
	raw, err := new(net.Dialer).DialContext(ctx, network, node)
	if err != nil || !s.secure {
		return raw, err
	}
	c, err := s.tls.Load()
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	if c.ServerName, _, err = net.SplitHostPort(node); err != nil {
		c.ServerName = "localhost" // a unix socket
	}
	secured := tls.Client(raw, c)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return secured, nil
}

// login asks what kind of server this is, logs in and selects the database. A
// sentinel is given the password only where it asks for one: most have none.
func (s *settings) login(ctx context.Context, c *conn) error {
	hello, err := c.call(ctx, "HELLO", "2")
	asked := failure(err, "NOAUTH") && s.password != ""
	if asked {
		if err = s.auth(ctx, c); err != nil {
			return err
		}
		hello, err = c.call(ctx, "HELLO", "2")
	}
	var refused *refusal
	switch {
	case err == nil:
		c.learn(hello)
	case denied(err) || !errors.As(err, &refused):
		return err
	default: // Redis before 6 has no HELLO
		c.inform(ctx)
	}
	if s.password != "" && !asked && c.mode != sentinel {
		if err := s.auth(ctx, c); err != nil {
			return err
		}
	}
	return s.choose(ctx, c)
}

// auth logs in. Whatever the server has against it, only an operator can cure.
func (s *settings) auth(ctx context.Context, c *conn) error {
	cmd := command{"AUTH", s.password}
	if s.username != "" {
		cmd = command{"AUTH", s.username, s.password}
	}
	_, err := c.call(ctx, cmd...)
	if failure(err, "ERR") { // none is asked for, or it is wrong in the words of Redis before 6
		return fmt.Errorf("%w: %w", store.ErrDenied, err)
	}
	return err
}

// choose selects the database.
func (s *settings) choose(ctx context.Context, c *conn) error {
	if s.database == 0 || c.mode == sentinel {
		return nil
	}
	if c.mode == cluster {
		return fmt.Errorf("a Redis Cluster has database 0 only, not %d", s.database)
	}
	_, err := c.call(ctx, "SELECT", strconv.Itoa(s.database))
	return err
}

// learn takes the kind of the server from what it says to HELLO: a list of
// names and values.
func (c *conn) learn(hello reply) {
	for i := 0; i+1 < len(hello.items); i += 2 {
		switch value := hello.items[i+1].text; hello.items[i].text {
		case "mode":
			c.mode = value
		case "role":
			c.master = value == "master"
		}
	}
}

// inform takes the kind of the server from INFO. One that may not be asked is
// taken for a single server.
func (c *conn) inform(ctx context.Context) {
	info, err := c.call(ctx, "INFO")
	if err != nil {
		return
	}
	for line := range strings.Lines(info.text) {
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), ":"); name {
		case "redis_mode":
			c.mode = value
		case "role":
			c.master = value == "master"
		}
	}
}

// call sends one command and returns the answer; a refusal is an error.
func (c *conn) call(ctx context.Context, cmd ...string) (reply, error) {
	out, err := c.calls(ctx, cmd)
	if err != nil {
		return reply{}, err
	}
	return out[0], out[0].err()
}

// calls sends several commands at once, and returns their answers. A refusal is
// an answer.
func (c *conn) calls(ctx context.Context, cmds ...command) ([]reply, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	// What is left of an answer would be taken for that of the next command: a
	// call that was given up ends the connection.
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	if err := c.send(cmds...); err != nil {
		return nil, timely(ctx, err)
	}
	out := make([]reply, 0, len(cmds))
	for range cmds {
		r, err := c.reader.next()
		if err != nil {
			_ = c.Close()
			return nil, timely(ctx, err)
		}
		out = append(out, r)
	}
	return out, nil
}

func (c *conn) send(cmds ...command) error {
	var b []byte
	for _, cmd := range cmds {
		b = appendCommand(b, cmd)
	}
	if err := c.SetWriteDeadline(time.Now().Add(idleTimeout)); err != nil {
		return err
	}
	_, err := c.Write(b)
	return err
}

// timely returns the error of a context that has ended, which is why the
// connection has.
func timely(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errSilent
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errHungUp
	}
	return err
}

var (
	errSilent = errors.New("it does not answer in time")
	errHungUp = errors.New("it has ended the connection")
)
