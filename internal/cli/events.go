package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// settle is how long what comes behind an event is waited for, so that a change
// and what it restarts are one look, and a burst of them a few.
func settle(interval time.Duration) time.Duration {
	return min(max(interval/10, 100*time.Millisecond), time.Second)
}

// await returns what waits for the next event of the agent. Events that come
// within settled count as one.
func (a *agent) await(settled time.Duration) func(context.Context) error {
	var s eventStream
	return func(ctx context.Context) error {
		if s.lines == nil {
			if err := s.open(ctx, a); err != nil {
				return err
			}
		}
		if err := s.next(); err != nil {
			s.close()
			return err
		}
		t := time.NewTimer(settled)
		defer t.Stop()
		select {
		case <-t.C:
			s.skip()
		case <-ctx.Done():
			s.close()
			return ctx.Err() //nolint:wrapcheck // it is the program's end
		}
		return nil
	}
}

// eventStream reads server-sent events.
type eventStream struct {
	body  io.Closer
	lines *bufio.Reader
}

// open asks the agent for its events from now on.
func (s *eventStream) open(ctx context.Context, a *agent) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+"/v1/events", nil)
	if err != nil {
		return fmt.Errorf("ask for events: %w", err)
	}
	endless := *a.client
	endless.Timeout = 0 // of the whole answer
	resp, err := endless.Do(req)
	if err != nil {
		return fmt.Errorf("ask for events: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return fmt.Errorf("ask for events: %s", resp.Status)
	}
	s.body, s.lines = resp.Body, bufio.NewReader(resp.Body)
	return nil
}

func (s *eventStream) close() {
	_ = s.body.Close()
	s.body, s.lines = nil, nil
}

// errStreamOver says that the agent ended the stream: the next one begins anew.
var errStreamOver = errors.New("the stream of events is over")

// next returns at the next event that tells of something.
func (s *eventStream) next() error {
	for {
		name, err := s.line()
		switch {
		case err != nil:
			return err
		case name == "end":
			return errStreamOver
		case name != "" && name != "hello":
			return nil
		}
	}
}

// skip forgets what has come already.
func (s *eventStream) skip() {
	for s.lines.Buffered() > 0 {
		if _, err := s.line(); err != nil {
			return // next tells it
		}
	}
}

// line reads one line, and returns the name of the event that it begins. Lines are
// as long as the agent makes them, and nothing of them is kept.
func (s *eventStream) line() (event string, err error) {
	text, more, err := s.lines.ReadLine()
	if err != nil {
		return "", fmt.Errorf("read the events: %w", err)
	}
	name, ok := strings.CutPrefix(string(text), "event: ")
	for more {
		if _, more, err = s.lines.ReadLine(); err != nil {
			return "", fmt.Errorf("read the events: %w", err)
		}
	}
	if !ok {
		return "", nil
	}
	return name, nil
}
