// Package dql is the query language of the recent points: DataFlux Query
// Language, as far as one host can answer it.
//
//	namespace::source:(targets){filters}[time] BY … ORDER BY … LIMIT n …
//
// [Parse] makes a [Query] of a text, or says with line and column what is wrong.
// [Run] answers a query from a [Source], within bounds on rows, time and memory.
// The package has no clock and no goroutine.
package dql

import (
	"iter"

	"datakit.dev/internal/point"
	"datakit.dev/internal/point/block"
)

// A Source is what a query reads.
type Source interface {
	// Names returns the measurements or sources of a category, sorted.
	Names(category point.Category) []string

	// Blocks yields the points of one name that may be of the time from to to,
	// both included, in nanoseconds; others may lie beside them. A block stays
	// as it is after the iteration.
	Blocks(category point.Category, name string, from, to int64) iter.Seq[block.Block]

	// Oldest returns the time of the oldest points that count.
	Oldest() int64
}

// The bounds of a query.
const (
	maxQuery   = 64 << 10
	maxDepth   = 100
	maxTargets = 200
	maxBy      = 32
	maxItems   = 10_000 // of an in […]
	maxLimit   = 100_000
	maxGroups  = 10_000
	maxBuckets = 100_000 // of one group

	defaultLimit = 1000 // rows a group, of a query that aggregates nothing
)

// A Namespace is a category with the names that queries have for it.
type Namespace struct {
	Category point.Category
	Short    string
	Names    []string // long ones
	// Key is the tag that the source of a point answers to, "" for none.
	Key string
}

// Namespaces returns the namespaces.
func Namespaces() []Namespace {
	return []Namespace{
		{point.Metric, "M", []string{"metric"}, ""},
		{point.Logging, "L", []string{"logging"}, "source"},
		{point.Object, "O", []string{"object"}, "class"},
		{point.CustomObject, "CO", []string{"custom_object"}, "class"},
		{point.KeyEvent, "E", []string{"event", "keyevent"}, "source"},
		{point.Tracing, "T", []string{"tracing"}, "service"},
		{point.RUM, "R", []string{"rum"}, "source"},
		{point.Security, "S", []string{"security"}, "category"},
		{point.Network, "N", []string{"network"}, "source"},
		{point.Profiling, "P", []string{"profiling"}, "service"},
		{point.DialTesting, "D", []string{"dialtesting"}, ""},
	}
}
