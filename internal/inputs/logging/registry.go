package logging

import (
	"context"
	"path/filepath"
	"sync"
)

// A registry knows which instances run, so that one takes over the offsets only
// of those that do not.
type registry struct {
	mu   sync.Mutex
	runs map[string]context.Context
}

// claim notes that an instance runs until ctx ends or the result is called.
func (r *registry) claim(ctx context.Context, dir, owner string) func() {
	key := filepath.Join(dir, owner)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.runs == nil {
		r.runs = map[string]context.Context{}
	}
	r.runs[key] = ctx //nolint:fatcontext // it is kept, not nested
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.runs[key] == ctx {
			delete(r.runs, key)
		}
	}
}

// running reports that owner runs: one that was told to stop does no more, even
// where it takes its time.
func (r *registry) running(dir, owner string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	ctx, ok := r.runs[filepath.Join(dir, owner)]
	return ok && ctx.Err() == nil
}
