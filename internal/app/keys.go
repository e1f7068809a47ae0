package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"datakit.dev/internal/api"
	"datakit.dev/internal/config"
	"datakit.dev/internal/diag"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
)

// keyTimeout is how long one read or write of the console may take.
const keyTimeout = 15 * time.Second

// keys is the stores' keys, for the console.
type keys struct{ agent *agent }

// Trees implements [api.Keys].
func (k keys) Trees() []api.Tree {
	stores := k.agent.settings().Stores
	var out []api.Tree
	for _, v := range k.agent.watch.Views() {
		t := api.Tree{
			ID: v.Source.ID, Backend: v.Source.Backend, Root: v.Source.Root, State: v.State, Entries: v.Snapshot.Entries,
			Reports: k.agent.loop.Keys(v.Source.ID),
		}
		if i := slices.IndexFunc(stores, func(s config.Store) bool { return s.ID == t.ID }); i >= 0 {
			t.Writable = stores[i].Enabled && stores[i].Backend.Traits.Writes
		}
		out = append(out, t)
	}
	return append(out, k.local())
}

// local returns the files of the work directory as a store that cannot be written:
// what the stores overlay is seen beside it.
func (k keys) local() api.Tree {
	scripts, reports := k.agent.scripts.files()
	maps.Copy(reports, k.agent.loop.Keys(config.LocalSource))
	entries := slices.Concat(k.agent.loop.Local().Files.Entries, scripts)
	slices.SortFunc(entries, func(a, b store.Entry) int { return strings.Compare(a.Key, b.Key) })
	return api.Tree{ID: config.LocalSource, Backend: config.LocalSource, State: status.Watching, Entries: entries, Reports: reports}
}

// Redact implements [api.Keys].
func (k keys) Redact(key, value string) string {
	return strings.Join(k.agent.parts.Catalog.RedactValue(key, value), "\n")
}

// Check implements [api.Keys].
func (k keys) Check(key, value string) diag.List {
	return config.Validate(k.agent.parts.Catalog, k.agent.scripts.compile, key, value)
}

// Running implements [api.Keys].
func (k keys) Running(id, key string) (store.Entry, bool) {
	g, ok := k.agent.loop.Good(id, key)
	return store.Entry{Key: g.Short, Value: g.Value, Revision: g.Revision}, ok
}

// Read implements [api.Keys].
func (k keys) Read(ctx context.Context, id, key string) (e store.Entry, err error) {
	err = k.open(ctx, id, func(ctx context.Context, s store.Store) error {
		snap, err := s.Read(ctx)
		if err != nil {
			return err //nolint:wrapcheck // open names the store
		}
		have, ok := snap.Get(key)
		if e = have; !ok {
			return store.ErrNotFound
		}
		return nil
	})
	return e, err
}

// Put implements [api.Keys].
func (k keys) Put(ctx context.Context, id, key, value string, cond store.Cond) (rev store.Revision, err error) {
	err = k.write(ctx, id, func(ctx context.Context, w store.Writer) error {
		rev, err = w.Put(ctx, key, value, cond)
		return err
	})
	return rev, err
}

// Delete implements [api.Keys].
func (k keys) Delete(ctx context.Context, id, key string, cond store.Cond) error {
	return k.write(ctx, id, func(ctx context.Context, w store.Writer) error { return w.Delete(ctx, key, cond) })
}

// write changes a store.
func (k keys) write(ctx context.Context, id string, f func(context.Context, store.Writer) error) error {
	return k.open(ctx, id, func(ctx context.Context, s store.Store) error {
		w, ok := s.(store.Writer)
		if !ok {
			return fmt.Errorf("it can only be read: %w", store.ErrDenied)
		}
		return f(ctx, w)
	})
}

// open opens the store anew: what the agent follows it with is for following, and
// a write that hangs must not hold that up.
func (k keys) open(ctx context.Context, id string, f func(context.Context, store.Store) error) (err error) {
	stores := k.agent.settings().Stores
	i := slices.IndexFunc(stores, func(s config.Store) bool { return s.ID == id })
	if i < 0 {
		return fmt.Errorf("store %s: %w", id, store.ErrNotFound)
	}
	conf := stores[i]
	s, err := conf.Backend.Open(store.Options{Root: conf.Root, Values: conf.Values, Log: k.agent.log.With("store", id)})
	if err != nil {
		return fmt.Errorf("open the store %s: %w", id, err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	if err := f(ctx, s); err != nil {
		return fmt.Errorf("store %s: %w", id, err)
	}
	return nil
}
