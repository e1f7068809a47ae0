// Package etcdv3 is a config store in etcd, by its v3 API.
//
// A store lists the tree once and keeps that copy complete by a watch from the
// listed revision; see package follow.
package etcdv3

import (
	"errors"
	"fmt"
	"net/url"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
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
	endpoints, err := httpnodes.Endpoints("etcdv3", "2379", v)
	if err != nil {
		return s, err
	}
	for i, endpoint := range endpoints {
		u, err := url.Parse(endpoint)
		if err != nil || u.Path != "" {
			return s, fmt.Errorf("nodes: number %d: expected host:port or a URL without a path", i+1)
		}
		secure := u.Scheme == "https"
		if i > 0 && secure != s.secure {
			return s, errors.New("nodes: all have to be http, or all https")
		}
		s.secure = secure
	}
	s.endpoints = endpoints
	return s, nil
}

func open(o store.Options) (*etcd, error) {
	s, err := parse(o)
	if err != nil {
		return nil, err
	}
	return newStore(s, o.Log), nil
}
