// Package etcd is a config store in etcd, by its v2 API: etcd 2 and 3.0 to 3.4,
// the latter with --enable-v2=true. Its keys are not those of the v3 API.
//
// The tree is listed by a read that a majority confirms, and followed by long
// polls from the index of that list: each brings one change. The API is small
// and is spoken as plain HTTP. The vendor's library for it answers from the
// member that it likes best, and hides which list a watch goes on from.
package etcd

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
	"datakit.dev/internal/store/httpnodes"
)

// Backend returns the etcd v2 store for the list of backends.
func Backend() store.Backend {
	return store.Backend{
		Name:  "etcd",
		Doc:   "etcd 2 to 3.4, by its v2 API (3.x with --enable-v2): watched, with fail-over between the nodes.",
		DocZH: "etcd 2 至 3.4（v2 API，3.x 需要 --enable-v2）：监听变更，节点间自动切换。",
		Spec: spec.Schema{Name: "confds", Fields: store.Pick("nodes", "scheme", "prefix", "basic_auth", "username", "password",
			"client_ca_keys", "client_cert", "client_key", "client_insecure")},
		Traits: store.Traits{Watches: true, Writes: true, CompareAndSet: true, Mirrors: true, OneInstant: true},
		Open:   func(o store.Options) (store.Store, error) { return open(o) },
	}
}

// etcd is the store.
type etcd struct {
	*follow.Store

	src  *source
	ctx  context.Context //nolint:containedctx // ends the writes when the store is closed
	stop context.CancelFunc
	busy sync.RWMutex // held for reading by every write
}

// source is the server side of it.
type source struct {
	client *httpnodes.Client
	root   string // "/datakit"
	login  string // the Authorization header, empty where there is no user
	hold   time.Duration
	index  atomic.Uint64 // that the copy is at
}

func open(o store.Options) (*etcd, error) {
	v := o.Values
	username, password := v.String("username"), v.String("password")
	if v.Bool("basic_auth") && (username == "" || password == "") {
		return nil, errors.New("basic_auth needs both username and password")
	}
	if strings.Contains(username, ":") {
		return nil, errors.New("username: a colon in it cannot be sent")
	}
	client, err := httpnodes.New("etcd", "2379", v)
	if err != nil {
		return nil, err
	}
	src := &source{client: client, root: o.Root, hold: defaultHold}
	if username != "" {
		src.login = "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
	}
	e := &etcd{Store: follow.New("etcd", src, o.Log), src: src}
	e.ctx, e.stop = context.WithCancel(context.Background())
	return e, nil
}

// Close implements [store.Store].
func (e *etcd) Close() error {
	e.stop()
	e.busy.Lock()
	defer e.busy.Unlock()
	return e.Store.Close()
}

// Close implements [follow.Source].
func (s *source) Close() error {
	s.client.Close()
	return nil
}

// request returns a call for what is below the root: "/" is the root itself, with
// the slash that a role for /datakit/* insists on.
func (s *source) request(method, below string, query url.Values) httpnodes.Request {
	r := httpnodes.Request{Method: method, Path: "/v2/keys" + escaped(s.root+below), Query: query, Header: http.Header{}}
	if s.login != "" {
		r.Header.Set("Authorization", s.login)
	}
	return r
}

// escaped returns a path with every part escaped.
func escaped(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}
