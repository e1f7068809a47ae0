package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
	"datakit.dev/internal/store/httpnodes"
)

const (
	// pageSize is how many objects one answer to a list may hold; fewer are asked
	// for where they are so large that the answer would be too long.
	pageSize = 500
	// watchTime is how long a watch lasts at least, and at most twice; then the
	// objects are listed anew.
	watchTime = 10 * time.Minute
	// silence is how long a watch may bring nothing, beside the usual time of an
	// answer: about once a minute the server says at least how far it has got.
	silence = 80 * time.Second
	// maxEvent bounds one line of a watch. An object has up to 1.5 MiB, which JSON
	// may make six times as long.
	maxEvent = 12 << 20
)

// A source follows the objects by one watch for each kind. It implements
// [follow.Source].
type source struct {
	api
	log *slog.Logger

	mu      sync.Mutex
	tree    *tree // nil until it is listed
	version map[kind]uint64
	watched int               // kinds of which the server has begun to tell
	told    map[string]string // conflicts that were logged, by key
	moved   chan struct{}     // closed when one of these has changed
}

func newSource(a api, log *slog.Logger) *source {
	return &source{api: a, log: log, told: map[string]string{}, moved: make(chan struct{})}
}

// Follow implements [follow.Source]. A watch that ends is never taken up again:
// a server that was set back to a backup would leave it silent for ever.
func (s *source) Follow(ctx context.Context, c *follow.Copy) error {
	err := s.follow(ctx, c)
	if err != nil && ctx.Err() == nil {
		s.client.Renew() // the connection may be the reason, or a file that was replaced
	}
	if errors.Is(err, errExpired) {
		return nil
	}
	return err
}

func (s *source) follow(ctx context.Context, c *follow.Copy) error {
	t, versions, err := s.list(ctx)
	if err != nil {
		return err
	}
	s.took(func() { s.tree, s.version, s.watched = t, maps.Clone(versions), 0 })
	s.conflicts(nil)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var watches sync.WaitGroup
	ends := make(chan error, len(s.kinds))
	for _, k := range s.kinds {
		from := versions[k] // the other watches move the versions on
		watches.Go(func() {
			ends <- s.watch(ctx, c, k, from)
			cancel() // the copy is not complete without it
		})
	}
	watches.Wait()
	return <-ends // of the first that ended
}

// list reads every object that bears the label.
func (s *source) list(ctx context.Context) (*tree, map[kind]uint64, error) {
	t, versions := newTree(), map[kind]uint64{}
	for _, k := range s.kinds {
		version, err := s.api.list(ctx, k, func(o object) error {
			_, err := t.put(o)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		versions[k] = version
	}
	return t, versions, nil
}

// list calls take for every object of k, and returns the version that they are
// of: all are shown as they were at one instant.
func (a api) list(ctx context.Context, k kind, take func(object) error) (version uint64, err error) {
	size, more := pageSize, ""
	for {
		p, err := a.page(ctx, k, size, more, false)
		if errors.Is(err, httpnodes.ErrTooLong) && size > 1 {
			size = max(size/8, 1)
			continue
		}
		if err != nil {
			return 0, err
		}
		for _, item := range p.items {
			o, err := a.parse(k, item)
			if err == nil {
				err = take(o)
			}
			if err != nil {
				return 0, err
			}
		}
		if more = p.more; more == "" {
			return p.version, nil
		}
	}
}

// partial asks for metadata only.
const partial = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

// page reads one page of a list. It comes from what most of the storage agrees
// on, and not from the server's cache, which may be behind.
func (a api) page(ctx context.Context, k kind, size int, more string, metadataOnly bool) (page, error) {
	r := httpnodes.Request{Path: a.path(k), Query: url.Values{"labelSelector": {a.selector}, "limit": {strconv.Itoa(size)}}}
	if more != "" {
		r.Query.Set("continue", more)
	}
	if metadataOnly {
		r.Header = http.Header{"Accept": {partial}}
	}
	resp, err := a.do(ctx, r)
	if err != nil {
		return page{}, err
	}
	if resp.Status != http.StatusOK {
		return page{}, a.refusal(resp)
	}
	return parsePage(k, resp.Body, metadataOnly)
}

// watch brings what happens to objects of k after version from, until the server
// ends it.
func (s *source) watch(ctx context.Context, c *follow.Copy, k kind, from uint64) error {
	h, err := s.header("application/json")
	if err != nil {
		return err
	}
	lasts := watchTime + rand.N(watchTime) // or the watches of a fleet would end together
	resp, err := s.client.Lines(ctx, httpnodes.Request{
		Path: s.path(k), Header: h, Long: silence, Limit: maxEvent,
		Query: url.Values{
			"watch": {"true"}, "resourceVersion": {strconv.FormatUint(from, 10)}, "labelSelector": {s.selector},
			"allowWatchBookmarks": {"true"}, "timeoutSeconds": {strconv.Itoa(int(lasts / time.Second))},
		},
	}, func(line []byte) error {
		if line == nil {
			return s.begun(c)
		}
		return s.happened(c, k, line)
	})
	if err == nil && resp.Status != http.StatusOK {
		return s.refusal(resp)
	}
	return err
}

// begun notes that one more watch has begun. With the last the copy is handed
// over: a copy that nobody keeps complete would be listed again and again.
func (s *source) begun(c *follow.Copy) (err error) {
	s.took(func() {
		if s.watched++; s.watched == len(s.kinds) {
			err = c.Replace(0, s.tree.all())
		}
	})
	return err
}

// happened takes one event.
func (s *source) happened(c *follow.Copy, k kind, line []byte) error {
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		return foreign("%v", err)
	}
	switch e.Type {
	case "ADDED", "MODIFIED", "DELETED":
		o, err := s.parse(k, e.Object)
		if err != nil {
			return err
		}
		return s.apply(c, o, e.Type == "DELETED")
	case "BOOKMARK":
		var m manifest
		if err := json.Unmarshal(e.Object, &m); err != nil {
			return foreign("%v", err)
		}
		version, err := versionOf(m.Metadata.ResourceVersion)
		if err != nil {
			return err
		}
		s.took(func() { s.version[k] = version })
		return nil
	case "ERROR":
		var v verdict
		if err := json.Unmarshal(e.Object, &v); err != nil || v.Kind != "Status" {
			return foreign("an error without a status")
		}
		return s.verdict(v)
	}
	return foreign("an event %.40q", e.Type)
}

// apply takes a change of one object. An object that loses the label is deleted
// as far as the watch is concerned.
func (s *source) apply(c *follow.Copy, o object, deleted bool) (err error) {
	var keys []string
	s.took(func() {
		if deleted {
			keys = s.tree.remove(o.ref)
		} else {
			keys, err = s.tree.put(o)
		}
		if s.version[o.ref.kind] = o.version; err != nil || s.watched < len(s.kinds) {
			return
		}
		var set []store.Entry
		var removed []string
		seen := map[string]bool{}
		for _, key := range keys {
			if seen[key] {
				continue
			}
			seen[key] = true
			if e, ok := s.tree.entry(key); ok {
				set = append(set, e)
			} else {
				removed = append(removed, key)
			}
		}
		// Within the lock: the other watch may hold the same key.
		err = c.Apply(0, set, removed)
	})
	s.conflicts(keys)
	return err
}

// took changes what mu guards and tells who waits for that.
func (s *source) took(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.moved)
	s.moved = make(chan struct{})
}

// maxConflicts bounds how many conflicts are remembered as told.
const maxConflicts = 1000

// conflicts tells of keys that several objects hold, each once; keys is nil for
// all of them.
func (s *source) conflicts(keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tell := func(key string, holders []ref) {
		if len(holders) < 2 {
			delete(s.told, key)
			return
		}
		if who := fmt.Sprint(holders); s.told[key] != who && len(s.told) < maxConflicts {
			s.told[key] = who
			s.log.Warn("several objects hold one key; the first is used", "key", key, "objects", who)
		}
	}
	if keys == nil {
		for key, holders := range s.tree.holders {
			tell(key, holders)
		}
		return
	}
	for _, key := range keys {
		tell(key, s.tree.holders[key])
	}
}

// errSetBack says that the server knows less than the copy.
var errSetBack = errors.New("the resource version has gone back")

// Ask implements [follow.Source]. It compares the copy with the names and
// versions that the server shows, and gives the watches the time to bring what is
// missing.
func (s *source) Ask(ctx context.Context) error {
	for _, k := range s.kinds {
		if err := s.ask(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

func (s *source) ask(ctx context.Context, k kind) error {
	s.mu.Lock()
	before := s.version[k]
	s.mu.Unlock()
	now, there, err := s.versions(ctx, k)
	if err != nil {
		return err
	}
	if now < before {
		return fmt.Errorf("%w: %w from %d to %d", store.ErrUnavailable, errSetBack, before, now)
	}
	for {
		s.mu.Lock()
		covered, moved := s.covers(k, now, there), s.moved
		s.mu.Unlock()
		if covered {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// versions returns the versions of all objects of k, and that of the list.
func (a api) versions(ctx context.Context, k kind) (version uint64, there map[ref]uint64, err error) {
	there = map[ref]uint64{}
	for more := ""; ; {
		p, err := a.page(ctx, k, pageSize, more, true)
		if err != nil {
			return 0, nil, err
		}
		for _, item := range p.items {
			o, err := a.parsePartial(k, item)
			if err != nil {
				return 0, nil, err
			}
			there[o.ref] = o.version
		}
		if more = p.more; more == "" {
			return p.version, there, nil
		}
		if len(there) > store.MaxEntries {
			return 0, nil, follow.Bound(len(there), 0)
		}
	}
}

// covers reports whether the copy holds every change of k up to now.
func (s *source) covers(k kind, now uint64, there map[ref]uint64) bool {
	if s.watched < len(s.kinds) {
		return false
	}
	if s.version[k] >= now {
		return true
	}
	n := 0
	for r, o := range s.tree.objects {
		if r.kind != k {
			continue
		}
		if n++; there[r] != o.version {
			return false
		}
	}
	return n == len(there)
}

// Close implements [follow.Source].
func (s *source) Close() error {
	s.client.Close()
	return nil
}
