package etcd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
)

const (
	// defaultHold is how long a poll waits for a change before the server is asked
	// whether it is still there. A frozen server and a member without its cluster
	// keep a poll open and look like a quiet one.
	defaultHold = 20 * time.Second
	// maxAnswer bounds a listed tree, and an event: its value and the one before.
	maxAnswer = store.MaxTree
)

var errQuiet = errors.New("nothing has changed")

// Follow implements [follow.Source].
func (s *source) Follow(ctx context.Context, c *follow.Copy) error {
	index, entries, err := s.list(ctx)
	if err != nil {
		return err
	}
	t := &tree{root: s.root, keys: map[string]bool{}}
	for key := range entries {
		t.keys[key] = true
	}
	if err := c.Replace(int64(index), entries); err != nil { //nolint:gosec // parsed as 63 bits
		return err
	}
	for {
		s.index.Store(index)
		ev, err := s.next(ctx, index+1)
		switch {
		case errors.Is(err, errQuiet):
			if err := s.stillThere(ctx, c, index); err != nil {
				return err
			}
			continue
		case is(err, codeCleared):
			return nil // the list is cheaper than what we have missed
		case err != nil:
			return err
		}
		index = ev.Node.ModifiedIndex
		set, removed := t.change(ev)
		if err := c.Apply(int64(index), set, removed); err != nil { //nolint:gosec // checked by next
			return err
		}
	}
}

// list reads the whole tree as a majority of the cluster knows it.
func (s *source) list(ctx context.Context) (index uint64, entries map[string]store.Entry, err error) {
	r := s.request(http.MethodGet, "/", url.Values{"recursive": {"true"}, "quorum": {"true"}})
	r.Limit = maxAnswer
	resp, err := s.client.Do(ctx, r)
	if err != nil {
		return 0, nil, err
	}
	missing := refused(resp)
	if missing != nil && !is(missing, codeNotFound) {
		return 0, nil, missing
	}
	index, err = indexOf(resp)
	if err != nil || missing != nil { // without the root the tree is empty, if it is etcd that says so
		return index, map[string]store.Entry{}, err
	}
	entries, err = readTree(s.root, resp.Body)
	return index, entries, err
}

// An event is one change.
type event struct {
	Action string `json:"action"`
	Node   node   `json:"node"`
}

// next returns the first event from index on.
func (s *source) next(ctx context.Context, index uint64) (event, error) {
	r := s.request(http.MethodGet, "/", url.Values{"wait": {"true"}, "recursive": {"true"}, "waitIndex": {strconv.FormatUint(index, 10)}})
	r.Limit, r.Long = maxAnswer, s.hold
	poll, cancel := context.WithTimeout(ctx, s.hold)
	defer cancel()
	resp, err := s.client.Do(poll, r)
	switch {
	case err != nil && poll.Err() != nil && ctx.Err() == nil:
		return event{}, errQuiet
	case err != nil:
		return event{}, err
	}
	if err := refused(resp); err != nil {
		return event{}, err
	}
	return readEvent(resp.Body, index)
}

// readEvent decodes an event that must not lie before index: a server that sent
// one over and over would keep us busy for ever.
func readEvent(body []byte, index uint64) (event, error) {
	var ev event
	err := json.Unmarshal(body, &ev)
	if err == nil && (ev.Node.ModifiedIndex < index || ev.Node.ModifiedIndex > 1<<62) {
		err = fmt.Errorf("the event is of index %d, and not from %d on", ev.Node.ModifiedIndex, index)
	}
	if err != nil {
		return event{}, fmt.Errorf("%w: %w: %w", store.ErrUnavailable, errAnswer, err)
	}
	return ev, nil
}

// stillThere asks the cluster after a poll that brought nothing. An index below
// ours is that of a server which was restored or wiped: the polls would wait for
// it to get where it was.
func (s *source) stillThere(ctx context.Context, c *follow.Copy, index uint64) error {
	now, err := s.now(ctx)
	switch {
	case err != nil:
		return err
	case now < index:
		return fmt.Errorf("%w: its index went back from %d to %d", store.ErrUnavailable, index, now)
	case now == index:
		c.Heard()
	}
	return nil
}

// Ask implements [follow.Source]. Where the index is still that of the copy,
// nothing at all has been written since; otherwise a list tells whether it was
// below our root.
func (s *source) Ask(ctx context.Context) error {
	now, err := s.now(ctx)
	if err != nil {
		return err
	}
	if index := s.index.Load(); now != index {
		return fmt.Errorf("the server is at index %d, and the copy at %d", now, index)
	}
	return nil
}

// now returns the index that a majority of the cluster is at. It reads the
// folders straight below the root, which are few.
func (s *source) now(ctx context.Context) (uint64, error) {
	resp, err := s.client.Do(ctx, s.request(http.MethodGet, "/", url.Values{"quorum": {"true"}}))
	if err != nil {
		return 0, err
	}
	if err := refused(resp); err != nil && !is(err, codeNotFound) {
		return 0, err
	}
	return indexOf(resp)
}

// A tree knows which keys there are, for the events that speak of a directory.
type tree struct {
	root string
	keys map[string]bool
}

// change returns what ev sets and removes.
func (t *tree) change(ev event) (set []store.Entry, removed []string) {
	key, ours := below(t.root, ev.Node.Key)
	gone := ev.Action == "delete" || ev.Action == "expire" || ev.Action == "compareAndDelete"
	switch {
	case gone && ev.Node.Dir:
		return nil, t.dropFolder(ev.Node.Key)
	case !ours:
		return nil, nil
	case gone || ev.Node.Dir: // a folder may take the place of a key
		delete(t.keys, key)
		return nil, []string{key}
	}
	t.keys[key] = true
	return []store.Entry{ev.Node.entry(key)}, nil
}

// dropFolder returns the keys that go with a directory, which may be the root or
// one above it. The server also tells of the end of /data, which is none of
// /datakit's.
func (t *tree) dropFolder(folder string) (removed []string) {
	folder = strings.TrimSuffix(folder, "/") + "/"
	for key := range t.keys {
		if strings.HasPrefix(t.root+"/"+key, folder) {
			delete(t.keys, key)
			removed = append(removed, key)
		}
	}
	return removed
}
