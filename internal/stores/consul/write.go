package consul

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
)

// Put implements [store.Writer].
func (k *kv) Put(ctx context.Context, key, value string, cond store.Cond) (store.Revision, error) {
	err := store.CheckPut(key, value)
	if err != nil {
		return "", fmt.Errorf("put: %w", err)
	}
	var rev store.Revision
	err = k.write(ctx, func(ctx context.Context) error {
		rev, err = k.api.put(ctx, key, value, cond)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	return rev, nil
}

// Delete implements [store.Writer].
func (k *kv) Delete(ctx context.Context, key string, cond store.Cond) error {
	if err := store.CheckKey(key); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	err := k.write(ctx, func(ctx context.Context) error { return k.api.remove(ctx, key, cond) })
	if err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// write calls f with a context that also ends when the store is closed.
func (k *kv) write(ctx context.Context, f func(context.Context) error) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(k.ctx, cancel)() //nolint:contextcheck // the store ends its writes, too
	if k.ctx.Err() != nil {
		return store.ErrClosed
	}
	err := f(inner)
	if err != nil && ctx.Err() == nil && k.ctx.Err() != nil {
		return store.ErrClosed
	}
	return err
}

func (a api) put(ctx context.Context, key, value string, cond store.Cond) (store.Revision, error) {
	q, err := casOf(cond)
	if err != nil {
		return "", err
	}
	done, err := a.change(ctx, httpnodes.Request{Method: http.MethodPut, Path: path(a.root + key), Query: q, Body: []byte(value)})
	if err != nil {
		return "", err
	}
	if !done {
		return "", store.ErrConflict
	}
	// The answer does not tell the revision.
	now, found, err := a.one(ctx, key)
	if err != nil {
		return "", fmt.Errorf("it is written, but cannot be read: %w", err)
	}
	if !found || string(now.Value) != value {
		return "", fmt.Errorf("it is written, and then somebody else has written it: %w", store.ErrConflict)
	}
	return revisionOf(now), nil
}

func (a api) remove(ctx context.Context, key string, cond store.Cond) error {
	q, err := casOf(cond)
	if err != nil {
		return err
	}
	// Consul deletes what is not there without a word.
	now, found, err := a.one(ctx, key)
	switch {
	case err != nil:
		return err
	case !found:
		return store.ErrNotFound
	case cond.Absent, cond.Revision != "" && cond.Revision != revisionOf(now):
		return store.ErrConflict
	}
	done, err := a.change(ctx, httpnodes.Request{Method: http.MethodDelete, Path: path(a.root + key), Query: q})
	if err == nil && !done {
		return store.ErrConflict
	}
	return err
}

// casOf is cond as Consul checks it: the index that wrote the key last, 0 where
// there may be none.
func casOf(cond store.Cond) (url.Values, error) {
	switch {
	case cond == store.Cond{}:
		return nil, nil
	case cond.Absent && cond.Revision != "":
		return nil, store.ErrConflict
	case cond.Absent:
		return url.Values{"cas": {"0"}}, nil
	}
	index, err := strconv.ParseUint(string(cond.Revision), 10, 64)
	if err != nil || index == 0 {
		return nil, fmt.Errorf("%w: %q is no revision of Consul", store.ErrConflict, cond.Revision)
	}
	return url.Values{"cas": {strconv.FormatUint(index, 10)}}, nil
}

// change sends a write and reports whether its condition held.
func (a api) change(ctx context.Context, r httpnodes.Request) (bool, error) {
	r.Header = a.header
	resp, err := a.client.Do(ctx, r)
	if err != nil {
		return false, err
	}
	said := string(bytes.TrimSpace(resp.Body))
	switch {
	case resp.Status != http.StatusOK:
		return false, a.refusal(resp)
	case said != "true" && said != "false":
		return false, fmt.Errorf("%w: %w", store.ErrUnavailable, errForeign)
	}
	return said == "true", nil
}

// one returns a key as the leader has it.
func (a api) one(ctx context.Context, key string) (p pair, found bool, err error) {
	resp, err := a.get(ctx, httpnodes.Request{Path: path(a.root + key), Query: url.Values{"consistent": {""}}})
	if err == nil {
		_, err = indexOf(resp.Header)
	}
	if err != nil || resp.Status == http.StatusNotFound {
		return pair{}, false, err
	}
	var out []pair
	if err := json.Unmarshal(resp.Body, &out); err != nil || len(out) != 1 {
		return pair{}, false, fmt.Errorf("%w: %w", store.ErrUnavailable, errForeign)
	}
	return out[0], true, nil
}
