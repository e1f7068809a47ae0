package app

import (
	"context"
	"testing"
)

// An end that was in time must not be told as late, which it was now and then.
func TestEndsCountsWhatIsDone(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	done := make(chan struct{})
	close(done)
	for range 100 {
		if !ends(over, done) {
			t.Fatal("what is done counts as late")
		}
	}
	if ends(over, make(chan struct{})) {
		t.Error("what is not done counts as done")
	}
	if !ends(t.Context(), done) {
		t.Error("what is done in time counts as late")
	}
}
