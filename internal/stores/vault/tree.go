package vault

import (
	"context"
	"fmt"
	"maps"
	"net/http"

	"datakit.dev/internal/store"
)

const (
	maxDepth = 64 // folders below each other
	// maxListed bounds the names looked at: deleted secrets of version 2 stay in
	// the list, so that they may be more than the keys there are.
	maxListed = 4 * store.MaxEntries
)

// A tree reads what is below our root, one look at a time, and keeps what has
// not changed since the last one.
type tree struct {
	server *session
	root   string // without its leading slash: "secret/datakit"

	mount mount
	kept  map[string]secret // by key below the root
}

// A look is one walk over the tree.
type look struct {
	*tree

	seen    map[string]bool
	entries []store.Entry
	size    int
	blind   bool // metadata may not be read
}

// read returns every entry there is.
func (t *tree) read(ctx context.Context) ([]store.Entry, error) {
	m, err := locate(ctx, t.server, t.root)
	if err != nil {
		return nil, err
	}
	if m != t.mount || t.kept == nil {
		t.mount, t.kept = m, map[string]secret{}
	}
	l := &look{tree: t, seen: map[string]bool{}}
	if err := l.folder(ctx, "", 0); err != nil {
		return nil, err
	}
	maps.DeleteFunc(t.kept, func(key string, _ secret) bool { return !l.seen[key] })
	return l.entries, nil
}

// folder adds what is below folder, which is "" or ends with a slash.
func (l *look) folder(ctx context.Context, folder string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("the folder %.200q is more than %d deep", folder, maxDepth)
	}
	names, err := l.list(ctx, folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		key, isFolder, err := child(folder, name)
		switch {
		case err != nil:
			return err
		case isFolder:
			err = l.folder(ctx, key+"/", depth+1)
		default:
			err = l.add(ctx, key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// list returns the names in folder; none where it is not there.
func (l *look) list(ctx context.Context, folder string) ([]string, error) {
	a, err := l.server.call(ctx, request{path: l.mount.at("metadata", folder), list: true})
	switch {
	case err != nil:
		return nil, err
	case a.nothing():
		return nil, nil
	case !a.found():
		return nil, fmt.Errorf("list %s/%s: %w", l.root, folder, a.refusal())
	}
	var out struct {
		Data *struct {
			Keys []string `json:"keys"`
		} `json:"data"`
	}
	if err := a.decode(&out); err != nil {
		return nil, err
	}
	if out.Data == nil {
		return nil, fmt.Errorf("list %s/%s: %w", l.root, folder, errAnswer)
	}
	return out.Data.Keys, nil
}

// add adds the secret at key.
func (l *look) add(ctx context.Context, key string) error {
	if len(l.seen) >= maxListed {
		return fmt.Errorf("the tree lists more than %d names", maxListed)
	}
	l.seen[key] = true
	s, err := l.secret(ctx, key)
	if err != nil {
		return err
	}
	l.kept[key] = s
	for _, c := range s.contents {
		l.size += len(key) + len(c.sub) + len(c.value)
		l.entries = append(l.entries, store.Entry{Key: key + c.sub, Value: c.value, TooLarge: c.tooLarge, Revision: c.revision})
	}
	if l.size > store.MaxTree || len(l.entries) > store.MaxEntries {
		return fmt.Errorf("the tree is over %d keys or %d bytes", store.MaxEntries, store.MaxTree)
	}
	return nil
}

// secret returns the secret at key, the one kept where it is still the same.
func (l *look) secret(ctx context.Context, key string) (secret, error) {
	old, known := l.kept[key]
	if l.mount.version == 2 && known && !l.blind {
		a, err := l.server.call(ctx, request{path: l.mount.at("metadata", key)})
		switch {
		case err != nil:
			return secret{}, err
		case a.nothing():
			return secret{}, nil
		case a.status == http.StatusForbidden:
			l.blind = true // a policy may leave that out: then every secret is read
		case !a.found():
			return secret{}, fmt.Errorf("metadata of %s: %w", key, a.refusal())
		default:
			now, err := stampOf(a)
			if err != nil {
				return secret{}, err
			}
			if old.same(now) {
				return old, nil
			}
		}
	}
	return fetch(ctx, l.server, l.mount, key)
}

// fetch reads the secret at key.
func fetch(ctx context.Context, server *session, m mount, key string) (secret, error) {
	a, err := server.call(ctx, request{path: m.at("data", key)})
	if err != nil {
		return secret{}, err
	}
	if !a.found() && !a.nothing() {
		return secret{}, fmt.Errorf("read %s: %w", key, a.refusal())
	}
	s, err := secretOf(a, m.version)
	if err != nil {
		return secret{}, fmt.Errorf("read %s: %w", key, err)
	}
	return s, nil
}
