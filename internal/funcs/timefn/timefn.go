// Package timefn holds the script functions that read and write times. Their
// dates are read by the libraries, and in the versions, that decided what the
// field's scripts mean: the next version reads some texts as another day.
package timefn

import (
	_ "time/tzdata" // the zones, for hosts that have none: a script must not mean another time there

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// Functions lists the functions of this package.
func Functions() []fn.Func {
	return []fn.Func{
		defaultTime(), defaultTimeWithFmt(), parseDate(), datetime(), timestamp(),
		parseDuration(), durationPrecision(), adjustTimezone(),
	}
}

// nothing is what the functions return that write their result to a key.
func nothing() (point.Value, error) { return point.NilOf(), nil }
