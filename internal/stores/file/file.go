// Package file is a config store in files and directories: for one machine
// without a server, for a mounted Kubernetes ConfigMap, and for trying things
// out.
//
// A listed directory holds confd/… and pipeline/<category>/…, whose paths are
// the keys, or bare .conf files, each of them the key confd/<name>.conf. A listed file is
// the key confd/<name>. Where two paths hold one key, the first listed wins; two
// listed files of one name are told apart by a number: cpu.conf, cpu-2.conf.
//
// A listed path that is missing makes the store unavailable, not empty: a mount
// that went away must not look as if every key had been deleted. An empty
// directory is an empty tree.
package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// Backend returns the file store for the list of backends.
func Backend() store.Backend {
	return store.Backend{
		Name:   "file",
		Doc:    "Files and directories of this machine, watched for changes, or polled where the file system tells of none.",
		DocZH:  "本机的文件和目录：监听变更；文件系统不支持时轮询。",
		Spec:   spec.Schema{Name: "confds", Fields: store.Pick("file", "nodes", "circle_interval")},
		Traits: store.Traits{Watches: true, Writes: true},
		Open:   func(o store.Options) (store.Store, error) { return open(o) },
	}
}

// closeGrace bounds Close on a file system that hangs: the read that hangs
// there cannot be ended by anyone.
const closeGrace = 2 * time.Second

// files is the store.
type files struct {
	paths    []string // absolute, as listed
	interval time.Duration
	log      *slog.Logger
	rest     func(context.Context, time.Duration) error // between two looks
	notify   *notifier

	busy    chan struct{} // holds the one look that may run
	cache   cache         // guarded by busy
	hidden  []string      // what the last look did not take, guarded by busy
	writing chan struct{} // holds the one write that may run

	ctx  context.Context //nolint:containedctx // ends every look when the store is closed
	stop context.CancelFunc
	runs sync.WaitGroup
	once sync.Once

	mu     sync.Mutex
	closed bool // no look begins any more
}

func open(o store.Options) (*files, error) {
	listed := slices.Concat(o.Values.Strings("file"), o.Values.Strings("nodes"))
	if len(listed) == 0 {
		return nil, errors.New(`backend "file" needs file: a list of files and directories`)
	}
	f := &files{
		interval: time.Duration(max(o.Values.Int("circle_interval"), 1)) * time.Second,
		log:      o.Log,
		busy:     make(chan struct{}, 1),
		cache:    cache{},
		writing:  make(chan struct{}, 1),
	}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	for _, p := range listed {
		abs, err := filepath.Abs(p)
		if err != nil {
			return nil, fmt.Errorf("file %q: %w", p, err)
		}
		if !slices.Contains(f.paths, abs) {
			f.paths = append(f.paths, abs)
		}
	}
	f.rest = f.sleep
	f.ctx, f.stop = context.WithCancel(context.Background())
	f.notify = newNotifier(f.log, &f.runs)
	return f, nil
}

// Read implements [store.Store].
func (f *files) Read(ctx context.Context) (store.Snapshot, error) {
	t, err := f.look(ctx)
	if err != nil {
		return store.Snapshot{}, err
	}
	return t.snapshot, nil
}

// Wait implements [store.Store].
func (f *files) Wait(ctx context.Context, since store.Revision) error {
	for {
		moved := f.notify.next() // before the look, so that no change falls between
		snap, err := f.Read(ctx)
		if err != nil || snap.Revision != since {
			return err
		}
		if err := f.pause(ctx, moved); err != nil {
			return err
		}
	}
}

// pause returns when the tree is worth another look.
func (f *files) pause(ctx context.Context, moved <-chan struct{}) error {
	var poll <-chan time.Time
	if f.notify.Polling() {
		t := time.NewTimer(f.interval)
		defer t.Stop()
		poll = t.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-f.ctx.Done():
		return store.ErrClosed
	case <-poll:
	case <-moved:
	}
	return nil
}

// Polling implements [store.Poller].
func (f *files) Polling() bool { return f.notify.Polling() }

// Close implements [store.Store].
func (f *files) Close() error {
	f.once.Do(func() {
		f.mu.Lock()
		f.closed = true
		f.mu.Unlock()
		f.stop()
		f.notify.close()
		done := make(chan struct{})
		go func() { f.runs.Wait(); close(done) }()
		t := time.NewTimer(closeGrace)
		defer t.Stop()
		select {
		case <-done:
		case <-t.C:
			f.log.Warn("the file system hangs, a read of it is left behind")
		}
	})
	return nil
}

// look walks the paths until two walks agree. The walk runs on its own, so that
// a hanging network file system cannot hold the caller beyond ctx.
func (f *files) look(ctx context.Context) (tree, error) { //nolint:contextcheck // the walk ends with the store or, below, with the caller
	select {
	case <-f.ctx.Done():
		return tree{}, store.ErrClosed
	case <-ctx.Done():
		return tree{}, fmt.Errorf("read files: %w", ctx.Err())
	case f.busy <- struct{}{}:
	}
	type result struct {
		tree tree
		err  error
	}
	done := make(chan result, 1)
	walking, cancel := context.WithCancel(f.ctx)
	defer cancel()
	f.mu.Lock()
	if !f.closed {
		f.runs.Go(func() {
			t, err := f.settled(walking)
			<-f.busy
			done <- result{t, err}
		})
	}
	f.mu.Unlock()
	select {
	case r := <-done:
		if r.err != nil && f.ctx.Err() != nil {
			return tree{}, store.ErrClosed
		}
		return r.tree, r.err
	case <-ctx.Done():
		return tree{}, fmt.Errorf("read files: %w", ctx.Err())
	case <-f.ctx.Done():
		return tree{}, store.ErrClosed
	}
}

// sleep waits for d unless the store or the caller ends first.
func (f *files) sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-f.ctx.Done():
		return store.ErrClosed
	case <-t.C:
		return nil
	}
}

// classify gives an error of the file system its place in the contract.
func classify(err error) error {
	switch {
	case err == nil, errors.Is(err, store.ErrUnavailable), errors.Is(err, errBound):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", store.ErrDenied, err)
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
}
