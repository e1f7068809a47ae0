package etcdv3

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
)

const (
	firstPage  = 1000 // keys asked for at once, fewer where the values are large
	maxRelists = 5    // lists that a compaction may interrupt
)

// list returns the whole tree at one revision.
func list(ctx context.Context, kv clientv3.KV, prefix string) (int64, map[string]store.Entry, error) {
	for try := 1; ; try++ {
		rev, entries, err := listOnce(ctx, kv, prefix)
		if !errors.Is(err, rpctypes.ErrCompacted) || try == maxRelists {
			return rev, entries, err
		}
	}
}

// listOnce lists page by page, every page at the revision of the first.
func listOnce(ctx context.Context, kv clientv3.KV, prefix string) (int64, map[string]store.Entry, error) {
	entries, rev, size, page := map[string]store.Entry{}, int64(0), 0, int64(firstPage)
	from, end := prefix, clientv3.GetPrefixRangeEnd(prefix)
	for {
		resp, err := get(ctx, kv, from, clientv3.WithRange(end), clientv3.WithLimit(page), clientv3.WithRev(rev))
		if status.Code(err) == codes.ResourceExhausted && page > 1 {
			page = max(page/8, 1) // large values: the answer did not fit
			continue
		}
		if err != nil {
			return 0, nil, err
		}
		if rev == 0 {
			rev = resp.Header.Revision
		}
		for _, kv := range resp.Kvs {
			e := entryOf(prefix, kv)
			entries[e.Key] = e
			size += len(e.Key) + len(e.Value)
		}
		if err := follow.Bound(len(entries), size); err != nil {
			return 0, nil, err
		}
		if !resp.More || len(resp.Kvs) == 0 {
			return rev, entries, nil
		}
		from = string(resp.Kvs[len(resp.Kvs)-1].Key) + "\x00"
	}
}

func get(ctx context.Context, kv clientv3.KV, key string, o ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return kv.Get(ctx, key, o...)
}

// A stream is one watch. The client's own watcher is not used: it reconnects in
// silence, and a server that lost its data or went back in time would never be
// noticed.
type stream struct {
	etcdserverpb.Watch_WatchClient
	cancel  context.CancelFunc
	sending sync.Mutex

	mu   sync.Mutex
	wait chan struct{} // closed at the next message
}

// next returns a channel that is closed at the next message.
func (s *stream) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wait == nil {
		s.wait = make(chan struct{})
	}
	return s.wait
}

// told notes that a message came.
func (s *stream) told() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wait != nil {
		close(s.wait)
		s.wait = nil
	}
}

// watch watches prefix from rev on, and returns once the server says that it does.
func watch(ctx context.Context, cli *clientv3.Client, prefix string, rev int64) (*stream, error) {
	// Without a leader required, a member that is cut off from the others would
	// just be quiet.
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	late := time.AfterFunc(callTimeout, cancel)
	w, err := etcdserverpb.NewWatchClient(cli.ActiveConnection()).Watch(ctx, grpc.MaxCallRecvMsgSize(maxReceive))
	if err != nil {
		cancel()
		return nil, err
	}
	s := &stream{Watch_WatchClient: w, cancel: cancel}
	err = s.send(&etcdserverpb.WatchRequest{RequestUnion: &etcdserverpb.WatchRequest_CreateRequest{
		CreateRequest: &etcdserverpb.WatchCreateRequest{
			Key: []byte(prefix), RangeEnd: []byte(clientv3.GetPrefixRangeEnd(prefix)), StartRevision: rev,
		},
	}})
	var resp *etcdserverpb.WatchResponse
	if err == nil {
		resp, err = s.Recv()
	}
	if !late.Stop() && err != nil {
		err = fmt.Errorf("%w: no node watches in time", store.ErrUnavailable)
	}
	if err == nil {
		err = ended(resp)
	}
	if err != nil {
		cancel()
		return nil, err
	}
	return s, nil
}

// ask makes the server say something, as a sign of life. It costs no read.
func (s *stream) ask() error {
	return s.send(&etcdserverpb.WatchRequest{RequestUnion: &etcdserverpb.WatchRequest_ProgressRequest{
		ProgressRequest: &etcdserverpb.WatchProgressRequest{},
	}})
}

func (s *stream) send(r *etcdserverpb.WatchRequest) error {
	s.sending.Lock()
	defer s.sending.Unlock()
	return s.Send(r)
}

// ended returns why the server has ended the watch, nil where it has not.
func ended(resp *etcdserverpb.WatchResponse) error {
	switch {
	case resp.CompactRevision != 0:
		return fmt.Errorf("%w: the revisions up to %d are compacted", errAgain, resp.CompactRevision)
	case resp.Canceled && resp.CancelReason != "":
		return errors.New(resp.CancelReason)
	case resp.Canceled:
		return fmt.Errorf("%w: the server has ended it", errAgain)
	}
	return nil
}
