package httpnodes

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/tlsconf"
)

const (
	// callTimeout bounds one call at one node, beside the time that the server
	// was asked to hold its answer. A server that is paused or cut off takes
	// connections and answers nothing.
	callTimeout = 5 * time.Second
	dialTimeout = 3 * time.Second
	keepAlive   = 15 * time.Second
	idleTime    = 90 * time.Second
	maxHeader   = 64 << 10
	// defaultLimit bounds the body of an answer in memory.
	defaultLimit = 64 << 20
	maxRedirects = 3
)

// A Request is one call.
type Request struct {
	Method string // GET where empty
	Path   string // below the node's own, escaped, with its leading slash
	Query  url.Values
	Header http.Header
	Body   []byte
	Long   time.Duration // how long the server may hold the answer; 0: not at all
	Limit  int64         // bytes of the answer, 64 MiB where 0
	// Sign, where it is set, adds to a request what depends on the node that it
	// goes to, such as a signature over its host.
	Sign func(*http.Request) error
	Next []int // statuses at which the next node is asked, beside those that [Client.Do] names
}

// A Response is the answer of one node.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	Node   string // the URL of the node
}

// A Client talks to several nodes. Its methods may be called from several
// goroutines.
type Client struct {
	nodes []string
	tls   tlsconf.Options

	mu    sync.Mutex
	http  *http.Client
	conns []*conns // of this HTTP client and of those before it, while they have any
	last  int      // the node that answered last
}

// New returns a client for the nodes and the TLS files that v names. It looks at
// no file and no node yet.
func New(name, defaultPort string, v spec.Values) (*Client, error) {
	nodes, err := Endpoints(name, defaultPort, v)
	if err != nil {
		return nil, err
	}
	c := &Client{nodes: nodes, tls: tlsconf.FromValues(v)}
	return c, c.tls.Check()
}

// Nodes returns the URLs of the nodes.
func (c *Client) Nodes() []string { return slices.Clone(c.nodes) }

// Do sends r to the node that answered last and goes on to the next where one
// cannot be reached, takes too long or answers 500, 502, 503 or 504. Where every
// node does, the last answer is returned, or an error that wraps
// [store.ErrUnavailable] where there is none. No error holds a query, a header
// or a body.
func (c *Client) Do(ctx context.Context, r Request) (Response, error) {
	return c.each(ctx, r, func(node string) (Response, error) { return c.one(ctx, node, r) })
}

// each calls one for one node after the other, as [Client.Do] says.
func (c *Client) each(ctx context.Context, r Request, one func(node string) (Response, error)) (Response, error) {
	c.mu.Lock()
	first := c.last
	c.mu.Unlock()
	var best *Response
	var failed error
	for i := range c.nodes {
		n := (first + i) % len(c.nodes)
		resp, err := one(c.nodes[n])
		switch {
		case ctx.Err() != nil:
			return Response{}, ctx.Err()
		case errors.Is(err, errTaken):
			return resp, err
		case errors.Is(err, ErrTooLong):
			return Response{}, fmt.Errorf("%w: %w", store.ErrUnavailable, err)
		case err != nil:
			failed = fmt.Errorf("%s: %w", c.nodes[n], err)
			continue
		case !failing(resp.Status) && !slices.Contains(r.Next, resp.Status):
			c.mu.Lock()
			c.last = n
			c.mu.Unlock()
			return resp, nil
		}
		best = &resp
	}
	if best != nil {
		return *best, nil
	}
	return Response{}, fmt.Errorf("%w: %w", store.ErrUnavailable, failed)
}

// failing reports whether status says that another node may do better.
func failing(status int) bool {
	switch status {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// one sends r to one node.
func (c *Client) one(ctx context.Context, node string, r Request) (Response, error) {
	inner, cancel := context.WithTimeout(ctx, callTimeout+r.Long)
	defer cancel()
	resp, err := c.send(inner, node, r)
	if err != nil {
		return Response{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	return r.whole(inner, node, resp)
}

// send sends r to one node, and returns the answer with its body still to come.
func (c *Client) send(ctx context.Context, node string, r Request) (*http.Response, error) {
	cli, err := c.client()
	if err != nil {
		return nil, err
	}
	target := node + r.Path
	if len(r.Query) > 0 {
		target += "?" + r.Query.Encode()
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(r.Body))
	if err != nil {
		return nil, errors.New("the address or the path is no URL") // the error of net/http repeats it
	}
	for name, values := range r.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	if r.Sign != nil {
		if err := r.Sign(req); err != nil {
			return nil, err
		}
	}
	resp, err := cli.Do(req)
	if err != nil {
		return nil, plain(ctx, err)
	}
	return resp, nil
}

// whole reads the body of an answer.
func (r Request) whole(ctx context.Context, node string, resp *http.Response) (Response, error) {
	limit := r.limit()
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return Response{}, plain(ctx, err)
	}
	if int64(len(body)) > limit {
		return Response{}, fmt.Errorf("%w: over %d bytes", ErrTooLong, limit)
	}
	return Response{Status: resp.StatusCode, Header: resp.Header, Body: body, Node: node}, nil
}

func (r Request) limit() int64 {
	if r.Limit > 0 {
		return r.Limit
	}
	return defaultLimit
}

var (
	// ErrTooLong says that an answer has more bytes than the request allows.
	ErrTooLong  = errors.New("the answer is too long")
	errRedirect = errors.New("the server sends us to a node that is not among nodes")
	errTimeout  = errors.New("no answer in time")
)

// plain takes out what net/http wraps around a cause: the URL with its query.
func plain(ctx context.Context, err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errTimeout
	}
	return err
}

// client returns the HTTP client. The TLS files are read with the first call
// that finds them, so that a file which comes later is taken; our own
// certificate is read again at each handshake.
func (c *Client) client() (*http.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.http != nil {
		return c.http, nil
	}
	var conf *tls.Config
	if slices.ContainsFunc(c.nodes, func(n string) bool { return strings.HasPrefix(n, "https://") }) {
		var err error
		if conf, err = c.tls.Load(); err != nil {
			return nil, err
		}
	}
	l := &conns{dialer: net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}, open: map[*conn]struct{}{}}
	c.conns = append(slices.DeleteFunc(c.conns, (*conns).empty), l)
	c.http = &http.Client{
		CheckRedirect: c.redirect,
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            l.dial,
			TLSClientConfig:        conf,
			TLSHandshakeTimeout:    dialTimeout,
			MaxResponseHeaderBytes: maxHeader,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        idleTime,
			ForceAttemptHTTP2:      true,
		},
	}
	return c.http, nil
}

// redirect lets a request go on to one of our nodes only: it carries a token.
func (c *Client) redirect(req *http.Request, via []*http.Request) error {
	to := req.URL.Scheme + "://" + req.URL.Host
	known := slices.ContainsFunc(c.nodes, func(n string) bool { return n == to || strings.HasPrefix(n, to+"/") })
	if len(via) > maxRedirects || !known {
		return errRedirect
	}
	return nil
}

// Renew lets the next request make a new connection, with the TLS files of then.
// Requests that are under way go on.
func (c *Client) Renew() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.http != nil {
		c.http.CloseIdleConnections()
		c.http = nil
	}
}

// Close drops the connections there are, and the requests on them. The client can
// still be used.
func (c *Client) Close() {
	c.Renew()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.conns {
		l.close()
	}
	c.conns = nil
}
