package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"datakit.dev/internal/store"
)

// links are the connections for commands: to one server, or to every master of
// a cluster.
type links struct {
	s      *settings
	conns  map[string]*conn // by node
	nodes  []string         // those of conns
	layout *layout          // of a cluster, else nil

	sentinel *conn // whom we have the master from, else nil
	service  string
}

// errMoved says that the data is elsewhere now.
var errMoved = fmt.Errorf("%w: the servers have changed places", store.ErrUnavailable)

// connect finds out where the data is and connects to it. The nodes are tried
// in order; a master comes before a replica.
func (s *settings) connect(ctx context.Context) (*links, error) {
	var replica *conn
	var first error
	for _, node := range s.nodes {
		c, err := s.dial(ctx, node)
		if err == nil && c.mode == standalone && !c.master && !s.sentinels {
			if replica == nil {
				replica = c
			} else {
				_ = c.Close()
			}
			continue
		}
		if err == nil {
			var l *links
			if l, err = s.link(ctx, c); err == nil {
				if replica != nil {
					_ = replica.Close()
				}
				return l, nil
			}
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if first == nil || !errors.Is(first, store.ErrDenied) && errors.Is(err, store.ErrDenied) {
			first = err
		}
	}
	if replica != nil {
		return s.single(replica), nil
	}
	return nil, first
}

// link goes on from one connection to all. It closes c where that fails.
func (s *settings) link(ctx context.Context, c *conn) (l *links, err error) {
	switch {
	case c.mode == sentinel:
		l, err = s.ask(ctx, c)
	case s.sentinels:
		err = errors.New("it is no sentinel")
	case c.mode == cluster:
		return s.spread(ctx, c)
	default:
		return s.single(c), nil
	}
	if err != nil {
		_ = c.Close()
		return nil, s.explain(ctx, c.node, err)
	}
	return l, nil
}

func (s *settings) single(c *conn) *links {
	return &links{s: s, conns: map[string]*conn{c.node: c}, nodes: []string{c.node}}
}

// ask connects to the master that a sentinel names.
func (s *settings) ask(ctx context.Context, c *conn) (*links, error) {
	service := s.service
	if service == "" {
		var err error
		if service, err = onlyService(ctx, c); err != nil {
			return nil, err
		}
	}
	node, err := masterOf(ctx, c, service)
	if err != nil {
		return nil, err
	}
	m, err := s.dial(ctx, node)
	if err != nil {
		return nil, err
	}
	if !m.master {
		_ = m.Close()
		return nil, fmt.Errorf("its master %s is a replica now: a failover is under way", node)
	}
	l := s.single(m)
	l.sentinel, l.service = c, service
	return l, nil
}

// onlyService returns the name of the one master that a sentinel watches.
func onlyService(ctx context.Context, c *conn) (string, error) {
	all, err := c.call(ctx, "SENTINEL", "MASTERS")
	if err != nil {
		return "", err
	}
	if len(all.items) == 1 {
		about := all.items[0].items
		for i := 0; i+1 < len(about); i += 2 {
			if about[i].text == "name" {
				return about[i+1].text, nil
			}
		}
	}
	return "", fmt.Errorf("it is a sentinel of %d masters: name one of them as in sentinel://host:26379/mymaster", len(all.items))
}

func masterOf(ctx context.Context, c *conn, service string) (string, error) {
	r, err := c.call(ctx, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", service)
	if err != nil {
		return "", err
	}
	if len(r.items) != 2 {
		return "", fmt.Errorf("it is a sentinel that knows no master %q", service)
	}
	return net.JoinHostPort(r.items[0].text, r.items[1].text), nil
}

// spread connects to every master of the cluster that seed belongs to.
func (s *settings) spread(ctx context.Context, seed *conn) (*links, error) {
	l := &links{s: s, conns: map[string]*conn{}}
	layout, err := s.layoutFrom(ctx, seed)
	if err != nil {
		_ = seed.Close()
		return nil, s.explain(ctx, seed.node, err)
	}
	l.layout, l.nodes = layout, layout.masters
	if slices.Contains(l.nodes, seed.node) {
		l.conns[seed.node] = seed
	} else {
		_ = seed.Close()
	}
	for _, node := range l.nodes {
		if l.conns[node] != nil {
			continue
		}
		if l.conns[node], err = s.dial(ctx, node); err != nil {
			l.close()
			return nil, err
		}
	}
	return l, nil
}

func (s *settings) layoutFrom(ctx context.Context, c *conn) (*layout, error) {
	r, err := c.call(ctx, "CLUSTER", "NODES")
	if err != nil {
		return nil, err
	}
	return parseLayout(r.text, c.node, s.secure)
}

// close ends every connection.
func (l *links) close() {
	for _, c := range l.conns {
		if c != nil {
			_ = c.Close()
		}
	}
	if l.sentinel != nil {
		_ = l.sentinel.Close()
	}
}

// of returns the connection to the server that holds name.
func (l *links) of(name string) (*conn, error) {
	if l.layout == nil {
		return l.conns[l.nodes[0]], nil
	}
	node, ok := l.layout.of(name)
	if !ok {
		return nil, fmt.Errorf("%w: nobody in the cluster has slot %d", store.ErrUnavailable, slotOf(name))
	}
	return l.conns[node], nil
}

// renew asks the cluster again who holds what. The masters may not be others
// than before: those have to be subscribed to first.
func (l *links) renew(ctx context.Context) error {
	c := l.conns[l.nodes[0]]
	layout, err := l.s.layoutFrom(ctx, c)
	switch {
	case err != nil:
		return l.s.explain(ctx, c.node, err)
	case !slices.Equal(layout.masters, l.nodes):
		return errMoved
	}
	l.layout = layout
	return nil
}

// check returns an error once the data is elsewhere.
func (l *links) check(ctx context.Context) error {
	if l.layout != nil {
		return l.renew(ctx)
	}
	c := l.conns[l.nodes[0]]
	if l.sentinel != nil {
		node, err := masterOf(ctx, l.sentinel, l.service)
		switch {
		case err != nil:
			return l.s.explain(ctx, l.sentinel.node, err)
		case node != c.node:
			return errMoved
		}
	}
	return l.checkRole(ctx, c)
}

// checkRole refuses a replica that has lost its master: it answers, and knows
// nothing new. Whether that is so may be forbidden to ask.
func (l *links) checkRole(ctx context.Context, c *conn) error {
	r, err := c.call(ctx, "ROLE")
	switch {
	case failure(err, "NOPERM", "ERR"):
		return nil
	case err != nil:
		return l.s.explain(ctx, c.node, err)
	case len(r.items) == 0 || r.items[0].text == "master":
		return nil
	case l.sentinel != nil:
		return errMoved
	case len(r.items) > 3 && r.items[3].text != "connected":
		return l.s.explain(ctx, c.node, errors.New("it is a replica without its master: it knows nothing new"))
	}
	return nil
}
