// Package etcdv3 is a config store in etcd, by its v3 API.
//
// A store lists the tree once and keeps that copy complete by a watch from the
// listed revision, so that a change costs a large fleet no read. The copy is
// answered from only while the watch is known to be alive; otherwise the tree
// is listed again, or the read fails. Every broken watch ends in a new list: a
// server that was restored from a backup has an older revision, at which a
// resumed watch would stay silent for ever.
package etcdv3

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/tlsconf"
)

// Backend returns the etcd v3 store for the list of backends.
func Backend() store.Backend {
	return store.Backend{
		Name:  "etcdv3",
		Doc:   "etcd 3.4 and later, by its v3 API: watched, with fail-over between the nodes.",
		DocZH: "etcd 3.4 及以上（v3 API）：监听变更，节点间自动切换。",
		Spec: spec.Schema{Name: "confds", Fields: store.Pick("nodes", "scheme", "prefix", "basic_auth", "username", "password",
			"client_ca_keys", "client_cert", "client_key", "client_insecure")},
		Traits: store.Traits{Watches: true, Writes: true, CompareAndSet: true, Mirrors: true, OneInstant: true},
		Open:   func(o store.Options) (store.Store, error) { return open(o) },
	}
}

// settings is what the options say.
type settings struct {
	endpoints          []string
	username, password string
	tls                tlsconf.Options
	secure             bool   // the endpoints are https
	prefix             string // of every key, with its trailing slash
}

func parse(o store.Options) (settings, error) {
	v := o.Values
	s := settings{
		username: v.String("username"), password: v.String("password"),
		tls: tlsconf.FromValues(v), prefix: o.Root + "/",
	}
	if v.Bool("basic_auth") && (s.username == "" || s.password == "") {
		return s, errors.New("basic_auth needs both username and password")
	}
	if err := s.tls.Check(); err != nil {
		return s, err
	}
	scheme := v.String("scheme")
	if scheme == "" {
		scheme = "http"
		if s.tls.Set() {
			scheme = "https"
		}
	}
	for i, node := range v.Strings("nodes") {
		endpoint, err := endpointOf(node, scheme)
		if err != nil {
			return s, fmt.Errorf("nodes: number %d: %w", i+1, err)
		}
		secure := strings.HasPrefix(endpoint, "https://")
		if i > 0 && secure != s.secure {
			return s, errors.New("nodes: all have to be http, or all https")
		}
		s.secure = secure
		s.endpoints = append(s.endpoints, endpoint)
	}
	if len(s.endpoints) == 0 {
		return s, errors.New(`backend "etcdv3" needs nodes, such as ["127.0.0.1:2379"]`)
	}
	return s, nil
}

// endpointOf returns the URL of a node. Its errors do not repeat the node, which
// may hold a password.
func endpointOf(node, scheme string) (string, error) {
	if !strings.Contains(node, "://") {
		node = scheme + "://" + node
	}
	u, err := url.Parse(node)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return "", errors.New("expected host:port or a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return "", fmt.Errorf("the scheme is %q, expected http or https", u.Scheme)
	case u.User != nil:
		return "", errors.New("write the user into username and password, not into the address")
	}
	if u.Port() == "" {
		u.Host += ":2379"
	}
	return u.Scheme + "://" + u.Host, nil
}

func open(o store.Options) (*etcd, error) {
	s, err := parse(o)
	if err != nil {
		return nil, err
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return newStore(s, log), nil
}
