// Package env is a config store in the environment variables of the agent's own
// process: for a container whose configuration is part of its deployment, with
// no server at all.
//
// The key /datakit/confd/cpu is the variable DATAKIT_CONFD_CPU. The environment
// of a process cannot be changed from outside, so it is read once, and a change
// is a new container.
package env

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// Backend returns the store of environment variables for the list of backends.
func Backend() store.Backend {
	return store.Backend{
		Name:   "env",
		Doc:    "Environment variables of the agent: /datakit/confd/cpu is DATAKIT_CONFD_CPU, read once at start.",
		DocZH:  "Agent 的环境变量：/datakit/confd/cpu 对应 DATAKIT_CONFD_CPU，启动时读取一次。",
		Spec:   spec.Schema{Name: "confds", Fields: store.Pick("prefix")},
		Traits: store.Traits{OneInstant: true, MaxValue: maxValue},
		Open:   func(o store.Options) (store.Store, error) { return open(o, os.Environ()) },
	}
}

// maxValue is what Linux lets a variable hold: 128 KiB, with its name, the sign
// between them and the zero behind them.
const maxValue = 127 << 10

// variables is the store: one snapshot, which never changes.
type variables struct {
	snapshot store.Snapshot

	once   sync.Once
	closed chan struct{}
}

func open(o store.Options, environ []string) (*variables, error) {
	prefix, err := variableOf(o.Root)
	if err != nil {
		return nil, err
	}
	entries := map[string]store.Entry{}
	for key, value := range keys(prefix, environ, runtime.GOOS == "windows") {
		entries[key] = store.Entry{Key: key, Value: value, Revision: store.RevisionOf(value)}
	}
	rev := store.TreeRevision(entries)
	list := make([]store.Entry, 0, len(entries))
	for _, e := range entries {
		list = append(list, e)
	}
	snap, err := store.NewSnapshot(rev, list)
	if err != nil {
		return nil, fmt.Errorf("read the environment: %w", err)
	}
	return &variables{snapshot: snap, closed: make(chan struct{})}, nil
}

// Read implements [store.Store].
func (v *variables) Read(ctx context.Context) (store.Snapshot, error) {
	if err := v.ended(ctx); err != nil {
		return store.Snapshot{}, fmt.Errorf("read the environment: %w", err)
	}
	return v.snapshot, nil
}

// Wait implements [store.Store]. What was read never changes, so it ends with
// ctx or the store only.
func (v *variables) Wait(ctx context.Context, since store.Revision) error {
	if err := v.ended(ctx); err != nil || since != v.snapshot.Revision {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-v.closed:
		return store.ErrClosed
	}
}

func (v *variables) ended(ctx context.Context) error {
	select {
	case <-v.closed:
		return store.ErrClosed
	default:
		return ctx.Err()
	}
}

// Close implements [store.Store].
func (v *variables) Close() error {
	v.once.Do(func() { close(v.closed) })
	return nil
}
