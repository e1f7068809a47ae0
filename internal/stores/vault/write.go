package vault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"datakit.dev/internal/store"
)

// Put implements [store.Writer]. With version 2 of the engine the server itself
// compares; with version 1 it is looked first and written then.
func (v *vault) Put(ctx context.Context, key, value string, cond store.Cond) (store.Revision, error) {
	if err := store.CheckPut(key, value); err != nil {
		return "", fmt.Errorf("put: %w", err)
	}
	if !utf8.ValidString(value) {
		return "", fmt.Errorf("put: key %q: Vault holds text, and the value is no UTF-8", key)
	}
	var rev store.Revision
	err := v.write(ctx, key, func(ctx context.Context, m mount) (err error) {
		rev, err = v.put(ctx, m, key, value, cond)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	return rev, nil
}

// Delete implements [store.Writer]. With version 2 it deletes the newest
// version, which an operator can bring back.
func (v *vault) Delete(ctx context.Context, key string, cond store.Cond) error {
	if err := store.CheckKey(key); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	err := v.write(ctx, key, func(ctx context.Context, m mount) error { return v.remove(ctx, m, key, cond) })
	if err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// write does one write on the mount that holds the root.
func (v *vault) write(ctx context.Context, key string, do func(context.Context, mount) error) error {
	if err := checkPath(key); err != nil {
		return err
	}
	inner, end, err := v.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	m, err := locate(inner, v.login, v.tree.root)
	if err == nil {
		err = do(inner, m)
	}
	return v.why(ctx, err)
}

// check returns the secret at key if cond holds for it.
func (v *vault) check(ctx context.Context, m mount, key string, cond store.Cond) (secret, error) {
	s, err := fetch(ctx, v.login, m, key)
	if err != nil {
		return secret{}, err
	}
	rev := s.revision()
	if cond.Absent && rev != "" || cond.Revision != "" && cond.Revision != rev {
		return secret{}, store.ErrConflict
	}
	return s, nil
}

func (v *vault) put(ctx context.Context, m mount, key, value string, cond store.Cond) (store.Revision, error) {
	bound := cond != store.Cond{}
	var old secret
	if bound {
		var err error
		if old, err = v.check(ctx, m, key, cond); err != nil {
			return "", err
		}
	}
	if m.version == 1 {
		a, err := v.login.call(ctx, request{method: http.MethodPost, path: m.at("", key), body: map[string]string{valueField: value}})
		if err == nil && !a.found() {
			err = a.refusal()
		}
		return store.RevisionOf(value), err
	}
	rev, err := v.set(ctx, m, key, value, old.stamp.Version, bound)
	// A mount may want every write to compare. Where the caller does not care
	// what is there, whatever is there now is right, unless it moves meanwhile.
	for n := 0; !bound && n < attempts && (errors.Is(err, errCompare) || n > 0 && errors.Is(err, store.ErrConflict)); n++ {
		if old, err = v.check(ctx, m, key, cond); err != nil {
			return "", err
		}
		rev, err = v.set(ctx, m, key, value, old.stamp.Version, true)
	}
	return rev, err
}

// attempts bounds how often a put runs after a key that others write.
const attempts = 10

var errCompare = errors.New("the server takes no write that does not compare")

// set writes the next version, if compare only after version.
func (v *vault) set(ctx context.Context, m mount, key, value string, version int64, compare bool) (store.Revision, error) {
	body := map[string]any{"data": map[string]string{valueField: value}}
	if compare {
		body["options"] = map[string]int64{"cas": version}
	}
	a, err := v.login.call(ctx, request{method: http.MethodPost, path: m.at("data", key), body: body})
	said := strings.Join(a.said.Errors, "; ")
	switch {
	case err != nil:
		return "", err
	case a.status == http.StatusBadRequest && strings.Contains(said, "did not match the current version"):
		return "", store.ErrConflict
	case a.status == http.StatusBadRequest && strings.Contains(said, "check-and-set parameter required"):
		return "", errCompare
	case !a.found():
		return "", a.refusal()
	}
	var out struct {
		Data stamp `json:"data"`
	}
	if err := a.decode(&out); err != nil {
		return "", err
	}
	return store.Revision(strconv.FormatInt(out.Data.Version, 10)), nil
}

func (v *vault) remove(ctx context.Context, m mount, key string, cond store.Cond) error {
	s, err := v.check(ctx, m, key, store.Cond{})
	rev := s.revision()
	switch {
	case err != nil:
		return err
	case rev == "":
		return store.ErrNotFound
	case cond.Absent || cond.Revision != "" && cond.Revision != rev:
		return store.ErrConflict
	}
	r := request{method: http.MethodDelete, path: m.at("data", key)}
	bound := m.version == 2 && cond.Revision != ""
	if bound { // just that version, so that a newer one of somebody else stays
		r = request{method: http.MethodPost, path: m.at("delete", key), body: map[string][]int64{"versions": {s.stamp.Version}}}
	}
	a, err := v.login.call(ctx, r)
	if err != nil {
		return err
	}
	if !a.found() {
		return a.refusal()
	}
	if bound {
		now, err := fetch(ctx, v.login, m, key)
		if err != nil {
			return err
		}
		if now.revision() != "" {
			return store.ErrConflict
		}
	}
	return nil
}
