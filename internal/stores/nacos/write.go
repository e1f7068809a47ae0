package nacos

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
)

// writeTimeout bounds a write with what has to be read before.
const writeTimeout = 20 * time.Second

// Put implements [store.Writer].
func (s *nacos) Put(ctx context.Context, key, value string, cond store.Cond) (store.Revision, error) {
	n, i, err := place(s.spaces, key)
	if err == nil {
		err = checkValue(key, value)
	}
	if err != nil {
		return "", fmt.Errorf("put: %w", err)
	}
	err = s.write(ctx, func(ctx context.Context) error {
		if cond != (store.Cond{}) {
			if _, err := s.holds(ctx, n, i, cond); err != nil {
				return err
			}
		}
		form := url.Values{"tenant": {n.tenant}, "group": {i.group}, "dataId": {i.dataID}, "content": {value}}
		return s.server.do(ctx, httpnodes.Request{
			Method: http.MethodPost, Path: configsPath, Header: formHeader(), Body: []byte(form.Encode()),
		})
	})
	if err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	return store.Revision(checksum(value)), nil
}

// Delete implements [store.Writer].
func (s *nacos) Delete(ctx context.Context, key string, cond store.Cond) error {
	n, i, err := place(s.spaces, key)
	if err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	err = s.write(ctx, func(ctx context.Context) error {
		exists, err := s.holds(ctx, n, i, cond)
		switch {
		case !exists && (err == nil || errors.Is(err, store.ErrConflict)): // Nacos would say that all is well
			return store.ErrNotFound
		case err != nil:
			return err
		}
		return s.server.do(ctx, httpnodes.Request{
			Method: http.MethodDelete, Path: configsPath, Query: url.Values{"tenant": {n.tenant}, "group": {i.group}, "dataId": {i.dataID}},
		})
	})
	if err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// holds checks a condition, and reports whether there is such a configuration.
// Nacos compares nothing itself when it is written by HTTP, so a write by
// somebody else in between is not seen.
func (s *nacos) holds(ctx context.Context, n namespace, i id, cond store.Cond) (exists bool, err error) {
	found, exists, err := s.server.one(ctx, n, i)
	switch {
	case err != nil:
		return false, err
	case cond.Absent && exists, cond.Revision != "" && (!exists || store.Revision(found.md5) != cond.Revision):
		return exists, store.ErrConflict
	}
	return exists, nil
}

// write runs f in time, and only while the store is open.
func (s *nacos) write(ctx context.Context, f func(context.Context) error) error {
	if s.ctx.Err() != nil {
		return store.ErrClosed
	}
	inner, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)() //nolint:contextcheck // the store ends its writes, too
	err := f(inner)
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case s.ctx.Err() != nil:
		return store.ErrClosed
	case inner.Err() != nil:
		return fmt.Errorf("%w: no node answers in time; the write may still happen", store.ErrUnavailable)
	}
	return err
}

// do sends a write, which the server answers with true.
func (s *server) do(ctx context.Context, r httpnodes.Request) error {
	r.Limit = maxSmall
	resp, err := s.call(ctx, r)
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(resp.Body)) != "true" {
		return fmt.Errorf("%w: the server did not do it: %s", store.ErrUnavailable, s.said(resp.Body, ""))
	}
	return nil
}
