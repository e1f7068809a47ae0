// Package outbound sends the HTTP requests of scripts, to public addresses only
// unless others are allowed. Who writes a script can have the agent call any URL
// from where it stands, behind the firewall and next to the cloud's metadata
// service; and a text from outside may have become a part of the URL.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"datakit.dev/internal/pipeline/fn"
)

// Options say what scripts may call. A zero means the default.
type Options struct {
	Allow   []string      // networks that are not public and may be called all the same: 10.1.0.0/16, 127.0.0.1
	Hosts   []string      // if any, the only hosts that may be called
	Timeout time.Duration // of a request, with its redirects and its body
	MaxBody int64         // bytes of a response
}

// The defaults.
const (
	DefaultTimeout = 10 * time.Second
	DefaultMaxBody = 1 << 20
)

// Bounds that are nobody's to set.
const (
	maxRedirects = 5
	maxHeader    = 64 << 10
	maxConns     = 100
)

// The reasons for a request that is not made, or not to its end.
var (
	ErrAddress   = errors.New("the address is not public, and not allowed")
	ErrHost      = errors.New("the host is not one that scripts may call")
	ErrScheme    = errors.New("the scheme is not http or https")
	ErrBody      = errors.New("the response is too long")
	ErrRedirects = errors.New("too many redirects")
)

// A Client sends requests.
type Client struct {
	http    *http.Client
	hosts   []string
	maxBody int64
}

var _ fn.HTTP = (*Client)(nil)

// New returns a client.
func New(o Options) (*Client, error) {
	g, err := newGuard(o.Allow)
	if err != nil {
		return nil, err
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	c := &Client{maxBody: o.MaxBody}
	for _, host := range o.Hosts {
		c.hosts = append(c.hosts, strings.ToLower(host))
	}
	dialer := &net.Dialer{Timeout: o.Timeout, Control: g.control}
	c.http = &http.Client{
		Timeout:       o.Timeout,
		CheckRedirect: c.redirect,
		Transport: &http.Transport{
			Proxy:                  nil, // the guard would see the proxy's address, and not where the request goes
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    o.Timeout,
			ResponseHeaderTimeout:  o.Timeout,
			MaxResponseHeaderBytes: maxHeader,
			MaxIdleConns:           maxConns,
			MaxConnsPerHost:        maxConns,
			IdleConnTimeout:        90 * time.Second,
			ForceAttemptHTTP2:      true,
		},
	}
	return c, nil
}

// Close closes the connections that wait to be used again.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Do sends a request and returns what came back, whatever its status.
func (c *Client) Do(ctx context.Context, r fn.HTTPRequest) (fn.HTTPResponse, error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, strings.NewReader(r.Body))
	if err != nil {
		return fn.HTTPResponse{}, fmt.Errorf("http_request: %w", err)
	}
	if r.Body == "" {
		req.Body, req.GetBody = http.NoBody, nil
	}
	for name, value := range r.Header {
		req.Header.Set(name, value)
	}
	if err := c.permits(req.URL); err != nil {
		return fn.HTTPResponse{}, fmt.Errorf("http_request: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fn.HTTPResponse{}, fmt.Errorf("http_request: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.maxBody+1))
	if err != nil {
		return fn.HTTPResponse{}, fmt.Errorf("http_request: read the response: %w", err)
	}
	if int64(len(body)) > c.maxBody {
		return fn.HTTPResponse{}, fmt.Errorf("http_request: %w: at most %d bytes", ErrBody, c.maxBody)
	}
	return fn.HTTPResponse{Status: resp.StatusCode, Body: string(body)}, nil
}

// permits reports why a URL may not be called. The address is looked at when it
// is dialed: only then it is known for certain.
func (c *Client) permits(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" {
		return ErrScheme
	}
	if len(c.hosts) > 0 && !slices.Contains(c.hosts, strings.ToLower(u.Hostname())) {
		return ErrHost
	}
	return nil
}

// redirect holds the next request to what the first was held to. A script's
// headers, which may carry a secret, go to no other host.
func (c *Client) redirect(next *http.Request, before []*http.Request) error {
	if len(before) > maxRedirects {
		return ErrRedirects
	}
	if first := before[0].URL; next.URL.Host != first.Host || next.URL.Scheme != first.Scheme {
		next.Header = http.Header{}
	}
	return c.permits(next.URL)
}
