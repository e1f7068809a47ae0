package grok

import (
	"testing"
)

func TestFirst(t *testing.T) {
	set, err := NewSet(nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(set.Names()); n != 78 {
		t.Fatalf("got %d built-in patterns, want 78", n)
	}
}
