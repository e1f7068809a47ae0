package nacos

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"datakit.dev/internal/store"
)

// The bounds that Nacos sets for names.
const (
	maxGroup     = 128
	maxDataID    = 256
	maxNamespace = 128
)

// public is how Nacos shows the namespace that has no id.
const public = "public"

// A namespace is the part of our tree that one namespace of Nacos holds.
type namespace struct {
	part   string // the first part of its keys
	tenant string // its id, as the API calls it; empty for the public one
}

// namespacesOf returns what the two options ask for.
func namespacesOf(confd, pipeline string) ([]namespace, error) {
	var out []namespace
	for _, n := range []namespace{{"confd", confd}, {"pipeline", pipeline}} {
		switch {
		case n.tenant == "":
			continue
		case !isName(n.tenant, maxNamespace):
			return nil, fmt.Errorf("%s_namespace: the id of a namespace has letters, digits and . : - _ only, at most %d", n.part, maxNamespace)
		case n.tenant == public:
			n.tenant = ""
		}
		out = append(out, n)
	}
	switch {
	case len(out) == 0:
		return nil, errors.New(`backend "nacos" needs confd_namespace or pipeline_namespace, the ids of namespaces; "public" is the default one of Nacos`)
	case len(out) == 2 && out[0].tenant == out[1].tenant:
		return nil, errors.New("confd_namespace and pipeline_namespace have to differ: inputs and scripts are told apart by nothing else")
	}
	return out, nil
}

// An id names a configuration within a namespace.
type id struct{ group, dataID string }

// key returns the key of a configuration.
func (n namespace) key(i id) string { return n.part + "/" + i.group + "/" + i.dataID }

// place returns where key is, or why Nacos has no place for it.
func place(spaces []namespace, key string) (namespace, id, error) {
	parts := strings.Split(key, "/")
	for _, n := range spaces {
		if n.part != parts[0] {
			continue
		}
		if len(parts) != 3 {
			return n, id{}, fmt.Errorf("key %q: in Nacos a key is %s/GROUP/DATA-ID, such as %s", key, n.part, n.example())
		}
		i := id{parts[1], parts[2]}
		if !isName(i.group, maxGroup) || !isName(i.dataID, maxDataID) {
			return n, id{}, fmt.Errorf("key %q: in Nacos a group and a data id have letters, digits and . : - _ only, at most %d and %d", key, maxGroup, maxDataID)
		}
		return n, i, nil
	}
	if parts[0] == "confd" || parts[0] == "pipeline" {
		return namespace{}, id{}, fmt.Errorf("key %q: %s_namespace is not set", key, parts[0])
	}
	return namespace{}, id{}, fmt.Errorf("key %q: in Nacos a key begins with confd/ or pipeline/", key)
}

func (n namespace) example() string {
	if n.part == "pipeline" {
		return "pipeline/metric/cpu.p"
	}
	return "confd/DEFAULT_GROUP/cpu.conf"
}

// isName reports whether Nacos takes s as a name.
func isName(s string, most int) bool {
	return s != "" && utf8.RuneCountInString(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(".:-_", r)
	})
}

// checkValue refuses a value that Nacos does not take.
func checkValue(key, value string) error {
	switch {
	case strings.TrimSpace(value) == "":
		return fmt.Errorf("key %q: Nacos takes no empty value; delete the key instead", key)
	case !utf8.ValidString(value):
		return fmt.Errorf("key %q: Nacos takes text only, and this is no UTF-8", key)
	}
	return store.CheckPut(key, value)
}
