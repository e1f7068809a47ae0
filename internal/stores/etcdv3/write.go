package etcdv3

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	clientv3 "go.etcd.io/etcd/client/v3"

	"datakit.dev/internal/store"
)

// Put implements [store.Writer].
func (e *etcd) Put(ctx context.Context, key, value string, cond store.Cond) (store.Revision, error) {
	if err := store.CheckPut(key, value); err != nil {
		return "", fmt.Errorf("put: %w", err)
	}
	resp, err := e.write(ctx, key, cond, clientv3.OpPut(e.prefix+key, value))
	if err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	if !resp.Succeeded {
		return "", fmt.Errorf("put %s: %w", key, store.ErrConflict)
	}
	return store.Revision(strconv.FormatInt(resp.Header.Revision, 10)), nil
}

// Delete implements [store.Writer].
func (e *etcd) Delete(ctx context.Context, key string, cond store.Cond) error {
	if err := store.CheckKey(key); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	resp, err := e.write(ctx, key, cond, clientv3.OpDelete(e.prefix+key))
	switch {
	case err != nil:
		return fmt.Errorf("delete %s: %w", key, err)
	case resp.Succeeded && resp.Responses[0].GetResponseDeleteRange().Deleted == 0,
		!resp.Succeeded && resp.Responses[0].GetResponseRange().Count == 0:
		return fmt.Errorf("delete %s: %w", key, store.ErrNotFound)
	case !resp.Succeeded:
		return fmt.Errorf("delete %s: %w", key, store.ErrConflict)
	}
	return nil
}

// write does op if cond holds, and otherwise counts whether key is there.
func (e *etcd) write(ctx context.Context, key string, cond store.Cond, op clientv3.Op) (*clientv3.TxnResponse, error) {
	key = e.prefix + key
	var compare []clientv3.Cmp
	if cond.Absent {
		compare = append(compare, clientv3.Compare(clientv3.CreateRevision(key), "=", 0))
	}
	if cond.Revision != "" {
		rev, err := strconv.ParseInt(string(cond.Revision), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%w: %q is no revision of etcd", store.ErrConflict, cond.Revision)
		}
		compare = append(compare, clientv3.Compare(clientv3.ModRevision(key), "=", rev))
	}
	select {
	case e.writing <- struct{}{}:
		defer func() { <-e.writing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	defer context.AfterFunc(e.ctx, cancel)() //nolint:contextcheck // the store ends its writes, too
	txn := func() (*clientv3.TxnResponse, error) {
		cli, err := e.writeClient()
		if err != nil {
			return nil, err
		}
		return cli.Txn(ctx).If(compare...).Then(op).Else(clientv3.OpGet(key, clientv3.WithCountOnly())).Commit()
	}
	resp, err := txn()
	if errors.Is(err, errToken) {
		e.dropWriter()
		resp, err = txn()
	}
	if err != nil {
		return nil, e.writeError(ctx, err)
	}
	return resp, nil
}

func (e *etcd) writeError(ctx context.Context, err error) error {
	switch {
	case e.ctx.Err() != nil:
		return store.ErrClosed
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%w: no node answers in time; the write may still happen", store.ErrUnavailable)
	}
	return classify(ctx, err)
}

// writeClient returns the client for writes, which stays open between them. It
// is called with the right to write.
func (e *etcd) writeClient() (*clientv3.Client, error) {
	if err := e.ctx.Err(); err != nil {
		return nil, err
	}
	if e.writer == nil {
		cli, err := e.dial(e.ctx)
		if err != nil {
			return nil, err
		}
		e.writer = cli
	}
	return e.writer, nil
}

func (e *etcd) closeWriter() {
	e.writing <- struct{}{}
	defer func() { <-e.writing }()
	e.dropWriter()
}

// dropWriter is called with the right to write.
func (e *etcd) dropWriter() {
	if e.writer != nil {
		_ = e.writer.Close() // its connection is of no more use, whatever it says
		e.writer = nil
	}
}
