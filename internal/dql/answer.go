package dql

import (
	"math"

	"datakit.dev/internal/point"
)

// An Answer is the answer to several queries.
type Answer struct {
	Content []Result `json:"content"`
}

// A Result is the answer to one query. Lists are never null.
type Result struct {
	Series   []Series `json:"series"`
	Cost     string   `json:"cost"`
	RawQuery string   `json:"raw_query"`
}

// A Series is the rows of one group.
type Series struct {
	Name    string            `json:"name,omitempty"`
	Tags    map[string]string `json:"tags,omitempty"` // of the BY clause
	Columns []string          `json:"columns"`
	Values  [][]any           `json:"values"` // times in milliseconds since 1970
}

// Rows returns how many rows there are in all series.
func (r Result) Rows() (n int) {
	for _, s := range r.Series {
		n += len(s.Values)
	}
	return n
}

// millis returns ns in milliseconds, rounded down.
func millis(ns int64) int64 {
	const unit = 1e6
	if ns < 0 {
		return (ns - unit + 1) / unit
	}
	return ns / unit
}

// plain returns v as JSON has it.
func plain(v point.Value) any {
	if v.Kind() == point.Float {
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil
		}
	}
	return v.Any()
}
