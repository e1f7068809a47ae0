// Package awsapi calls those services of AWS that speak JSON: signed requests,
// with retries, errors that have their place among those of package store, and
// the credentials that any tool of AWS would find.
//
// Calls are plain HTTP, and only the signature is Amazon's: the client libraries
// of the three services that we use would weigh more than all other stores
// together. The search for credentials is our own, too. Amazon's was measured: it
// adds 3.2 MiB to the agent, for the most part clients of the sign-on of people at
// their desks. Ours knows where an agent has its keys from: its options, the
// environment, the shared files, a web identity of Kubernetes, the endpoint of a
// container and the metadata of a machine.
package awsapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
)

const (
	// tries is how often a call is sent that the service is too busy for.
	tries = 5
	// firstPause doubles from try to try.
	firstPause = 100 * time.Millisecond
	// maxAnswer bounds an answer in memory. The services send a megabyte at most,
	// which grows where bytes are written as escapes.
	maxAnswer = 16 << 20
)

// A Service is one of AWS's.
type Service struct {
	Backend string // for errors: "aws"
	Host    string // its name in addresses and signatures: "secretsmanager"
	Target  string // its name in the header X-Amz-Target
	Version string // of the JSON protocol: "1.0" or "1.1"
}

// Options returns the names of the [[confds]] options that a client uses.
func Options() []string {
	return []string{
		"nodes", "scheme", "prefix", "region", "access_key", "secret_key",
		"client_ca_keys", "client_cert", "client_key", "client_insecure", "circle_interval",
	}
}

// A Client calls one service. Its methods may be called from several goroutines.
type Client struct {
	service Service
	account account
	finder  finder
	now     func() time.Time
	first   time.Duration // the pause after the first try

	ctx   context.Context //nolint:containedctx // ends every call when the client is closed
	stop  context.CancelFunc
	mu    sync.Mutex // keeps calls from being counted in while Close waits
	calls sync.WaitGroup

	turn chan struct{} // holds the right to change conn
	conn *connection   // nil before the first call
}

// New returns a client with the options of v. It looks at no file and no server
// yet, and refuses what can never work.
func New(service Service, v spec.Values) (*Client, error) {
	a, err := parse(service, v)
	if err != nil {
		return nil, err
	}
	c := &Client{service: service, account: a, finder: newFinder(os.Getenv), now: time.Now, first: firstPause, turn: make(chan struct{}, 1)}
	c.ctx, c.stop = context.WithCancel(context.Background())
	return c, nil
}

// Close ends every call with [store.ErrClosed], and returns once none runs.
func (c *Client) Close() {
	c.mu.Lock()
	c.stop()
	c.mu.Unlock()
	c.calls.Wait()
	if c.conn != nil {
		c.conn.nodes.Close()
		c.conn = nil
	}
}

// enter counts a call in, unless the client is closed.
func (c *Client) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return false
	}
	c.calls.Add(1)
	return true
}

// Read calls an operation that changes nothing, and decodes its answer into out.
// It tries again where the service is too busy or fails.
func (c *Client) Read(ctx context.Context, operation string, in, out any) error {
	return c.call(ctx, operation, in, out, func(e *Error) bool { return e.Throttled || e.Status >= http.StatusInternalServerError })
}

// Write calls an operation that changes something. It tries again only where the
// service says that it was too busy to begin: sent twice, a write under a
// condition would fail on its own first try.
func (c *Client) Write(ctx context.Context, operation string, in, out any) error {
	return c.call(ctx, operation, in, out, func(e *Error) bool { return e.Throttled })
}

func (c *Client) call(ctx context.Context, operation string, in, out any, again func(*Error) bool) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	if !c.enter() {
		return store.ErrClosed
	}
	defer c.calls.Done()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)() //nolint:contextcheck // closing the client ends its calls
	err = c.retry(inner, operation, body, out, again)
	if err != nil && ctx.Err() == nil && c.ctx.Err() != nil {
		return store.ErrClosed
	}
	return err
}

// retry sends a request until it is answered, refused for good or ctx ends.
func (c *Client) retry(ctx context.Context, operation string, body []byte, out any, again func(*Error) bool) error {
	conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	renewed := false
	for n := 1; ; n++ {
		keys, err := conn.keys.get(ctx)
		if err != nil {
			return err
		}
		err = c.once(ctx, conn, keys, operation, body, out)
		refused, ok := errors.AsType[*Error](err)
		switch {
		case !ok:
			return err
		case refused.expired && !renewed && conn.keys.drop(keys):
			renewed = true // by now there may be others where these came from
		case n >= tries || !again(refused) || c.pause(ctx, n) != nil:
			return err
		}
	}
}

// once sends one request.
func (c *Client) once(ctx context.Context, conn *connection, keys aws.Credentials, operation string, body []byte, out any) error {
	resp, err := conn.nodes.Do(ctx, httpnodes.Request{
		Method: http.MethodPost, Path: "/", Body: body, Limit: maxAnswer,
		Header: http.Header{
			"Content-Type": {"application/x-amz-json-" + c.service.Version},
			"X-Amz-Target": {c.service.Target + "." + operation},
		},
		Sign: func(r *http.Request) error { return c.sign(r, body, keys, conn.region) },
	})
	if err != nil {
		return err
	}
	if resp.Status == http.StatusOK {
		if err := json.Unmarshal(resp.Body, out); err != nil {
			return fmt.Errorf("%w: the answer to %s is not what %s sends", store.ErrUnavailable, operation, c.service.Host)
		}
		return nil
	}
	return c.refusal(resp, keys)
}

// pause waits before try n+1, for a time that grows and that no two agents share.
func (c *Client) pause(ctx context.Context, n int) error {
	most := c.first << n
	t := time.NewTimer(most/4 + rand.N(most*3/4))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
