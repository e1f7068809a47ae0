// Package input says what a collector is: a value that describes itself, and
// makes instances that gather points or run on their own.
package input

import (
	"context"
	"log/slog"
	"time"

	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

// A Sink takes points. It sets the time of a point that has none, adds the
// instance's and the agent's tags, and takes the points over: the caller must
// not touch them again. It blocks while the flow is full, and returns an error
// only where ctx has ended or the instance has been stopped.
type Sink interface {
	Write(ctx context.Context, category point.Category, pts []point.Point) error
}

// A Gatherer is an instance that is asked for its points every interval. Calls
// do not overlap. Gather MUST return soon after ctx ends. An error is counted
// and shown; what was written before it stays.
type Gatherer interface {
	Gather(ctx context.Context, sink Sink) error
}

// A Runner is an instance that paces itself. Run blocks until ctx ends, then
// returns nil; any other return is a failure, and the instance is started again
// after a pause.
type Runner interface {
	Run(ctx context.Context, sink Sink) error
}

// A Closer is a Gatherer or Runner that holds something beyond its last call.
type Closer interface{ Close() error }

// Env is what an instance may use of the agent.
type Env struct {
	Log *slog.Logger
	Dir string // a folder for the state of this kind of input; it may not exist yet
}

// A Plugin is one kind of input, as a value in the list of
// [datakit.dev/internal/inputs/all].
type Plugin struct {
	Name      string   // NAME in [[inputs.NAME]], and the unit's kind
	Aliases   []string // other names that configuration may use
	Doc       string   // what it collects, one or two sentences, English
	DocZH     string   // the same in Chinese
	Singleton bool     // of several instances only the first runs

	// Options describes the fields of its own; [Plugin.Schema] adds those that
	// every input has.
	Options      []spec.Field
	Interval     time.Duration // default time between two gathers; 10 s where 0
	Measurements []Measurement // what it emits, for the reference

	// Baseline says that the first Gather only takes a first sample and writes
	// nothing; a second one then follows early instead of an interval later.
	Baseline bool

	// Script names the script that the points of an instance with these values
	// run through, instead of the one that their own name asks for: "" keeps that
	// one, "-" means none. It may be nil.
	Script func(spec.Values) string

	// Exactly one of the two. It checks the values, fails with an error that
	// says what to change, and takes nothing that another instance of the same
	// kind may still hold (a port, a lock): the old instance runs beside the
	// new one until the new one stands.
	NewGatherer func(Env, spec.Values) (Gatherer, error)
	NewRunner   func(Env, spec.Values) (Runner, error)
}

// A Measurement documents one set of points.
type Measurement struct {
	Name     string
	Category point.Category // Metric where empty
	Doc      string
	DocZH    string
	Tags     []Tag
	Fields   []Field
}

// A Tag documents one tag.
type Tag struct{ Name, Doc, DocZH string }

// A Field documents one field.
type Field struct {
	Name  string
	Kind  point.Kind
	Unit  string // "percent", "bytes", "ns", "count"; "" where it has none
	Doc   string
	DocZH string
}
