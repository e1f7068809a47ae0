package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"datakit.dev/internal/api"
	"datakit.dev/internal/config"
	"datakit.dev/internal/diag"
	"datakit.dev/internal/store"
)

// keyTimeout is how long one write of the console may take.
const keyTimeout = 15 * time.Second

// keys is the stores' keys, for the console.
type keys struct{ agent *agent }

// Trees implements [api.Keys].
func (k keys) Trees() []api.Tree {
	stores := k.agent.settings().Stores
	var out []api.Tree
	for _, v := range k.agent.watch.Views() {
		t := api.Tree{ID: v.Source.ID, Backend: v.Source.Backend, Root: v.Source.Root, State: v.State, Entries: v.Snapshot.Entries}
		if i := slices.IndexFunc(stores, func(s config.Store) bool { return s.ID == t.ID }); i >= 0 {
			t.Writable = stores[i].Enabled && stores[i].Backend.Traits.Writes
		}
		out = append(out, t)
	}
	return out
}

// Redact implements [api.Keys].
func (k keys) Redact(key, value string) string {
	return strings.Join(k.agent.parts.Catalog.RedactValue(key, value), "\n")
}

// Check implements [api.Keys].
func (k keys) Check(key, value string) diag.List {
	return config.Validate(k.agent.parts.Catalog, k.agent.scripts.Check, key, value)
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

// write opens the store anew: what the agent follows it with is for reading, and a
// write that hangs must not hold that up.
func (k keys) write(ctx context.Context, id string, f func(context.Context, store.Writer) error) (err error) {
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
	w, ok := s.(store.Writer)
	if !ok {
		return fmt.Errorf("the store %s can only be read: %w", id, store.ErrDenied)
	}
	ctx, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	if err := f(ctx, w); err != nil {
		return fmt.Errorf("store %s: %w", id, err)
	}
	return nil
}
