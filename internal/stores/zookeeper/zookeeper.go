// Package zookeeper is a config store in Apache ZooKeeper.
//
// A store reads the tree once and sets a data and a child watch on each node as
// it reads it, so that a change costs one small read of the node that changed.
// Watches fire once, and are set again by that read; they end with the
// connection, so every lost connection ends in a new session and a new list. A
// session is never resumed: a server that was restored from a backup refuses one
// that has seen a later transaction, for ever.
//
// A tree is published only when no watch has fired since its last node was read:
// the server tells a client of a change before any later answer, so all nodes
// then had the values that were read at the instant of the last answer.
//
// What the client library is not trusted with is done around it: it takes
// lengths from the server unchecked, and a wrong one would end the agent; the
// guard on its connection lets through only answers that it can decode.
package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
	"datakit.dev/internal/store/httpnodes"
	"datakit.dev/internal/tlsconf"
)

// Backend returns the ZooKeeper store for the list of backends.
func Backend() store.Backend {
	return store.Backend{
		Name:    "zookeeper",
		Aliases: []string{"zk"},
		Doc:     "Apache ZooKeeper 3.4 and later: watched, with fail-over between the nodes.",
		DocZH:   "Apache ZooKeeper 3.4 及以上：监听变更，节点间自动切换。",
		Spec: spec.Schema{Name: "confds", Fields: store.Pick("nodes", "scheme", "prefix", "basic_auth", "username", "password",
			"client_ca_keys", "client_cert", "client_key", "client_insecure")},
		Traits: store.Traits{Watches: true, Writes: true, CompareAndSet: true, Mirrors: true, OneInstant: true, MaxValue: maxValue},
		Open:   func(o store.Options) (store.Store, error) { return open(o) },
	}
}

// settings is what the options say.
type settings struct {
	nodes  []string // host:port
	login  []byte   // user:password, as the digest scheme wants it; empty without a login
	tls    tlsconf.Options
	secure bool
	root   string // "/datakit"
}

func parse(o store.Options) (s settings, err error) {
	v := o.Values
	s = settings{tls: tlsconf.FromValues(v), root: o.Root}
	if s.login, err = loginOf(v); err != nil {
		return s, err
	}
	if err := s.tls.Check(); err != nil {
		return s, err
	}
	if err := checkRoot(s.root); err != nil {
		return s, err
	}
	endpoints, err := httpnodes.Endpoints("zookeeper", "2181", v)
	if err != nil {
		return s, err
	}
	for i, endpoint := range endpoints {
		u, err := url.Parse(endpoint)
		if err != nil || u.Path != "" {
			return s, fmt.Errorf("nodes: number %d: expected host:port; the root of the keys goes into prefix", i+1)
		}
		secure := u.Scheme == "https"
		if i > 0 && secure != s.secure {
			return s, errors.New("nodes: all have to be http, or all https")
		}
		s.secure = secure
		s.nodes = append(s.nodes, u.Host)
	}
	return s, nil
}

// loginOf returns user:password, empty without a login.
func loginOf(v spec.Values) ([]byte, error) {
	user, password := v.String("username"), v.String("password")
	switch {
	case user == "" && password == "" && !v.Bool("basic_auth"):
		return nil, nil
	case user == "" || password == "":
		return nil, errors.New("a login needs both username and password")
	case strings.Contains(user, ":"):
		return nil, errors.New("username: ZooKeeper takes no colon in a name")
	}
	return []byte(user + ":" + password), nil
}

// zookeeper is the store: the followed copy, and the writer beside it.
type zookeeper struct {
	*follow.Store
	*writer
}

func open(o store.Options) (*zookeeper, error) {
	s, err := parse(o)
	if err != nil {
		return nil, err
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &zookeeper{follow.New("zookeeper", &source{ensemble: newEnsemble(s), asks: make(chan chan<- error)}, log), newWriter(s)}, nil
}

// Close implements [store.Store].
func (z *zookeeper) Close() error {
	z.stop() // a write that waits for its server must not hold up the rest
	err := z.Store.Close()
	z.close()
	return err
}

// within bounds a call by the life of the store and by callTimeout.
func within(ctx, life context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	stop := context.AfterFunc(life, cancel)
	return ctx, func() { stop(); cancel() }
}
