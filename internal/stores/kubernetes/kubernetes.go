// Package kubernetes is a config store in the ConfigMaps and Secrets of one
// namespace of a Kubernetes cluster that bear a label.
//
// It speaks plain HTTP, of which it needs four requests: the vendor's library
// alone weighs more than all the other stores together.
//
// Each entry of such an object is a key of ours. Kubernetes lets the name of an
// entry have letters, digits and -._ only, so the name is the last part of the
// key, and an annotation of the object says what stands before it: the entry
// cpu.p of an object annotated datakit.dev/path: pipeline/metric is
// pipeline/metric/cpu.p. Without the annotation it is confd.
package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/follow"
)

const (
	// defaultSelector is the label that our objects bear where filter says nothing.
	defaultSelector = "datakit.dev/config=true"
	// pathAnnotation is what stands before the names of an object's entries.
	pathAnnotation = "datakit.dev/path"
	defaultPath    = "confd"
	// maxServerValue is what Kubernetes takes in one object, all its values
	// together.
	maxServerValue = 1 << 20
)

// Backend returns the Kubernetes store for the list of backends.
func Backend() store.Backend {
	return store.Backend{
		Name:    "kubernetes",
		Aliases: []string{"k8s"},
		Doc:     "ConfigMaps and Secrets of one namespace of a Kubernetes cluster that bear a label: watched.",
		DocZH:   "Kubernetes 集群中某个命名空间内带有指定标签的 ConfigMap 和 Secret：监听变更。",
		Spec: spec.Schema{Name: "confds", Fields: store.Pick("nodes", "scheme", "confd_namespace", "filter", "table", "auth_token", "file",
			"client_ca_keys", "client_cert", "client_key", "client_insecure")},
		Traits: store.Traits{Watches: true, Writes: true, CompareAndSet: true, Mirrors: true, MaxValue: maxServerValue},
		Open: func(o store.Options) (store.Store, error) {
			k, err := open(o, inCluster())
			if err != nil {
				return nil, err
			}
			return k, nil
		},
	}
}

// A kubernetes is the store.
type kubernetes struct {
	*follow.Store

	api api
	ctx context.Context //nolint:containedctx // ends the writes when the store is closed
	end context.CancelFunc
}

func open(o store.Options, pod place) (*kubernetes, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	a, err := newAPI(o.Values, pod)
	if err != nil {
		return nil, err
	}
	k := &kubernetes{api: a, Store: follow.New("kubernetes", newSource(a, o.Log), o.Log)}
	k.ctx, k.end = context.WithCancel(context.Background())
	return k, nil
}

// Close implements [store.Store].
func (k *kubernetes) Close() error {
	k.end()
	return k.Store.Close()
}

// A kind is one of the two kinds of objects that hold configuration.
type kind uint8

// Where two objects hold the same key the first kind wins: fewer people may
// write it.
const (
	secrets kind = iota
	configMaps
)

// plural is the name of k in paths.
func (k kind) plural() string {
	if k == secrets {
		return "secrets"
	}
	return "configmaps"
}

// String returns the name of k as manifests have it.
func (k kind) String() string {
	if k == secrets {
		return "Secret"
	}
	return "ConfigMap"
}

// kindsOf returns the kinds that table names. A list that is refused must not
// look empty, so that who grants one kind only has to say so.
func kindsOf(table string) ([]kind, error) {
	switch strings.ToLower(table) {
	case "":
		return []kind{secrets, configMaps}, nil
	case "configmaps", "configmap":
		return []kind{configMaps}, nil
	case "secrets", "secret":
		return []kind{secrets}, nil
	}
	return nil, errors.New(`table: expected "configmaps" or "secrets", or nothing for both`)
}

var (
	namespaceName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	// equality is a selector of which an object's labels can be made.
	equality = regexp.MustCompile(`^\s*([-A-Za-z0-9_./]+)\s*==?\s*([-A-Za-z0-9_.]*)\s*$`)
)

const maxSelector = 4 << 10

// checkSelector refuses what is no selector of labels at all; its meaning is the
// server's to judge.
func checkSelector(s string) error {
	if len(s) > maxSelector || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fmt.Errorf("filter: expected a selector of labels, such as %q", defaultSelector)
	}
	return nil
}

// labelsOf returns the labels that an object needs to be selected, false where
// the selector is not plain enough to tell.
func labelsOf(selector string) (map[string]string, bool) {
	labels := map[string]string{}
	for part := range strings.SplitSeq(selector, ",") {
		m := equality.FindStringSubmatch(part)
		if m == nil {
			return nil, false
		}
		labels[m[1]] = m[2]
	}
	return labels, true
}
