//go:build !windows

package app

import "context"

// underService runs run: only Windows talks to its services.
func underService(ctx context.Context, run func(context.Context) error) error { return run(ctx) }
