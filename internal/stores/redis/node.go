package redis

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// An address is what one of nodes says.
type address struct {
	node     string // host:port, or the path of a socket
	sentinel bool
	secure   bool
	service  string
	database int
}

// takeNodes takes the nodes, which have to agree.
func (s *settings) takeNodes(nodes []string) error {
	if len(nodes) == 0 {
		return errors.New(`backend "redis" needs nodes, such as ["127.0.0.1:6379"]`)
	}
	var first address
	for i, node := range nodes {
		a, err := parseNode(node)
		if err != nil {
			return fmt.Errorf("nodes: number %d: %w", i+1, err)
		}
		if i == 0 {
			first = a
		}
		switch {
		case a.sentinel != first.sentinel:
			return errors.New("nodes: all have to be sentinels, or none")
		case a.secure != first.secure:
			return errors.New("nodes: all have to be redis, or all rediss")
		case a.database != first.database:
			return fmt.Errorf("nodes: all have to name one database, not %d and %d", first.database, a.database)
		case a.service != first.service:
			return fmt.Errorf("nodes: all have to name one master, not %q and %q", first.service, a.service)
		}
		s.nodes = append(s.nodes, a.node)
	}
	s.sentinels, s.service, s.database = first.sentinel, first.service, first.database
	s.secure = s.secure || first.secure
	return nil
}

// parseNode reads host:port, host:port/2, redis://, rediss:// (by TLS),
// sentinel://host:port/master, unix:///path, or the path of a socket. Its errors
// do not repeat the node, which may hold a password.
func parseNode(node string) (address, error) {
	if strings.HasPrefix(node, "/") {
		return address{node: node}, nil
	}
	if !strings.Contains(node, "://") {
		node = "redis://" + node
	}
	u, err := url.Parse(node)
	switch {
	case err != nil:
		return address{}, errWant
	case u.User != nil:
		return address{}, errors.New("write the user into username and password, not into the address")
	case u.RawQuery != "" || u.Fragment != "":
		return address{}, errWant
	case u.Scheme == "unix" && u.Host == "" && len(u.Path) > 1:
		return address{node: u.Path}, nil
	}
	return parseURL(u)
}

func parseURL(u *url.URL) (a address, err error) {
	port, path := "6379", strings.Trim(u.Path, "/")
	switch u.Scheme {
	case "redis":
	case "rediss":
		a.secure = true
	case sentinel:
		port, a.sentinel = "26379", true
		a.service, path, _ = strings.Cut(path, "/")
	default:
		return address{}, fmt.Errorf("the scheme is %q, expected redis, rediss, sentinel or unix", u.Scheme)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || u.Hostname() == "" {
		return address{}, errWant
	}
	a.node = net.JoinHostPort(u.Hostname(), port)
	if path == "" {
		return a, nil
	}
	if a.database, err = strconv.Atoi(path); err != nil || a.database < 0 {
		return address{}, errors.New("what follows the port has to be the number of a database")
	}
	return a, nil
}

var errWant = errors.New("expected host:port, host:port/2, sentinel://host:port/master or the path of a socket")
