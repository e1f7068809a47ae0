package kubernetes

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/httpnodes"
)

// Put implements [store.Writer]. A key that an object holds is written there;
// another one goes to a ConfigMap of ours, one for each folder.
func (k *kubernetes) Put(ctx context.Context, key, value string, cond store.Cond) (store.Revision, error) {
	err := store.CheckPut(key, value)
	if err == nil {
		_, err = placeOf(key)
	}
	if err != nil {
		return "", fmt.Errorf("put: %w", err)
	}
	err = k.write(ctx, func(ctx context.Context) error { return k.api.put(ctx, key, value, cond) })
	if err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	return store.RevisionOf(value), nil
}

// Delete implements [store.Writer]. Where several objects hold the key it goes
// from all of them, from the one that is used last: no other value shows up on
// the way.
func (k *kubernetes) Delete(ctx context.Context, key string, cond store.Cond) error {
	if err := store.CheckKey(key); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	err := k.write(ctx, func(ctx context.Context) error { return k.api.remove(ctx, key, cond) })
	if err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// errRaced says that an object has changed between our look and our write.
var errRaced = errors.New("the object has changed meanwhile")

// write calls f with a context that also ends when the store is closed, and again
// where somebody else was faster: his change may be one of another key.
func (k *kubernetes) write(ctx context.Context, f func(context.Context) error) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(k.ctx, cancel)() //nolint:contextcheck // the store ends its writes, too
	if k.ctx.Err() != nil {
		return store.ErrClosed
	}
	var err error
	for {
		if err = f(inner); !errors.Is(err, errRaced) || inner.Err() != nil {
			break
		}
	}
	if err != nil && ctx.Err() == nil && k.ctx.Err() != nil {
		return store.ErrClosed
	}
	return err
}

// A home is where a new key goes: an entry of one of our ConfigMaps.
type home struct {
	object, path, name string
}

var (
	entryName = regexp.MustCompile(`^[-._a-zA-Z0-9]{1,253}$`)
	plainPath = regexp.MustCompile(`^[a-z0-9]+(/[a-z0-9]+)*$`)
	noName    = regexp.MustCompile(`[^a-z0-9]+`)
)

const (
	maxSlug = 60
	maxPath = 64 << 10 // of an annotation, of which all together take 256 KiB
)

// placeOf returns where key goes, or why Kubernetes cannot hold it.
func placeOf(key string) (home, error) {
	path, name := "", key
	if i := strings.LastIndexByte(key, '/'); i >= 0 {
		path, name = key[:i], key[i+1:]
	}
	if !entryName.MatchString(name) || name == "." || strings.HasPrefix(name, "..") {
		return home{}, fmt.Errorf("key %q: Kubernetes takes letters, digits and -._ in its last part, at most 253 and not two dots first", key)
	}
	if len(path) > maxPath {
		return home{}, fmt.Errorf("a key of %d bytes is too long for an annotation", len(key))
	}
	if plainPath.MatchString(path) && len(path) <= maxSlug {
		return home{"datakit-" + strings.ReplaceAll(path, "/", "-"), path, name}, nil
	}
	// Two folders must not meet in one name.
	sum := sha256.Sum256([]byte(path))
	slug := noName.ReplaceAllString(strings.ToLower(path), "-")
	slug = strings.Trim(slug[:min(len(slug), maxSlug)], "-")
	return home{strings.ReplaceAll("datakit-"+slug+"-"+hex.EncodeToString(sum[:6]), "--", "-"), path, name}, nil
}

// now returns the objects as the server has them.
func (a api) now(ctx context.Context) (*tree, error) {
	t := newTree()
	for _, k := range a.kinds {
		_, err := a.list(ctx, k, func(o object) error {
			_, err := t.put(o)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return t, nil
}

// holds checks cond against what t has of key.
func (t *tree) holds(key string, cond store.Cond) error {
	e, found := t.entry(key)
	if cond.Absent && found || cond.Revision != "" && (!found || e.Revision != cond.Revision) {
		return store.ErrConflict
	}
	return nil
}

func (a api) put(ctx context.Context, key, value string, cond store.Cond) error {
	t, err := a.now(ctx)
	if err != nil {
		return err
	}
	if err := t.holds(key, cond); err != nil {
		return err
	}
	if holders := t.holders[key]; len(holders) > 0 {
		o := t.objects[holders[0]]
		return a.patch(ctx, o, nameOf(o, key), &value)
	}
	to, err := placeOf(key)
	if err != nil {
		return err
	}
	if !slices.Contains(a.kinds, configMaps) {
		return errors.New("new keys go to ConfigMaps, and table names secrets: make the Secret with kubectl")
	}
	if o, ok := t.objects[ref{configMaps, to.object}]; ok && o.path == to.path {
		return a.patch(ctx, o, to.name, &value)
	}
	return a.create(ctx, to, value)
}

func (a api) remove(ctx context.Context, key string, cond store.Cond) error {
	t, err := a.now(ctx)
	if err != nil {
		return err
	}
	holders := t.holders[key]
	if len(holders) == 0 {
		return store.ErrNotFound
	}
	if err := t.holds(key, cond); err != nil {
		return err
	}
	for _, r := range slices.Backward(slices.Clone(holders)) {
		o := t.objects[r]
		if err := a.patch(ctx, o, nameOf(o, key), nil); err != nil {
			return err
		}
	}
	return nil
}

// written returns the fields that set an entry to value, or take it out where
// that is nil.
func written(k kind, name string, value *string) map[string]any {
	switch {
	case k == secrets && value == nil:
		return map[string]any{"data": map[string]any{name: nil}}
	case k == secrets:
		return map[string]any{"data": map[string]any{name: base64.StdEncoding.EncodeToString([]byte(*value))}}
	case value == nil:
		return map[string]any{"data": map[string]any{name: nil}, "binaryData": map[string]any{name: nil}}
	case utf8.ValidString(*value):
		return map[string]any{"data": map[string]any{name: *value}, "binaryData": map[string]any{name: nil}}
	}
	return map[string]any{"data": map[string]any{name: nil}, "binaryData": map[string]any{name: []byte(*value)}}
}

// patch changes one entry of o, if o is still at the version that we have seen.
func (a api) patch(ctx context.Context, o object, name string, value *string) error {
	body := written(o.ref.kind, name, value)
	body["metadata"] = map[string]string{"resourceVersion": strconv.FormatUint(o.version, 10)}
	return a.change(ctx, http.MethodPatch, a.path(o.ref.kind, o.ref.name), "application/merge-patch+json", o.ref, body)
}

// create makes the ConfigMap to, with its first entry.
func (a api) create(ctx context.Context, to home, value string) error {
	labels, ok := labelsOf(a.selector)
	if !ok {
		return errors.New("the labels of a new ConfigMap cannot be told from filter: make it with kubectl")
	}
	labels["app.kubernetes.io/managed-by"] = "datakit"
	body := written(configMaps, to.name, &value)
	for field := range body { // null is for patches
		if m, ok := body[field].(map[string]any); ok && m[to.name] == nil {
			delete(body, field)
		}
	}
	body["apiVersion"], body["kind"] = "v1", configMaps.String()
	body["metadata"] = map[string]any{"name": to.object, "labels": labels, "annotations": map[string]string{pathAnnotation: to.path}}
	r := ref{configMaps, to.object}
	err := a.change(ctx, http.MethodPost, a.path(configMaps), "application/json", r, body)
	if !errors.Is(err, errRaced) {
		return err
	}
	// It exists. Where it is ours the next look shows it; a stranger's stays as it is.
	if ours, lerr := a.ours(ctx, r, to.path); lerr != nil || ours {
		return errors.Join(lerr, err)
	}
	return fmt.Errorf("there is a %s without the label %s, or with another %s: it is not ours to write", r, a.selector, pathAnnotation)
}

// ours reports whether r bears the label and the path.
func (a api) ours(ctx context.Context, r ref, path string) (bool, error) {
	t, err := a.now(ctx)
	if err != nil {
		return false, err
	}
	o, ok := t.objects[r]
	return ok && o.path == path, nil
}

// change sends a write.
func (a api) change(ctx context.Context, method, path, media string, of ref, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	resp, err := a.do(ctx, httpnodes.Request{
		Method: method, Path: path, Body: text, Header: http.Header{"Content-Type": {media}}, Query: url.Values{"fieldManager": {"datakit"}},
	})
	switch {
	case err != nil:
		return err
	case resp.Status == http.StatusConflict, resp.Status == http.StatusNotFound && method == http.MethodPatch:
		return errRaced
	case resp.Status == http.StatusOK, resp.Status == http.StatusCreated:
		_, err := a.parse(of.kind, resp.Body) // another server's 200 is no write
		return err
	}
	return fmt.Errorf("%s: %w", of, a.refusal(resp))
}
