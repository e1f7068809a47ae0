// Package rancher is a config store in the metadata service of Rancher 1.x,
// which every container of an environment can ask about itself.
//
// Our keys are the leaves of a JSON tree: by default of what the agent's own
// service declares in its metadata, so that the configuration lives in the
// compose file of the stack. The service can only be read. It has a version
// number that moves with every change of anything, and holds a request for it
// until it moves: then our part is read anew, from the same host.
package rancher

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
	"datakit.dev/internal/store/httpnodes"
)

// Backend returns the Rancher metadata store for the list of backends.
func Backend() store.Backend {
	return store.Backend{
		Name:  "rancher",
		Doc:   "Metadata of Rancher 1.x, by default that of the agent's own service: watched, read-only.",
		DocZH: "Rancher 1.x 的元数据，默认为 Agent 所在服务的元数据：监听变更，只读。",
		Spec: spec.Schema{Name: "confds", Fields: store.Pick("nodes", "scheme", "prefix",
			"client_ca_keys", "client_cert", "client_key", "client_insecure")},
		Traits: store.Traits{Watches: true, Mirrors: true, OneInstant: true},
		Open:   func(o store.Options) (store.Store, error) { return open(o) },
	}
}

const (
	// defaultNode is the name by which every container reaches the service.
	defaultNode = "rancher-metadata"
	latest      = "latest"
	// ownMetadata is where the service of the asking container has what its
	// compose file declares.
	ownMetadata = "/self/service/metadata"
)

// source is the server side of the store.
type source struct {
	client *httpnodes.Client
	api    string   // "/latest", empty where the nodes name the version
	roots  []string // where the keys may be; the first one that is there counts
	hold   time.Duration
	seen   atomic.Pointer[string] // the version that the copy is at
}

func open(o store.Options) (*follow.Store, error) {
	src, err := newSource(o)
	if err != nil {
		return nil, err
	}
	return follow.New("rancher", src, o.Log), nil
}

func newSource(o store.Options) (*source, error) {
	v := maps.Clone(o.Values)
	if len(v.Strings("nodes")) == 0 {
		if v == nil {
			v = spec.Values{}
		}
		v["nodes"] = []string{defaultNode}
	}
	client, err := httpnodes.New("rancher", "80", v)
	if err != nil {
		return nil, err
	}
	s := &source{client: client, hold: defaultHold}
	inNodes, err := versionInNodes(client.Nodes())
	if err != nil {
		return nil, err
	}
	version, root := splitVersion(o.Root)
	switch {
	case root == "":
		return nil, fmt.Errorf("prefix %q is a version of the metadata: name what is in it, such as %s", o.Root, o.Root+ownMetadata)
	case inNodes && version != "":
		return nil, errors.New("the version of the metadata is in nodes and in prefix: write it in one of them")
	case !inNodes && version == "":
		version = "/" + latest
	}
	s.api, s.roots = version, rootsOf(root)
	return s, nil
}

var versionName = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

func isVersion(name string) bool { return name == latest || versionName.MatchString(name) }

// splitVersion takes the version off a root that begins with one.
func splitVersion(root string) (version, rest string) {
	first, rest, nested := strings.Cut(strings.TrimPrefix(root, "/"), "/")
	switch {
	case !isVersion(first):
		return "", root
	case !nested:
		return "/" + first, ""
	}
	return "/" + first, "/" + rest
}

// versionInNodes reports whether the nodes name a version: all of them or none.
func versionInNodes(nodes []string) (bool, error) {
	with := slices.DeleteFunc(slices.Clone(nodes), func(n string) bool { return !isVersion(path.Base(n)) })
	if len(with) != 0 && len(with) != len(nodes) {
		return false, errors.New("nodes: all have to name a version of the metadata, or none")
	}
	return len(with) != 0, nil
}

// rootsOf returns where the keys of root may be. What begins with a name of the
// metadata's own is taken as it is; anything else, such as /datakit, is what the
// agent's service declares, or else what stands at the top.
func rootsOf(root string) []string {
	first, _, _ := strings.Cut(strings.TrimPrefix(root, "/"), "/")
	if slices.Contains([]string{"self", "containers", "environments", "hosts", "networks", "regions", "services", "stacks"}, first) {
		return []string{root}
	}
	return []string{ownMetadata + root, root}
}

// request returns a call for what is at path.
func (s *source) request(path string) httpnodes.Request {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.QueryEscape(p) // the server reads parts as it reads a query: + is a blank
	}
	return httpnodes.Request{Path: s.api + strings.Join(parts, "/"), Header: http.Header{"Accept": {"application/json"}}}
}

// Close implements [follow.Source].
func (s *source) Close() error {
	s.client.Close()
	return nil
}
