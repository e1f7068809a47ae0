package zookeeper_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
)

// A line is a connection to a server that can go dead without a word, as behind
// a firewall that forgets.
type line struct {
	Address string

	mu   sync.Mutex
	dead chan struct{} // closed while the line works
}

func startLine(t *testing.T, target string) *line {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &line{Address: l.Addr().String(), dead: make(chan struct{})}
	close(n.dead)
	ctx, cancel := context.WithCancel(context.Background())
	var runs sync.WaitGroup
	runs.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			runs.Go(func() { n.pass(ctx, &runs, c, target) })
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		runs.Wait()
	})
	return n
}

func (n *line) pass(ctx context.Context, runs *sync.WaitGroup, in net.Conn, target string) {
	defer in.Close()
	out, err := new(net.Dialer).DialContext(ctx, "tcp", target)
	if err != nil {
		return
	}
	defer out.Close()
	defer context.AfterFunc(ctx, func() { _ = in.Close(); _ = out.Close() })()
	runs.Go(func() {
		n.copy(ctx, out, in)
		_ = out.Close()
	})
	n.copy(ctx, in, out)
}

func (n *line) copy(ctx context.Context, to io.Writer, from io.Reader) {
	buf := make([]byte, 64<<10)
	for {
		size, err := from.Read(buf)
		n.mu.Lock()
		dead := n.dead
		n.mu.Unlock()
		select {
		case <-dead:
		case <-ctx.Done():
			return
		}
		if _, werr := to.Write(buf[:size]); err != nil || werr != nil {
			return
		}
	}
}

// Freeze has nothing pass, in either direction, while both ends stay connected.
func (n *line) Freeze() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dead = make(chan struct{})
}

// Thaw ends Freeze; what was held is passed on.
func (n *line) Thaw() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.dead)
}

func put(t *testing.T, st store.Store, key, value string, cond store.Cond) store.Revision {
	t.Helper()
	rev, err := st.(store.Writer).Put(storetest.Deadline(t, storetest.Patience), key, value, cond)
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

func wait(t *testing.T, st store.Store, since store.Revision) {
	t.Helper()
	if err := st.Wait(storetest.Deadline(t, storetest.Patience), since); err != nil {
		t.Fatalf("Wait: %v", err)
	}
}
