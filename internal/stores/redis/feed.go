package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"datakit.dev/internal/store"
)

// An event is what a subscription brings: a name that has changed, the answer
// to a ping, or the end.
type event struct {
	name string
	pong string
	err  error
}

// feeds are the subscriptions of one session: one to each master, as only the
// owner of a key tells of it.
type feeds struct {
	s      *settings
	conns  []*conn
	events chan event
	ctx    context.Context //nolint:containedctx // ends the readers
	stop   context.CancelFunc
	runs   sync.WaitGroup
	pings  int
}

// eventBuffer is how many events may wait for a read that is under way.
const eventBuffer = 1024

// subscribe subscribes to what every server of l tells about the keys of ours.
// silent reports that we may not.
func (l *links) subscribe(ctx context.Context, rooted bool) (f *feeds, silent bool, err error) {
	f = &feeds{s: l.s, events: make(chan event, eventBuffer)}
	f.ctx, f.stop = context.WithCancel(ctx)
	space := l.s.space()
	for _, node := range l.nodes {
		c, err := l.s.dial(ctx, node)
		if err != nil {
			f.close()
			return nil, false, err
		}
		f.conns = append(f.conns, c)
		cmds := []command{{"PSUBSCRIBE", space + l.s.names.pattern()}}
		if rooted {
			cmds = append(cmds, command{"SUBSCRIBE", space + l.s.names.root})
		}
		answers, err := c.calls(ctx, cmds...)
		if err != nil {
			f.close()
			return nil, false, l.s.explain(ctx, node, err)
		}
		for _, a := range answers {
			silent = silent || failure(a.err(), "NOPERM")
			if err := a.err(); err != nil && !silent {
				f.close()
				return nil, false, l.s.explain(ctx, node, err)
			}
		}
	}
	for _, c := range f.conns {
		c.patient = true
		f.runs.Go(func() { f.receive(c, len(space)) })
	}
	return f, silent, nil
}

// space is what comes before the name of a key in the channel that tells of it.
func (s *settings) space() string { return "__keyspace@" + strconv.Itoa(s.database) + "__:" }

// close ends the subscriptions and waits for their readers.
func (f *feeds) close() {
	f.stop()
	for _, c := range f.conns {
		_ = c.Close()
	}
	f.runs.Wait()
}

// receive hands on what c brings, until it breaks.
func (f *feeds) receive(c *conn, skip int) {
	for {
		r, err := c.reader.next()
		ev := eventOf(r, skip)
		if err != nil {
			ev = event{err: f.s.explain(f.ctx, c.node, timely(f.ctx, err))}
		} else if err := r.err(); err != nil {
			ev = event{err: f.s.explain(f.ctx, c.node, err)}
		}
		select {
		case f.events <- ev:
		case <-f.ctx.Done():
			return
		}
		if ev.err != nil {
			return
		}
	}
}

// eventOf reads a message: pmessage, pattern, channel, text; message, channel,
// text; or pong, text. Where nothing is subscribed to, a pong is a plain answer.
func eventOf(r reply, skip int) event {
	if r.kind == '$' {
		return event{pong: r.text}
	}
	if len(r.items) < 2 {
		return event{}
	}
	last := len(r.items) - 1
	switch r.items[0].text {
	case "pong":
		return event{pong: r.items[last].text}
	case "message", "pmessage":
		channel := r.items[last-1].text
		return event{name: channel[min(skip, len(channel)):]}
	}
	return event{}
}

// barrier returns once every server has answered a ping: all that it has told
// before is then handed to take. It costs each of them one small answer.
func (f *feeds) barrier(ctx context.Context, take func(event) error) error {
	f.pings++
	ping := strconv.Itoa(f.pings)
	for _, c := range f.conns {
		if err := c.send(command{"PING", ping}); err != nil {
			return f.s.explain(ctx, c.node, timely(ctx, err))
		}
	}
	late := time.NewTimer(idleTimeout)
	defer late.Stop()
	for answered := 0; answered < len(f.conns); {
		select {
		case ev := <-f.events:
			if err := take(ev); err != nil {
				return err
			}
			if ev.pong == ping {
				answered++
			}
		case <-late.C:
			nodes := strings.Join(f.addresses(), ", ")
			return f.s.explain(ctx, nodes, errSilent)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (f *feeds) addresses() []string {
	out := make([]string, len(f.conns))
	for i, c := range f.conns {
		out[i] = c.node
	}
	return out
}

// telling is whether the servers tell of changes.
type telling int

const (
	unknown telling = iota // it may not be asked
	tells
	silent
)

// told asks every server whether it tells of all the changes that there are to
// our keys.
func (l *links) told(ctx context.Context) (telling, error) {
	all := tells
	for _, node := range l.nodes {
		r, err := l.conns[node].call(ctx, "CONFIG", "GET", "notify-keyspace-events")
		switch {
		case failure(err, "NOPERM", "ERR"):
			all = min(all, unknown)
			continue
		case err != nil:
			return unknown, l.s.explain(ctx, node, err)
		case len(r.items) != 2:
			all = min(all, unknown)
			continue
		}
		if !enough(r.items[1].text) {
			return silent, nil
		}
	}
	return all, nil
}

// enough reports whether flags make the server tell, by key, of every change
// to a string or a hash: commands on either, deletes and renames, expiry and
// eviction.
func enough(flags string) bool {
	if !strings.Contains(flags, "K") {
		return false
	}
	if strings.Contains(flags, "A") {
		return true
	}
	for _, need := range "g$hxe" {
		if !strings.ContainsRune(flags, need) {
			return false
		}
	}
	return true
}

// advice is what an operator does about servers that do not tell.
const advice = "CONFIG SET notify-keyspace-events Kg$hxe"

// errBusy says that changes come faster than they can be read.
var errBusy = fmt.Errorf("%w: keys change faster than they can be read", store.ErrUnavailable)
