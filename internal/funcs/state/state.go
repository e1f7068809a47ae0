// Package state holds the script functions that remember something from one
// point to the next: a cache, sums over many points, the points around one.
//
// What they remember belongs to the script and ends with it; it is bounded, and
// swept while points come, by no goroutine. A script that is used from several
// goroutines has one state, behind a lock.
package state

import (
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// Functions lists the functions of this package.
func Functions() []fn.Func {
	return []fn.Func{cacheGet(), cacheSet(), aggCreate(), aggMetric(), pointWindow(), windowHit()}
}

// nothing is what the functions return that have no result.
func nothing() (point.Value, error) { return point.NilOf(), nil }

// maxBytes bounds what the cache, the sums or the windows of one script hold.
const maxBytes = 16 << 20

// shared returns the state of type T that the calls of c's script share.
func shared[T any](c *fn.Call, key string, create func() *T) *T {
	v, _ := c.Shared(key, func() any { return create() }).(*T)
	return v
}
