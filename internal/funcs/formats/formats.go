// Package formats holds the script functions that read texts of a known format:
// user agents, key=value pairs, XML and SQL.
package formats

import (
	"datakit.dev/internal/pipeline/fn"
)

// Functions lists the functions of this package.
func Functions() []fn.Func {
	return []fn.Func{userAgent(), kvSplit(), xml(), sqlCover()}
}

// contained runs f, which calls a library on a text from outside, and reports
// whether it came to its end: a text that makes the library panic is passed over
// like any other that cannot be read.
func contained(f func()) (ended bool) {
	defer func() {
		if !ended {
			_ = recover()
		}
	}()
	f()
	return true
}
