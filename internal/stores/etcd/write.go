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
	"unicode/utf8"

	"datakit.dev/internal/store"
)

// Put implements [store.Writer].
func (e *etcd) Put(ctx context.Context, key, value string, cond store.Cond) (store.Revision, error) {
	if err := checkPut(key, value); err != nil {
		return "", fmt.Errorf("put: %w", err)
	}
	q, err := query(cond)
	if err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	q.Set("value", value)
	body, err := e.write(ctx, http.MethodPut, key, nil, q)
	switch {
	case is(err, codeCompare), is(err, codeExists), is(err, codeNotFound):
		return "", fmt.Errorf("put %s: %w", key, store.ErrConflict)
	case err != nil:
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	var ev event
	if err := json.Unmarshal(body, &ev); err != nil || ev.Node.ModifiedIndex == 0 {
		return "", fmt.Errorf("put %s: %w: %w; it may be written", key, store.ErrUnavailable, errAnswer)
	}
	return revisionOf(ev.Node.ModifiedIndex), nil
}

// Delete implements [store.Writer].
func (e *etcd) Delete(ctx context.Context, key string, cond store.Cond) error {
	if err := store.CheckKey(key); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	if cond.Absent {
		return fmt.Errorf("delete %s: %w", key, store.ErrConflict)
	}
	q, err := query(cond)
	if err == nil {
		_, err = e.write(ctx, http.MethodDelete, key, q, nil)
	}
	switch {
	case is(err, codeNotFound), is(err, codeNotFile), is(err, codeNotDirectory):
		return fmt.Errorf("delete %s: %w", key, store.ErrNotFound)
	case is(err, codeCompare):
		return fmt.Errorf("delete %s: %w", key, store.ErrConflict)
	case err != nil:
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// checkPut refuses what could be written but never be read back: names that the
// server hides, and bytes for which its JSON has no room.
func checkPut(key, value string) error {
	if err := store.CheckPut(key, value); err != nil {
		return err
	}
	if strings.HasPrefix(key, "_") || strings.Contains(key, "/_") {
		return fmt.Errorf("key %q: etcd's v2 API hides what begins with _", key)
	}
	if !utf8.ValidString(value) {
		return fmt.Errorf("key %q: the value is no UTF-8, and etcd's v2 API holds only text", key)
	}
	return nil
}

// query returns cond as the server takes it. It takes the index 0 for no
// condition at all, so such a one must not get there.
func query(cond store.Cond) (url.Values, error) {
	q := url.Values{}
	if cond.Absent {
		q.Set("prevExist", "false")
	}
	if cond.Revision == "" {
		return q, nil
	}
	index, err := strconv.ParseUint(string(cond.Revision), 10, 64)
	if err != nil || index == 0 || cond.Absent {
		return nil, fmt.Errorf("%w: %q is no revision that the key can have", store.ErrConflict, cond.Revision)
	}
	q.Set("prevIndex", strconv.FormatUint(index, 10))
	return q, nil
}

// write sends one write, which ends with the store at the latest.
func (e *etcd) write(ctx context.Context, method, key string, query, form url.Values) ([]byte, error) {
	e.busy.RLock()
	defer e.busy.RUnlock()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.ctx, cancel)() //nolint:contextcheck // the store ends its writes, too
	r := e.src.request(method, "/"+key, query)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Body = []byte(form.Encode())
	}
	resp, err := e.src.client.Do(inner, r)
	switch {
	case err != nil && e.ctx.Err() != nil:
		return nil, store.ErrClosed
	case errors.Is(err, store.ErrUnavailable):
		return nil, fmt.Errorf("%w; the write may still happen", err)
	case err != nil:
		return nil, err
	}
	return resp.Body, refused(resp)
}
