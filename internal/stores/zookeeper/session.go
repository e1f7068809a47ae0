package zookeeper

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"

	"datakit.dev/internal/store"
)

const (
	// callTimeout bounds the making of one session, and one write. A server that
	// is paused or cut off takes connections and answers nothing.
	callTimeout = 5 * time.Second
	// sessionTimeout is what we ask for; two thirds of it is how long a silent
	// server is trusted when nobody reads.
	sessionTimeout = 10 * time.Second
	minSession     = 100 * time.Millisecond
	maxSession     = time.Hour
	// farewell is how long a server may take to end a session that we leave.
	farewell = 300 * time.Millisecond
	// maxEvents bounds what a server may say has changed before we have looked.
	maxEvents = 64 << 20 // bytes of paths
)

// kinds says what of a node has to be read again.
type kinds uint8

const (
	data kinds = 1 << iota
	children

	both = data | children
)

// An ensemble is the servers, one of which is connected to at a time.
type ensemble struct {
	settings

	mu      sync.Mutex
	at      int            // the node that is tried first
	leaving sync.WaitGroup // the sessions that are being ended
}

// newEnsemble begins anywhere, or a whole fleet would be on the first node.
func newEnsemble(s settings) *ensemble {
	return &ensemble{settings: s, at: rand.IntN(len(s.nodes))}
}

// A session is one connection to one server, and ends with it.
type session struct {
	*zk.Conn

	of   *ensemble
	wire *guard
	all  <-chan zk.Event // closed when nothing of the library runs any more
	up   chan struct{}   // closed when the session is agreed on
	down chan struct{}   // closed when it has ended
	poke chan struct{}   // something has changed

	mu    sync.Mutex
	dirty map[string]kinds // by path
	size  int              // bytes of those paths
	begun bool             // up is closed
	ended bool             // down is closed
}

// connect returns a session with the first node that gives one, from the one
// that answered last on.
func (e *ensemble) connect(ctx context.Context) (*session, error) {
	secure, err := e.tlsConfig()
	if err != nil {
		return nil, err
	}
	var last error
	for range e.nodes {
		c, err := e.try(ctx, e.node(), secure)
		if err == nil {
			return c, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		last = err
		e.next()
	}
	return nil, last
}

// node returns the node whose turn it is.
func (e *ensemble) node() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.nodes[e.at%len(e.nodes)]
}

// next gives the turn to the next node.
func (e *ensemble) next() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.at++
}

// tlsConfig reads the certificate files, at each connection: a file that comes
// later or is renewed is taken.
func (s settings) tlsConfig() (*tls.Config, error) {
	if !s.secure {
		return nil, nil //nolint:nilnil // there is none
	}
	c, err := s.tls.Load()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return c, nil
}

// try makes a session with one node.
func (e *ensemble) try(ctx context.Context, node string, secure *tls.Config) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	raw, err := dial(ctx, node, secure)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	c := &session{
		of: e, wire: newGuard(raw), up: make(chan struct{}), down: make(chan struct{}),
		poke: make(chan struct{}, 1), dirty: map[string]kinds{},
	}
	// The connection is made here, where ctx bounds it and its error is seen, and
	// handed to the library, which would go on to connect for ever.
	taken := false
	conn, all, err := zk.Connect([]string{node}, sessionTimeout, zk.WithHostProvider(&once{node: node, connected: c.met}),
		zk.WithDialer(func(string, string, time.Duration) (net.Conn, error) {
			if taken {
				return nil, errSpent
			}
			taken = true
			return c.wire, nil
		}),
		zk.WithEventCallback(c.notice), zk.WithLogger(silence{}), zk.WithLogInfo(false))
	if err != nil {
		_ = raw.Close() // it was of no use
		return nil, fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	c.Conn, c.all = conn, all
	if err := c.begin(ctx, e.login); err != nil {
		c.close()
		return nil, fmt.Errorf("%s: %w", node, err)
	}
	return c, nil
}

func dial(ctx context.Context, node string, secure *tls.Config) (net.Conn, error) {
	if secure == nil {
		return new(net.Dialer).DialContext(ctx, "tcp", node)
	}
	return (&tls.Dialer{Config: secure}).DialContext(ctx, "tcp", node)
}

// begin waits until the session is agreed on, and logs in.
func (c *session) begin(ctx context.Context, login []byte) error {
	defer context.AfterFunc(ctx, c.cut)()
	select {
	case <-c.up:
	case <-c.down:
		return c.why(nil)
	case <-ctx.Done():
		return fmt.Errorf("%w: it gives no session in time", store.ErrUnavailable)
	}
	if len(login) == 0 {
		return nil
	}
	return c.why(c.AddAuth("digest", login))
}

// notice is called by the library for each event, before the answers that the
// server sends after it are seen. It must not block.
func (c *session) notice(ev zk.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch ev.Type {
	case zk.EventSession:
		c.turned(ev.State)
	case zk.EventNodeDataChanged:
		c.mark(ev.Path, data)
	case zk.EventNodeChildrenChanged:
		c.mark(ev.Path, children)
	case zk.EventNodeCreated, zk.EventNodeDeleted:
		c.mark(ev.Path, both)
	default:
	}
}

// turned is called with the lock.
func (c *session) turned(state zk.State) {
	switch state {
	case zk.StateDisconnected, zk.StateExpired, zk.StateAuthFailed:
		if !c.ended {
			c.ended = true
			close(c.down)
		}
	default:
	}
}

// met is called when the session is agreed on. A little later the library sets
// again what watches it has, as if after an interruption; one that we have set by
// then is set twice, which does no harm.
func (c *session) met() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.begun {
		c.begun = true
		close(c.up)
	}
}

// mark is called with the lock.
func (c *session) mark(path string, k kinds) {
	if _, ok := c.dirty[path]; !ok {
		c.size += len(path)
	}
	c.dirty[path] |= k
	if c.size > maxEvents || len(c.dirty) > maxNodes {
		_ = c.wire.note(fmt.Errorf("%w: more changes than a tree can have", errMalformed))
		c.cut()
	}
	select {
	case c.poke <- struct{}{}:
	default:
	}
}

// changed returns what was told since the last call.
func (c *session) changed() map[string]kinds {
	c.mu.Lock()
	defer c.mu.Unlock()
	dirty := c.dirty
	c.dirty, c.size = map[string]kinds{}, 0
	return dirty
}

// why gives an error of the library its place in the contract; nil asks why the
// connection ended.
func (c *session) why(err error) error {
	lost := false
	select {
	case <-c.down:
		lost = true
	default:
	}
	switch {
	case err == nil && !lost:
		return nil
	case errors.Is(err, zk.ErrNoAuth), errors.Is(err, zk.ErrAuthFailed), errors.Is(err, zk.ErrInvalidACL):
		return fmt.Errorf("%w: %w", store.ErrDenied, err)
	case slices.ContainsFunc(settled(), func(e error) bool { return errors.Is(err, e) }):
		return err
	}
	if cause := c.wire.ended(); cause != nil {
		err = fmt.Errorf("the connection has ended: %w", cause)
	}
	if err == nil {
		err = errors.New("the server has ended the session")
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
}

// settled are the errors that have their place in the contract already.
func settled() []error {
	return []error{store.ErrUnavailable, store.ErrDenied, store.ErrConflict, store.ErrNotFound, errFolder}
}

// cut ends the connection at once, and with it every call that waits.
func (c *session) cut() { _ = c.wire.Close() }

// close ends the session and returns when it uses nothing any more. The server is
// told, so that it need not keep the watches until the session times out. The
// library may wait a second for an answer to that which cannot come any more:
// only the end of the store waits for this.
func (c *session) close() {
	late := time.AfterFunc(farewell, c.cut)
	defer late.Stop()
	c.of.leaving.Go(c.Close)
	for range c.all {
		continue // only their end counts
	}
	c.cut()
}

// errSpent keeps the library from connecting again.
var errSpent = errors.New("a session ends with its connection")

// once is the one address that the library may connect to.
type once struct {
	node      string
	used      bool
	connected func()
}

// Init implements [zk.HostProvider].
func (*once) Init([]string) error { return nil }

// Len implements [zk.HostProvider].
func (*once) Len() int { return 1 }

// Next implements [zk.HostProvider]. After the first time it says that all nodes
// were tried, which has the library wait until it is closed.
func (o *once) Next() (server string, retryStart bool) {
	retryStart, o.used = o.used, true
	return o.node, retryStart
}

// Connected implements [zk.HostProvider].
func (o *once) Connected() { o.connected() }

// silence drops what the library would write to standard error; our errors say
// the same.
type silence struct{}

// Printf implements [zk.Logger].
func (silence) Printf(string, ...any) {}
