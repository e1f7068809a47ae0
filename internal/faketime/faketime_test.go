package faketime_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"datakit.dev/internal/faketime"
)

// The construct that ruins the race detector: many goroutines look at timers
// whose time is past, all at once. Without the one processor this kills the test's
// process nearly every time.
func TestTimersLookedAtTogether(t *testing.T) {
	before := runtime.GOMAXPROCS(4)
	defer runtime.GOMAXPROCS(before)
	for range 50 {
		faketime.Test(t, func(*testing.T) {
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					for range 200 {
						past := time.NewTimer(time.Second)
						gate := make(chan struct{})
						time.AfterFunc(2*time.Second, func() { close(gate) })
						<-gate
						<-past.C
						<-time.NewTimer(0).C
					}
				})
			}
			all.Wait()
		})
	}
	if got := runtime.GOMAXPROCS(0); got != 4 {
		t.Errorf("%d processors are left of 4", got)
	}
}

func TestTimeIsThatOfABubble(t *testing.T) {
	faketime.Test(t, func(t *testing.T) {
		start := time.Now()
		time.Sleep(24 * time.Hour)
		if got := time.Since(start); got != 24*time.Hour {
			t.Errorf("a day took %v", got)
		}
	})
}
