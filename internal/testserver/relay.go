package testserver

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// A Relay passes TCP connections on to a server, and can be cut: for the
// network that fails while the server goes on. It counts what goes through it.
type Relay struct {
	Address string // host:port to connect to

	target string
	mu     sync.Mutex
	cut    bool
	conns  map[net.Conn]bool
	runs   sync.WaitGroup

	sent, up, down atomic.Int64
}

// A Traffic is what has gone through a relay.
type Traffic struct {
	Requests int64 // times that a client sent something: about a request each
	Up, Down int64 // bytes to the server, and from it
}

// Minus returns what has come since before.
func (t Traffic) Minus(before Traffic) Traffic {
	return Traffic{t.Requests - before.Requests, t.Up - before.Up, t.Down - before.Down}
}

// Traffic returns what has gone through so far.
func (r *Relay) Traffic() Traffic {
	return Traffic{r.sent.Load(), r.up.Load(), r.down.Load()}
}

// counted adds to bytes, and to times where it is not nil, with every read.
type counted struct {
	io.Reader
	bytes, times *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.bytes.Add(int64(n))
	if c.times != nil && n > 0 {
		c.times.Add(1)
	}
	return n, err
}

// StartRelay starts a relay to target, host:port, that ends with the test.
func StartRelay(tb testing.TB, target string) *Relay {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	r := &Relay{Address: l.Addr().String(), target: target, conns: map[net.Conn]bool{}}
	r.runs.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.runs.Go(func() { r.pass(c) })
		}
	})
	tb.Cleanup(func() {
		_ = l.Close()
		r.Cut()
		r.runs.Wait()
	})
	return r
}

// Cut drops every connection, and every later one, until Heal.
func (r *Relay) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = true
	for c := range r.conns {
		_ = c.Close()
	}
}

// Heal ends Cut.
func (r *Relay) Heal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = false
}

func (r *Relay) pass(in net.Conn) {
	defer func() { _ = in.Close() }()
	out, err := new(net.Dialer).DialContext(context.Background(), "tcp", r.target)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	defer r.forget(in, out)
	if !r.keep(in, out) {
		return
	}
	r.runs.Go(func() {
		_, _ = io.Copy(out, counted{in, &r.up, &r.sent}) // either end may go at any time
		_ = out.Close()
	})
	_, _ = io.Copy(in, counted{out, &r.down, nil})
}

func (r *Relay) keep(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		r.conns[c] = true
	}
	return !r.cut
}

func (r *Relay) forget(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		delete(r.conns, c)
	}
}
