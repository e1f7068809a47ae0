package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"datakit.dev/internal/config"
	"datakit.dev/internal/store"
	"datakit.dev/internal/workdir"
)

// stores returns the stores that the flags mean.
func (p program) stores(f *storeFlags) ([]config.Store, error) {
	if f.backend == "" {
		m, err := p.readMain(workdir.Dir(f.dir))
		return m.Stores, err
	}
	env, err := f.environment(p.Env)
	if err != nil {
		return nil, err
	}
	m, bad, _ := config.ParseMain("", env, p.Parts)
	if len(bad) > 0 {
		for i := range bad {
			bad[i].Origin = strings.TrimSuffix(bad[i].Origin, config.Variables) // they were flags
		}
		return nil, misuse{fmt.Errorf("--backend %s: %w", f.backend, bad)}
	}
	return m.Stores, nil
}

// choose returns the store to work on.
func (p program) choose(f *storeFlags, write bool) (config.Store, error) {
	all, err := p.stores(f)
	if err != nil {
		return config.Store{}, err
	}
	var ids []string
	for _, s := range all {
		ids = append(ids, s.ID)
		switch {
		case f.id != "" && s.ID != f.id, f.id == "" && !s.Enabled:
		case write && !s.Backend.Traits.Writes:
			if f.id != "" || f.backend != "" {
				return config.Store{}, fmt.Errorf("the store %s can only be read: change its keys with its own tools", s.ID)
			}
		default:
			return s, nil
		}
	}
	switch {
	case f.id != "":
		return config.Store{}, usage("--store %s: there is no such store; there is %s", f.id, strings.Join(ids, ", "))
	case len(ids) > 0:
		return config.Store{}, fmt.Errorf("none of the stores %s is enabled and can be used for this: give --store or --backend", strings.Join(ids, ", "))
	}
	return config.Store{}, fmt.Errorf("no store is configured in %s: add a [[confds]] table, or give --backend NAME --node HOST:PORT", workdir.Dir(f.dir).Main())
}

// target is an open store.
type target struct {
	store.Store
	conf    config.Store
	timeout time.Duration
}

// open opens the store that the flags mean.
func (p program) open(f *storeFlags, write bool) (*target, error) {
	conf, err := p.choose(f, write)
	if err != nil {
		return nil, err
	}
	return open(conf, f.timeout)
}

func open(conf config.Store, timeout time.Duration) (*target, error) {
	s, err := conf.Backend.Open(store.Options{Root: conf.Root, Values: conf.Values, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("open the store %s: %w", conf.ID, err)
	}
	return &target{s, conf, timeout}, nil
}

// full returns key with the root before it.
func (t *target) full(key string) string { return t.conf.Root + "/" + key }

// read reads the store within the timeout.
func (t *target) read(ctx context.Context) (store.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	snap, err := t.Read(ctx)
	return snap, t.explain(err)
}

// find reads the key that arg means, and reports whether it is there. A name
// alone finds NAME.conf too: a store in files may hold one.
func (t *target) find(ctx context.Context, arg string) (store.Entry, bool, error) {
	key, err := keyOf(t.conf.Root, arg)
	if err != nil {
		return store.Entry{}, false, err
	}
	snap, err := t.read(ctx)
	if err != nil {
		return store.Entry{}, false, err
	}
	if e, ok := snap.Get(key); ok {
		return e, true, nil
	}
	if e, ok := snap.Get(key + confSuffix); ok && !strings.Contains(arg, "/") {
		return e, true, nil
	}
	return store.Entry{Key: key}, false, nil
}

// get reads a key that has to be there.
func (t *target) get(ctx context.Context, arg string) (store.Entry, error) {
	e, ok, err := t.find(ctx, arg)
	if err == nil && !ok {
		err = fmt.Errorf("%w: %s in %s; see `datakit confd ls`", store.ErrNotFound, t.full(e.Key), t.conf.ID)
	}
	return e, err
}

// whole refuses an entry whose value is too large to be read.
func (t *target) whole(e store.Entry) error {
	if e.TooLarge == 0 {
		return nil
	}
	return fmt.Errorf("%s holds %d bytes, at most %d are taken: make it smaller with the store's own tools", t.full(e.Key), e.TooLarge, store.MaxValue)
}

// put writes e.Value under cond.
func (t *target) put(ctx context.Context, e store.Entry, cond store.Cond) (store.Revision, error) {
	w, ok := t.Store.(store.Writer)
	if !ok {
		return "", fmt.Errorf("the store %s can only be read: change its keys with its own tools", t.conf.ID)
	}
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	rev, err := w.Put(ctx, e.Key, e.Value, cond)
	return rev, t.explain(err)
}

// remove deletes one key.
func (t *target) remove(ctx context.Context, e store.Entry) error {
	w, ok := t.Store.(store.Writer)
	if !ok {
		return fmt.Errorf("the store %s can only be read: change its keys with its own tools", t.conf.ID)
	}
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	return t.explain(w.Delete(ctx, e.Key, store.Cond{Revision: e.Revision}))
}

// create makes the place that the store keeps its keys in, where it needs one.
func (t *target) create(ctx context.Context) error {
	s, ok := t.Store.(store.Creator)
	if !ok {
		return nil
	}
	return t.explain(s.Create(ctx))
}

// explain says what to do about an error of the store.
func (t *target) explain(err error) error {
	var advice string
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrDenied):
		advice = "check the user name, the password or the token, and what they may do"
	case errors.Is(err, store.ErrConflict):
		advice = "look at it with `datakit confd get`, and try again"
	case errors.Is(err, context.DeadlineExceeded):
		advice = fmt.Sprintf("no answer within %v; is it reachable? --timeout waits longer", t.timeout)
	case errors.Is(err, store.ErrUnavailable):
		advice = "is it running, and reachable from here?"
	default:
		return fmt.Errorf("store %s: %w", t.conf.ID, err)
	}
	return fmt.Errorf("store %s: %w: %s", t.conf.ID, err, advice)
}
