package disk

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/shirou/gopsutil/v4/disk"
)

// inquiries asks file systems for their usage. The answer of a server that is
// gone never comes, and no context ends the call: such a call keeps its thread
// until the server is back. So each runs on its own, no more than one a file
// system, and a collection waits for all of them together, once.
type inquiries struct {
	statfs  func(context.Context, string) (*disk.UsageStat, error)
	timeout time.Duration
	open    map[string]*inquiry // by path: those that have not answered yet
}

type inquiry struct {
	since time.Time
	done  chan struct{} // closed once answer is set
	answer
}

func (i *inquiry) answered() bool {
	select {
	case <-i.done:
		return true
	default:
		return false
	}
}

type answer struct {
	usage *disk.UsageStat
	err   error
}

// ask returns one answer a path, in order.
func (q *inquiries) ask(ctx context.Context, paths []string) []answer {
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	// One for a folder that is no longer mounted counts too: it may come back.
	running := maps.Clone(q.open)
	if running == nil {
		running = make(map[string]*inquiry, len(paths))
	}
	hung := map[string]bool{}
	for _, path := range paths {
		running[path] = q.start(ctx, path, hung)
	}
	out := make([]answer, len(paths))
	for i, path := range paths {
		out[i] = q.wait(ctx, running[path], hung[path])
	}
	maps.DeleteFunc(running, func(_ string, one *inquiry) bool { return one.answered() })
	q.open = running
	return out
}

// start asks path, or returns the inquiry that still waits for it.
func (q *inquiries) start(ctx context.Context, path string, hung map[string]bool) *inquiry {
	if old, ok := q.open[path]; ok && !old.answered() {
		hung[path] = true
		return old
	}
	one := &inquiry{since: time.Now(), done: make(chan struct{})}
	// Not an owner's goroutine: nobody can end it, and none waits for it.
	time.AfterFunc(0, func() {
		defer close(one.done)
		one.usage, one.err = q.statfs(ctx, path)
	})
	return one
}

func (q *inquiries) wait(ctx context.Context, one *inquiry, hung bool) answer {
	if !hung {
		select {
		case <-one.done:
			return one.answer
		case <-ctx.Done():
		}
	}
	if one.answered() { // while we waited for another
		return one.answer
	}
	return answer{err: fmt.Errorf("the file system has not answered for %v: is its server gone?", time.Since(one.since).Round(time.Millisecond))}
}
