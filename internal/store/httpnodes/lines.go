package httpnodes

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"datakit.dev/internal/store"
)

// Lines sends r as [Client.Do] does, and where a node answers 200 calls take, once
// with nil and then for each line of the body as it comes, until the node ends
// it: for a protocol that pushes what happens. Any other answer is returned with
// its body. take may not keep the line; an error of its own ends the call and is
// returned.
//
// r.Long is how long the node may then be silent, beside the usual time, and
// r.Limit bounds one line. Once a node has answered 200 no other is asked: what
// that would push is another story.
func (c *Client) Lines(ctx context.Context, r Request, take func(line []byte) error) (Response, error) {
	resp, err := c.each(ctx, r, func(node string) (Response, error) { return c.lines(ctx, node, r, take) })
	if t, ok := errors.AsType[takenError](err); ok {
		return resp, t.cause
	}
	return resp, err
}

// errTaken marks the end of an answer of which lines have been taken.
var errTaken = errors.New("the answer has ended")

// A takenError is that end with its cause, which may be nil.
type takenError struct{ cause error }

func (takenError) Error() string { return errTaken.Error() }

func (takenError) Is(target error) bool { return target == errTaken }

// lines asks one node.
func (c *Client) lines(ctx context.Context, node string, r Request, take func([]byte) error) (Response, error) {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(callTimeout, func() { cancel(context.DeadlineExceeded) })
	defer watchdog.Stop()
	resp, err := c.send(inner, node, r)
	if err != nil {
		return Response{}, silent(inner, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		out, err := r.whole(inner, node, resp)
		return out, silent(inner, err)
	}
	out := Response{Status: resp.StatusCode, Header: resp.Header, Node: node}
	quiet := callTimeout + r.Long
	watchdog.Reset(quiet)
	if err := take(nil); err != nil {
		return out, takenError{err}
	}
	limit := int(min(r.limit(), defaultLimit))
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, limit)
	lines.Split(whole)
	for lines.Scan() {
		watchdog.Reset(quiet)
		if err := take(lines.Bytes()); err != nil {
			return out, takenError{err}
		}
	}
	err = lines.Err()
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		err = fmt.Errorf("%w: %w: a line of over %d bytes", store.ErrUnavailable, ErrTooLong, limit)
	case ctx.Err() != nil:
		err = ctx.Err()
	case err != nil:
		err = fmt.Errorf("%w: %s: %w", store.ErrUnavailable, node, silent(inner, plain(inner, err)))
	}
	return out, takenError{err}
}

// whole splits lines, and takes none that the answer breaks off in.
func whole(text []byte, _ bool) (advance int, line []byte, err error) {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		return i + 1, text[:i], nil
	}
	return 0, nil, nil
}

// silent replaces err by a plain word where the node was silent for too long.
func silent(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return errTimeout
	}
	return err
}
