// Package httpnodes sends plain HTTP requests to one of several nodes: to the
// one that answered last, and to the next where that one fails.
//
// It is what the stores with a small HTTP protocol use in the place of their
// vendors' libraries: those weigh more than the agent has room for, and each has
// its own idea of time limits, retries and what to write to the log.
package httpnodes

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/tlsconf"
)

// Endpoints returns the URLs of nodes, each scheme://host:port and what path it
// has. A node without a scheme gets the one of scheme, or else https where a TLS
// option is set; one without a port gets defaultPort. Errors name a node by its
// number and never repeat it: it may hold a password.
func Endpoints(name, defaultPort string, v spec.Values) ([]string, error) {
	scheme := v.String("scheme")
	if scheme == "" {
		scheme = "http"
		if tlsconf.FromValues(v).Set() {
			scheme = "https"
		}
	}
	nodes := v.Strings("nodes")
	if len(nodes) == 0 {
		return nil, fmt.Errorf("backend %q needs nodes, such as [\"127.0.0.1:%s\"]", name, defaultPort)
	}
	out := make([]string, len(nodes))
	for i, node := range nodes {
		endpoint, err := endpointOf(node, scheme, defaultPort)
		if err != nil {
			return nil, fmt.Errorf("nodes: number %d: %w", i+1, err)
		}
		out[i] = endpoint
	}
	return out, nil
}

func endpointOf(node, scheme, defaultPort string) (string, error) {
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
	case u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("an address ends with its path: no ? and no #")
	}
	if u.Port() == "" {
		u.Host = strings.TrimSuffix(u.Host, ":") + ":" + defaultPort
	}
	return u.Scheme + "://" + u.Host + strings.TrimRight(u.EscapedPath(), "/"), nil
}
