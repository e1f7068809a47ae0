package conv

import (
	"math"
	"testing"

	"github.com/spf13/cast"

	"datakit.dev/internal/point"
)

func TestCastsAsTheLibraryOfTheField(t *testing.T) {
	for _, s := range []string{"", "1", "0", "t", "T", "true", "True", "TRUE", "tRUE", "false", "yes", "1.9", "-1.9", " 1", "1e3", "0x10", "9007199254740993", "007", "+5", "-5", "999999999999999", "12a", "1_0"} {
		v := point.StringOf(s)
		if got, want := toBool(v).Bool(), cast.ToBool(s); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
		if got, want := toInt(v).Int(), cast.ToInt64(cast.ToFloat64(s)); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
	for _, f := range []float64{0, -0.5, 1.5, 1e18, math.MaxInt32} {
		v := point.FloatOf(f)
		if got, want := toInt(v).Int(), cast.ToInt64(f); got != want {
			t.Errorf("%v: got %v, want %v", f, got, want)
		}
		if got, want := toBool(v).Bool(), cast.ToBool(f != 0); got != want {
			t.Errorf("%v: got %v, want %v", f, got, want)
		}
	}
	list := []point.Value{}
	if toBool(point.ListOf(&list)).Bool() || toBool(point.NilOf()).Bool() || toText(point.ListOf(&list)).Text() != "" {
		t.Error("a list or nil is converted")
	}
}
