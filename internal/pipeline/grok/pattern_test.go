package grok

import "testing"

func TestFirst(t *testing.T) {
	set, err := NewSet(nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(set.Names()); n != 78 {
		t.Fatalf("got %d built-in patterns, want 78", n)
	}
	max := 0
	for _, n := range set.Names() {
		p, err := Compile("%{"+n+":x}", set)
		if err != nil {
			t.Errorf("%s: %v", n, err)
			continue
		}
		max = maxi(max, len(p.expr.String()))
	}
	t.Log(max)
}

func maxi(a, b int) int {
	if a > b {
		return a
	}
	return b
}
