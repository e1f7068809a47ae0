// Package nacos is a config store in Nacos, by its HTTP API of version 1, which
// Nacos 1 and 2 and r-nacos have.
//
// Nacos has no tree: a namespace holds configurations, each named by a group and
// a data id. One namespace holds the inputs and one the scripts, so that the
// configuration cpu.conf of group web is the key confd/web/cpu.conf, and cpu.p of
// group metric is pipeline/metric/cpu.p.
//
// A new value and a removal are pushed: the server is asked to hold its answer
// until the checksum of a configuration is no longer the one we have. Only what
// one knows can be asked for in this way, so new configurations are looked for by
// their number, every second or so.
package nacos

import (
	"context"
	"errors"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
	"datakit.dev/internal/store/httpnodes"
	"datakit.dev/internal/store/poll"
)

// Backend returns the Nacos store for the list of backends.
func Backend() store.Backend {
	return store.Backend{
		Name:  "nacos",
		Doc:   "Nacos 1 and 2, and r-nacos, by HTTP: changes are pushed, new keys are found within seconds.",
		DocZH: "Nacos 1、2 及 r-nacos（HTTP 接口）：变更实时推送，新键数秒内发现。",
		Spec: spec.Schema{Name: "confds", Fields: store.Pick("nodes", "scheme", "confd_namespace", "pipeline_namespace", "circle_interval",
			"basic_auth", "username", "password", "client_ca_keys", "client_cert", "client_key", "client_insecure")},
		Traits: store.Traits{Watches: true, Writes: true, Mirrors: true},
		Open:   func(o store.Options) (store.Store, error) { return open(o) },
	}
}

// A nacos is the store.
type nacos struct {
	*follow.Store

	server *server
	spaces []namespace
	ctx    context.Context //nolint:containedctx // ends the writes when the store is closed
}

func open(o store.Options) (*nacos, error) {
	v := o.Values
	login := credentials{username: v.String("username"), password: v.String("password")}
	switch {
	case v.Bool("basic_auth") && (login.username == "" || login.password == ""):
		return nil, errors.New("basic_auth needs both username and password")
	case (login.username == "") != (login.password == ""):
		return nil, errors.New("username and password go together: set both or none")
	}
	spaces, err := namespacesOf(v.String("confd_namespace"), v.String("pipeline_namespace"))
	if err != nil {
		return nil, err
	}
	nodes, err := httpnodes.New("nacos", "8848", v)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	src := &source{
		server: newServer(nodes, login), spaces: spaces, circle: poll.Every(v), asks: make(chan chan error), stop: stop,
		known: map[namespace]map[id]item{},
	}
	return &nacos{Store: follow.New("nacos", src, o.Log), server: src.server, spaces: spaces, ctx: ctx}, nil
}

// A source follows the namespaces of one server.
type source struct {
	server *server
	spaces []namespace
	circle time.Duration // the longest time between two looks for new configurations
	asks   chan chan error
	stop   context.CancelFunc

	// What Follow knows from one call to the next.
	broken bool // a call has ended
	known  map[namespace]map[id]item
}

// Close implements [follow.Source].
func (s *source) Close() error {
	s.stop()
	s.server.nodes.Close()
	return nil
}

// Ask implements [follow.Source].
func (s *source) Ask(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case s.asks <- done:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
