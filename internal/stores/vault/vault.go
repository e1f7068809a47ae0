// Package vault is a config store in the key-value engine, version 1 or 2, of
// HashiCorp Vault, OpenBao, or whatever else speaks their HTTP protocol.
//
// A path of Vault is a key of ours, as it stands: the root names a mount and the
// folder in it, "/secret/datakit" the folder datakit of the mount secret, and
// "/datakit" the whole mount datakit. Vault itself is asked, at each look, which
// mount holds the root and which version of the engine that is: a mount that was
// upgraded or taken away would otherwise look like one where every key is gone.
//
// Vault tells nobody of changes. A look lists the folders; with version 2 it
// then reads the metadata of each key, and the secrets only of those whose
// version has moved.
//
// It is plain HTTP: what is needed are four requests, while the vendor's client
// brings retries, environment variables and a token file of its own.
package vault

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
	"datakit.dev/internal/store/poll"
)

const (
	name        = "vault"
	defaultPort = "8200"
)

// Backend returns the Vault store for the list of backends.
func Backend() store.Backend {
	return store.Backend{
		Name:  name,
		Doc:   "HashiCorp Vault and OpenBao, key-value engine version 1 or 2: polled, only what changed is read.",
		DocZH: "HashiCorp Vault 与 OpenBao 的 KV 引擎（v1 或 v2）：轮询，只读取有变化的密钥。",
		Spec: spec.Schema{Name: "confds", Fields: store.Pick("nodes", "scheme", "prefix", "circle_interval",
			"auth_type", "auth_token", "basic_auth", "username", "password", "role_id", "secret_id", "app_id", "user_id", "role", "path", "file",
			"client_ca_keys", "client_cert", "client_key", "client_insecure")},
		// Version 1 of the engine has no compare-and-set: there a write is checked
		// first, which documentation and tests say.
		Traits: store.Traits{Writes: true, CompareAndSet: true},
		Open:   func(o store.Options) (store.Store, error) { return open(o) },
	}
}

// vault is the store. Reads go through the poll.Store, writes beside it.
type vault struct {
	*poll.Store

	nodes *httpnodes.Client
	login *session
	tree  *tree

	ctx   context.Context //nolint:containedctx // ends the writes when the store is closed
	stop  context.CancelFunc
	mu    sync.Mutex
	calls sync.WaitGroup // the writes that run
}

func open(o store.Options) (*vault, error) {
	method, err := methodOf(o.Values)
	if err != nil {
		return nil, err
	}
	nodes, err := httpnodes.New(name, defaultPort, o.Values)
	if err != nil {
		return nil, err
	}
	if err := checkRoot(o.Root); err != nil {
		return nil, err
	}
	if method.name == "cert" && slices.ContainsFunc(nodes.Nodes(), func(n string) bool { return strings.HasPrefix(n, "http:") }) {
		return nil, errors.New("auth_type cert shows a certificate, for which nodes have to be https")
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	every := poll.Every(o.Values)
	v := &vault{nodes: nodes, login: newSession(&api{nodes}, method, every, log)}
	v.tree = &tree{server: v.login, root: o.Root[1:]}
	v.ctx, v.stop = context.WithCancel(context.Background())
	v.Store = poll.New(poll.Options{Name: name, Every: every, Read: v.tree.read, Log: log})
	return v, nil
}

// farewell is how long a server may take to revoke our token.
const farewell = time.Second

// Close implements [store.Store]. The token of a login is given back, so that
// the leases of agents that come and go do not pile up on the server.
func (v *vault) Close() error {
	v.mu.Lock()
	v.stop()
	v.mu.Unlock()
	err := v.Store.Close()
	v.calls.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	v.login.revoke(ctx)
	v.nodes.Close()
	return err
}

// begin returns the context of one write, which the store's end ends, too.
func (v *vault) begin(ctx context.Context) (inner context.Context, end func(), err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ctx.Err() != nil {
		return nil, nil, store.ErrClosed
	}
	v.calls.Add(1)
	inner, cancel := context.WithCancel(ctx)
	undo := context.AfterFunc(v.ctx, cancel)
	return inner, func() {
		undo()
		cancel()
		v.calls.Done()
	}, nil
}

// why tells the end of the store from that of the caller.
func (v *vault) why(ctx context.Context, err error) error {
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case v.ctx.Err() != nil:
		return store.ErrClosed
	}
	return err
}
