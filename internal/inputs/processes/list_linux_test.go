package processes

import (
	"testing"
	"time"
)

func FuzzParseStat(f *testing.F) {
	f.Add([]byte(stat(7, "x y) S", "R", 1, 1, 1, 1)))
	f.Add([]byte("1 () R"))
	f.Add([]byte(") 1 ("))
	f.Fuzz(func(t *testing.T, text []byte) {
		if p, ok := parseStat(text, time.Time{}); ok && (p.cpu < 0 || p.start.Before(time.Time{})) {
			t.Errorf("%+v", p)
		}
	})
}
