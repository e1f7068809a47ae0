// Package consul is a config store in the key-value store of Consul.
//
// It speaks plain HTTP, of which it needs five requests: the vendor's library
// brings more than the rest of the agent's stores together weighs, and decides on
// its own about retries and time limits.
//
// One blocking query on the root answers with the whole tree, at one instant, as
// soon as a key below it changes. So a change costs an agent one answer, no
// answer ever has to be put together with another, and whatever goes wrong is
// right again with the next one.
package consul

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
	"datakit.dev/internal/store/httpnodes"
)

const (
	// defaultWait is how long a blocking query may be held. Each that ends brings
	// the whole tree once more, so that less costs a large fleet traffic for
	// nothing; more is cut by the idle limits of networks on the way.
	defaultWait = 55 * time.Second
	// maxServerValue is what Consul takes unless its kv_max_value_size says more.
	maxServerValue = 512 << 10
)

// Backend returns the Consul store for the list of backends.
func Backend() store.Backend {
	return store.Backend{
		Name:  "consul",
		Doc:   "Consul 1.11 and later, its key-value store: watched by blocking queries, with fail-over between the nodes.",
		DocZH: "Consul 1.11 及以上的 KV 存储：通过阻塞查询监听变更，节点间自动切换。",
		Spec: spec.Schema{Name: "confds", Fields: store.Pick("nodes", "scheme", "prefix", "basic_auth", "username", "password", "auth_token",
			"client_ca_keys", "client_cert", "client_key", "client_insecure")},
		Traits: store.Traits{Watches: true, Writes: true, CompareAndSet: true, Mirrors: true, OneInstant: true, MaxValue: maxServerValue},
		Open: func(o store.Options) (store.Store, error) {
			k, err := open(o, defaultWait)
			if err != nil {
				return nil, err
			}
			return k, nil
		},
	}
}

// A kv is the store.
type kv struct {
	*follow.Store

	api api
	ctx context.Context //nolint:containedctx // ends the writes when the store is closed
	end context.CancelFunc
}

func open(o store.Options, wait time.Duration) (*kv, error) {
	a, err := newAPI(o)
	if err != nil {
		return nil, err
	}
	k := &kv{api: a, Store: follow.New("consul", newSource(a, wait), o.Log)}
	k.ctx, k.end = context.WithCancel(context.Background())
	return k, nil
}

// Close implements [store.Store].
func (k *kv) Close() error {
	k.end()
	return k.Store.Close()
}

// An api sends the requests.
type api struct {
	client  *httpnodes.Client
	root    string // of every key, with its trailing slash and no leading one
	header  http.Header
	secrets []string // that no text of a server may carry into ours
}

func newAPI(o store.Options) (api, error) {
	a := api{root: strings.TrimPrefix(o.Root, "/") + "/", header: http.Header{}}
	if err := store.CheckKey(strings.TrimSuffix(a.root, "/")); err != nil {
		return a, fmt.Errorf("prefix: %w", err)
	}
	v := o.Values
	user, password, token := v.String("username"), v.String("password"), strings.TrimSpace(v.String("auth_token"))
	switch {
	case v.Bool("basic_auth") && (user == "" || password == ""):
		return a, errors.New("basic_auth needs both username and password")
	case strings.Contains(user, ":"):
		return a, errors.New("username: HTTP takes no colon in it")
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return a, errors.New("auth_token: expected letters, digits and dashes")
	}
	if user != "" {
		login := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
		a.header.Set("Authorization", "Basic "+login)
		a.secrets = append(a.secrets, login, password)
	}
	if token != "" {
		a.header.Set("X-Consul-Token", token)
		a.secrets = append(a.secrets, token)
	}
	var err error
	a.client, err = httpnodes.New("consul", "8500", v)
	return a, err
}
