// Package faketime runs a test in a bubble of testing/synctest, in a way that the
// race detector of Go 1.26 survives.
//
// In a bubble, all timers share one context of the race detector, and a timer
// whose channel is looked at after its time runs where it is looked at, under no
// lock that others hold (golang/go issue 78156). Two goroutines that look at once
// ruin that context, and the process dies below Go code with SIGSEGV or
// "ThreadSanitizer: CHECK failed". Units that tick together do just that. With one
// processor no two can look at once; the detector goes by the order of what
// happens, so that it finds races all the same.
package faketime

import (
	"runtime"
	"testing"
	"testing/synctest"
)

// Test runs f in a bubble of its own, see testing/synctest.Test. No test that
// runs one may be parallel: a test that is fails.
func Test(t *testing.T, f func(*testing.T)) {
	t.Helper()
	if race {
		t.Setenv("GOMAXPROCS", "1") // refused where the test is parallel
		before := runtime.GOMAXPROCS(1)
		defer runtime.GOMAXPROCS(before)
	}
	synctest.Test(t, f)
}
