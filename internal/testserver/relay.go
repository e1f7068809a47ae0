package testserver

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
)

// A Relay passes TCP connections on to a server, and can be cut: for the
// network that fails while the server goes on.
type Relay struct {
	Address string // host:port to connect to

	target string
	mu     sync.Mutex
	cut    bool
	conns  map[net.Conn]bool
	runs   sync.WaitGroup
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
		_, _ = io.Copy(out, in) // either end may go at any time
		_ = out.Close()
	})
	_, _ = io.Copy(in, out)
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
