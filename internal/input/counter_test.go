package input

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPerSecond(t *testing.T) {
	for _, c := range []struct {
		before, now uint64
		elapsed     time.Duration
		want        float64
		ok          bool
	}{
		{100, 300, 2 * time.Second, 100, true},
		{100, 100, time.Second, 0, true},
		{300, 100, time.Second, 0, false},
		{math.MaxUint64, 5, time.Second, 0, false},
		{1, 2, 0, 0, false},
		{1, 2, -time.Second, 0, false},
	} {
		if got, ok := PerSecond(c.before, c.now, c.elapsed); got != c.want || ok != c.ok {
			t.Errorf("%d to %d in %v: %v %v", c.before, c.now, c.elapsed, got, ok)
		}
	}
}

func TestRateIsNeverNegativeNorInfinite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		elapsed := time.Duration(rapid.Int64().Draw(t, "elapsed"))
		r, ok := PerSecond(rapid.Uint64().Draw(t, "before"), rapid.Uint64().Draw(t, "now"), elapsed)
		if r < 0 || math.IsInf(r, 0) || math.IsNaN(r) || ok != (ok && elapsed > 0) {
			t.Fatalf("%v %v", r, ok)
		}
	})
}
