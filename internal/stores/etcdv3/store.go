package etcdv3

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
)

// etcd is the store: a copy that a watch feeds, and the writes beside it.
type etcd struct {
	*follow.Store
	settings

	ctx     context.Context //nolint:containedctx // ends the writes when the store is closed
	stop    context.CancelFunc
	writing chan struct{} // holds the right to use writer
	writer  *clientv3.Client
}

func newStore(s settings, log *slog.Logger) *etcd {
	e := &etcd{settings: s, Store: follow.New("etcd", &source{settings: s}, log), writing: make(chan struct{}, 1)}
	e.ctx, e.stop = context.WithCancel(context.Background())
	return e
}

// Close implements [store.Store].
func (e *etcd) Close() error {
	e.stop()
	err := e.Store.Close()
	e.closeWriter()
	return err
}

// source feeds the copy.
type source struct {
	settings

	mu     sync.Mutex
	stream *stream // nil where nothing is followed
}

// Follow implements [follow.Source]: a list, and the watch that goes on from
// there until it breaks.
func (s *source) Follow(ctx context.Context, c *follow.Copy) error {
	cli, err := s.dial(ctx)
	if err != nil {
		return classify(ctx, err)
	}
	defer func() { _ = cli.Close() }() // of no more use, whatever it says
	err = classify(ctx, s.session(ctx, cli, c))
	if errors.Is(err, errAgain) {
		return nil
	}
	return err
}

func (s *source) session(ctx context.Context, cli *clientv3.Client, c *follow.Copy) error {
	rev, entries, err := list(ctx, cli.KV, s.prefix)
	if err != nil {
		return err
	}
	w, err := watch(ctx, cli, s.prefix, rev+1)
	if err != nil {
		return err
	}
	defer w.cancel()
	s.use(w)
	defer s.use(nil)
	if err := c.Replace(rev, entries); err != nil {
		return err
	}
	for {
		resp, err := w.Recv()
		if err == nil {
			err = ended(resp)
		}
		if err == nil && len(resp.Events) > 0 {
			err = apply(c, s.prefix, resp.Events)
		}
		if err != nil {
			return err
		}
		c.Heard()
		w.told()
	}
}

func (s *source) use(w *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stream = w
}

// errQuiet says that there is no watch that could be asked.
var errQuiet = errors.New("nothing is watched")

// Ask implements [follow.Source]. The server answers after every event that it
// has sent before.
func (s *source) Ask(ctx context.Context) error {
	s.mu.Lock()
	w := s.stream
	s.mu.Unlock()
	if w == nil {
		return errQuiet
	}
	next := w.next()
	if err := w.ask(); err != nil {
		return err
	}
	select {
	case <-next:
		return nil
	case <-w.Context().Done():
		return errQuiet
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close implements [follow.Source].
func (*source) Close() error { return nil }

// apply takes the events of a watch, which are whole revisions in order.
func apply(c *follow.Copy, prefix string, events []*mvccpb.Event) error {
	type change struct {
		entry store.Entry
		gone  bool
	}
	last := map[string]change{} // of several events of a key only the last one counts
	for _, ev := range events {
		e := entryOf(prefix, ev.Kv)
		last[e.Key] = change{e, ev.Type == mvccpb.Event_DELETE}
	}
	var set []store.Entry
	var removed []string
	for key, ch := range last {
		if ch.gone {
			removed = append(removed, key)
		} else {
			set = append(set, ch.entry)
		}
	}
	return c.Apply(events[len(events)-1].Kv.ModRevision, set, removed)
}

// entryOf returns the entry of kv. Of a value that is too large only its size is
// kept.
func entryOf(prefix string, kv *mvccpb.KeyValue) store.Entry {
	e := store.Entry{
		Key:      strings.TrimPrefix(string(kv.Key), prefix),
		Revision: store.Revision(strconv.FormatInt(kv.ModRevision, 10)),
	}
	if len(kv.Value) > store.MaxValue {
		e.TooLarge = len(kv.Value)
	} else {
		e.Value = string(kv.Value)
	}
	return e
}
