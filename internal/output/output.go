// Package output says what a destination of points is.
package output

import (
	"context"
	"errors"
	"log/slog"

	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

// ErrRejected marks points that the destination will never take: they are
// counted and dropped. Any other error of Write is retried.
var ErrRejected = errors.New("rejected by the destination")

// A Batch is points of one category.
type Batch struct {
	Category point.Category
	Points   []point.Point
}

// An Output writes points to one destination. The queue before it calls Write
// from one goroutine, and calls again with the same batch after an error that
// is not ErrRejected: delivery is at least once. Write MUST return soon after
// ctx ends, and must not keep or change the batch.
type Output interface {
	Write(ctx context.Context, b Batch) error
	Close() error
}

// A Plugin is one kind of output, as a value in the list of
// [datakit.dev/internal/outputs/all].
type Plugin struct {
	Name  string
	Doc   string
	DocZH string
	Spec  spec.Schema
	// Open returns an output; it MUST NOT wait for the destination.
	Open func(Env, spec.Values) (Output, error)
}

// Env is what an output may use of the agent.
type Env struct {
	Log     *slog.Logger
	Version string // for a User-Agent
}
