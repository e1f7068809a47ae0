package testserver

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A RedisOption changes how Redis is started.
type RedisOption func(*Redis)

// WithRedisArgs adds command line arguments.
func WithRedisArgs(args ...string) RedisOption {
	return func(r *Redis) { r.args = append(r.args, args...) }
}

// WithRedisTLS lets clients connect by TLS only, with certificates of ca; mutual
// asks them for one of their own.
func WithRedisTLS(ca *CA, mutual bool) RedisOption {
	return func(r *Redis) { r.ca, r.mutual = ca, mutual }
}

// WithRedisPassword sets the password of the default user.
func WithRedisPassword(password string) RedisOption {
	return func(r *Redis) {
		r.password = password
		r.args = append(r.args, "--requirepass", password)
	}
}

// A Redis is one Redis server. Unless an argument says otherwise it tells of all
// changes to strings and hashes, by key.
type Redis struct {
	machine

	Address string // host:port

	program  string
	conf     string // the file of a sentinel, which has no other arguments
	args     []string
	ca       *CA
	mutual   bool
	password string
}

// StartRedis starts one server and ends it with the test.
func StartRedis(tb testing.TB, options ...RedisOption) *Redis {
	tb.Helper()
	Need(tb, "redis-server", "apt-get install redis-server")
	r := &Redis{program: "redis-server", Address: freeAddress(tb), machine: machine{DataDir: filepath.Join(tb.TempDir(), "appendonlydir")}}
	for _, o := range options {
		o(r)
	}
	r.launch(tb)
	tb.Cleanup(func() { r.cmd.kill() })
	r.ready(tb)
	return r
}

// Host is the host of Address.
func (r *Redis) Host() string {
	host, _, _ := net.SplitHostPort(r.Address) // it has both
	return host
}

// Port is the port of Address.
func (r *Redis) Port() string {
	_, port, _ := net.SplitHostPort(r.Address) // it has both
	return port
}

func (r *Redis) launch(tb testing.TB) {
	tb.Helper()
	if r.conf != "" {
		r.cmd = start(tb, exec.CommandContext(context.Background(), r.program, r.conf))
		return
	}
	args := []string{
		"--bind", r.Host(), "--dir", filepath.Dir(r.DataDir), "--save", "", "--appendonly", "yes", "--appendfsync", "no",
		"--notify-keyspace-events", "Kg$hxe", "--hz", "100", "--repl-diskless-sync-delay", "0",
	}
	if r.ca == nil {
		args = append(args, "--port", r.Port())
	} else {
		pair, mutual := r.ca.Issue(tb, r.Host()), "no"
		if r.mutual {
			mutual = "yes"
		}
		args = append(args, "--port", "0", "--tls-port", r.Port(), "--tls-cert-file", pair.Cert, "--tls-key-file", pair.Key,
			"--tls-ca-cert-file", r.ca.File, "--tls-auth-clients", mutual, "--tls-cluster", "yes", "--tls-replication", "yes")
	}
	r.cmd = start(tb, exec.CommandContext(context.Background(), r.program, append(args, r.args...)...))
}

// ready waits until the server answers.
func (r *Redis) ready(tb testing.TB) {
	tb.Helper()
	r.cmd.ready(tb, startup, func(ctx context.Context) error {
		_, err := r.do(ctx, "PING")
		return err
	})
}

// Start starts a stopped server on the same address and data, and waits for it.
func (r *Redis) Start(tb testing.TB) {
	tb.Helper()
	r.launch(tb)
	r.ready(tb)
}

// Put writes a string.
func (r *Redis) Put(tb testing.TB, key, value string) {
	tb.Helper()
	r.Do(tb, "SET", key, value)
}

// Delete removes a key.
func (r *Redis) Delete(tb testing.TB, key string) {
	tb.Helper()
	r.Do(tb, "DEL", key)
}

// Do sends one command and returns the answer, the parts of a list as lines.
func (r *Redis) Do(tb testing.TB, args ...string) string {
	tb.Helper()
	out, err := r.do(context.Background(), args...)
	if err != nil {
		tb.Errorf("redis %s: %v", strings.Join(args[:min(len(args), 3)], " "), err)
	}
	return out
}

// Try is Do for a command that the server may refuse.
func (r *Redis) Try(args ...string) error {
	_, err := r.do(context.Background(), args...)
	return err
}

// CLI runs redis-cli against the server.
func (r *Redis) CLI(tb testing.TB, args ...string) string {
	tb.Helper()
	Need(tb, "redis-cli", "apt-get install redis-tools")
	cmd := exec.CommandContext(context.Background(), "redis-cli", append([]string{"-e", "-c", "-h", r.Host(), "-p", r.Port()}, args...)...)
	if r.password != "" {
		cmd.Env = append(os.Environ(), "REDISCLI_AUTH="+r.password)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("redis-cli: %v\n%s", err, out)
	}
	return string(out)
}

// do needs no client library: a command is a list of strings.
func (r *Redis) do(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, err := r.dial(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	in := bufio.NewReader(c)
	if r.password != "" {
		if _, err := say(c, in, "AUTH", r.password); err != nil {
			return "", err
		}
	}
	return say(c, in, args...)
}

func (r *Redis) dial(ctx context.Context) (net.Conn, error) {
	if r.ca != nil {
		return (&tls.Dialer{Config: r.ca.client()}).DialContext(ctx, "tcp", r.Address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", r.Address)
}

func say(c io.Writer, in *bufio.Reader, args ...string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := io.WriteString(c, b.String()); err != nil {
		return "", err
	}
	return answer(in)
}

func answer(in *bufio.Reader) (string, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimSuffix(line, "\r\n")
	n, _ := strconv.Atoi(line[1:]) // a text has none
	switch line[0] {
	case '-':
		return "", errors.New(line[1:])
	case '$':
		if n < 0 {
			return "", nil
		}
		b := make([]byte, n+len("\r\n"))
		_, err := io.ReadFull(in, b)
		return string(b[:n]), err
	case '*':
		var items []string
		for range n {
			item, err := answer(in)
			if err != nil {
				return "", err
			}
			items = append(items, item)
		}
		return strings.Join(items, "\n"), nil
	}
	return line[1:], nil
}
