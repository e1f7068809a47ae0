package kubernetes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"datakit.dev/internal/store"
)

// A ref names an object within the namespace.
type ref struct {
	kind kind
	name string
}

func (r ref) String() string { return r.kind.String() + " " + r.name }

// before reports whether r wins over other where both hold a key.
func (r ref) before(other ref) bool {
	if r.kind != other.kind {
		return r.kind < other.kind
	}
	return r.name < other.name
}

// An object is one ConfigMap or Secret.
type object struct {
	ref     ref
	version uint64 // its resourceVersion
	path    string // what stands before its entries' names, without slashes around it
	values  map[string]string
}

// key returns the key of an entry.
func (o object) key(name string) string {
	if o.path == "" {
		return name
	}
	return o.path + "/" + name
}

// metadata is what we read of the metadata of an object or a list.
type metadata struct {
	Name            string            `json:"name"`
	Namespace       string            `json:"namespace"`
	ResourceVersion string            `json:"resourceVersion"`
	Continue        string            `json:"continue"`
	Annotations     map[string]string `json:"annotations"`
}

// manifest is an object as the server writes it.
type manifest struct {
	Kind     string                     `json:"kind"`
	Metadata metadata                   `json:"metadata"`
	Data     map[string]json.RawMessage `json:"data"`
	Binary   map[string][]byte          `json:"binaryData"`
}

func foreign(format string, args ...any) error {
	return fmt.Errorf("%w: %w: %s", store.ErrUnavailable, errForeign, fmt.Sprintf(format, args...))
}

// versionOf reads a resource version. It is a number, and a larger one is later,
// with every server that there is; Kubernetes promises it since 1.35.
func versionOf(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n == 0 {
		return 0, foreign("its resource version is %.40q", s)
	}
	return n, nil
}

// parse reads one object of kind k.
func (a api) parse(k kind, text []byte) (object, error) {
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return object{}, foreign("%v", err)
	}
	if m.Kind != "" && m.Kind != k.String() || m.Metadata.Name == "" || m.Metadata.Namespace != a.namespace {
		return object{}, foreign("it shows %.40q of namespace %.40q in the place of a %s", m.Kind, m.Metadata.Namespace, k)
	}
	version, err := versionOf(m.Metadata.ResourceVersion)
	if err != nil {
		return object{}, err
	}
	if n := len(m.Data) + len(m.Binary); n > store.MaxEntries {
		return object{}, fmt.Errorf("%w: %s %s has %d entries", store.ErrUnavailable, k, m.Metadata.Name, n)
	}
	path, ok := m.Metadata.Annotations[pathAnnotation]
	if !ok {
		path = defaultPath
	}
	o := object{ref: ref{k, m.Metadata.Name}, version: version, path: strings.Trim(path, "/"), values: make(map[string]string, len(m.Data)+len(m.Binary))}
	for name, raw := range m.Data {
		if o.values[name], err = valueOf(k, raw); err != nil {
			return object{}, foreign("entry %q of %s: %v", name, o.ref, err)
		}
	}
	for name, value := range m.Binary {
		o.values[name] = string(value)
	}
	return o, nil
}

// valueOf reads a value: text in a ConfigMap, base64 in a Secret.
func valueOf(k kind, raw json.RawMessage) (string, error) {
	if k == secrets {
		var b []byte
		if json.Unmarshal(raw, &b) != nil {
			return "", fmt.Errorf("expected base64") //nolint:perfsprint // the cause would repeat a part of the secret
		}
		return string(b), nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", err
	}
	return s, nil
}

// A page is one answer to a list.
type page struct {
	version uint64
	more    string // what continues the list; "" at its end
	items   []json.RawMessage
}

// parsePage reads one answer to a list of k; partial says that only metadata was
// asked for.
func parsePage(k kind, text []byte, partial bool) (page, error) {
	want := k.String() + "List"
	if partial {
		want = "PartialObjectMetadataList"
	}
	var list struct {
		Kind     string          `json:"kind"`
		Metadata metadata        `json:"metadata"`
		Items    json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return page{}, foreign("%v", err)
	}
	if list.Kind != want {
		return page{}, foreign("it is %.40q and no %s", list.Kind, want)
	}
	p := page{more: list.Metadata.Continue}
	var err error
	if p.version, err = versionOf(list.Metadata.ResourceVersion); err != nil {
		return page{}, err
	}
	// One by one: three bytes of a hostile answer are one element of a slice, which
	// would take twenty times the memory before anything could be counted.
	d := json.NewDecoder(bytes.NewReader(list.Items))
	if t, err := d.Token(); err != nil || t != json.Delim('[') && t != nil {
		return page{}, foreign("it has no items")
	} else if t == nil {
		return p, nil
	}
	for d.More() {
		var item json.RawMessage
		if err := d.Decode(&item); err != nil {
			return page{}, foreign("%v", err)
		}
		if p.items = append(p.items, item); len(p.items) > store.MaxEntries {
			return page{}, fmt.Errorf("%w: over %d objects bear the label", store.ErrUnavailable, store.MaxEntries)
		}
	}
	return p, nil
}

// An event is one line of a watch.
type event struct {
	Type   string          `json:"type"`
	Object json.RawMessage `json:"object"`
}

// parsePartial reads an object of which only the metadata was asked for.
func (a api) parsePartial(k kind, text []byte) (object, error) {
	var m struct {
		Metadata metadata `json:"metadata"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return object{}, foreign("%v", err)
	}
	if m.Metadata.Name == "" || m.Metadata.Namespace != a.namespace {
		return object{}, foreign("it shows an object of namespace %.40q", m.Metadata.Namespace)
	}
	version, err := versionOf(m.Metadata.ResourceVersion)
	return object{ref: ref{k, m.Metadata.Name}, version: version}, err
}
