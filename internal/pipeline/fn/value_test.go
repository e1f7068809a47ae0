package fn_test

import (
	"math"
	"strings"
	"testing"

	gojson "github.com/goccy/go-json"
	"github.com/spf13/cast"
	"pgregory.net/rapid"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// value draws a value of the language.
func value(t *rapid.T, depth int) point.Value {
	kind := rapid.IntRange(0, 6).Draw(t, "kind")
	if depth == 0 {
		kind %= 5
	}
	switch kind {
	case 0:
		return point.NilOf()
	case 1:
		return point.BoolOf(rapid.Bool().Draw(t, "bool"))
	case 2:
		return point.IntOf(rapid.Int64().Draw(t, "int"))
	case 3:
		return point.FloatOf(rapid.SampledFrom([]float64{0, 1.5, -1e-7, 1e21, 1e20, 123456789.125, -0.1}).Draw(t, "float"))
	case 4:
		return point.StringOf(text(t))
	case 5:
		list := make([]point.Value, rapid.IntRange(0, 3).Draw(t, "len"))
		for i := range list {
			list[i] = value(t, depth-1)
		}
		return point.ListOf(&list)
	}
	m := map[string]point.Value{}
	for range rapid.IntRange(0, 3).Draw(t, "keys") {
		m[text(t)] = value(t, depth-1)
	}
	return point.MapOf(m)
}

func text(t *rapid.T) string {
	return rapid.SampledFrom([]string{
		"", "a", "b", "a b", "a!", "ab", "<a&b>", "\"\\\n\r\t\x01\x7f", "中文😀", "\u2028\u2029",
	}).Draw(t, "text")
}

func TestJSONIsWhatTheLibraryOfTheFieldWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := value(t, 3)
		got, err := fn.JSON(v)
		if err != nil {
			t.Fatal(err)
		}
		want, err := gojson.Marshal(v.Any())
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}

func TestValuesWithoutJSON(t *testing.T) {
	self := []point.Value{point.NilOf()}
	self[0] = point.ListOf(&self)
	m := map[string]point.Value{}
	m["m"] = point.MapOf(m)
	wide := point.StringOf(strings.Repeat("x", 1000))
	for range 40 {
		list := []point.Value{wide, wide}
		wide = point.ListOf(&list)
	}
	for name, v := range map[string]point.Value{
		"NaN": point.FloatOf(math.NaN()), "infinity": point.FloatOf(math.Inf(1)),
		"a list in itself": point.ListOf(&self), "a map in itself": point.MapOf(m), "2^40 strings": wide,
	} {
		if text, err := fn.JSON(v); err == nil {
			t.Errorf("%s: %d bytes", name, len(text))
		}
		if fn.TextOf(v) != "" && v.Kind() != point.Float {
			t.Errorf("%s has a text", name)
		}
	}
	for name, v := range map[string]point.Value{"list": point.ListOf(&self), "map": point.MapOf(m), "wide": wide} {
		if _, err := fn.Plain(v); err == nil {
			t.Errorf("%s became a plain value", name)
		}
	}
}

func TestTextOf(t *testing.T) {
	for want, v := range map[string]point.Value{
		"": point.NilOf(), "-7": point.IntOf(-7), "7": point.UintOf(7), "1.5": point.FloatOf(1.5), "100000000000000000000000": point.FloatOf(1e23),
		"true": point.BoolOf(true), "x": point.StringOf("x"), "y": point.BytesOf([]byte("y")), "NaN": point.FloatOf(math.NaN()),
	} {
		if got := fn.TextOf(v); got != want {
			t.Errorf("%v: got %q, want %q", v, got, want)
		}
	}
}

func TestSameIsEqualityOfContent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, w := value(t, 2), value(t, 2)
		if !fn.Same(v, v) || fn.Same(v, w) != fn.Same(w, v) {
			t.Fatalf("%v and %v", v, w)
		}
		a, _ := fn.JSON(v)
		b, _ := fn.JSON(w)
		if fn.Same(v, w) && a != b {
			t.Fatalf("%s is the same as %s", a, b)
		}
		if fn.Same(v, w) != v.Equal(w) { // no NaN among them
			t.Fatalf("%s and %s: the same %v, equal %v", a, b, fn.Same(v, w), v.Equal(w))
		}
	})
	if nan := point.FloatOf(math.NaN()); fn.Same(nan, nan) {
		t.Error("NaN is the same as NaN")
	}
	if fn.Same(point.IntOf(1), point.FloatOf(1)) {
		t.Error("an int is the same as a float")
	}
}

func TestNumberConvertsAsTheLibraryOfTheField(t *testing.T) {
	for _, s := range []string{"", "1", "1.5", " 1", "-2e3", "0x10", "abc", "1_0", "Inf", "true", "9223372036854775807"} {
		if got, want := fn.Number(point.StringOf(s)), cast.ToFloat64(s); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
	list := []point.Value{}
	for want, v := range map[float64]point.Value{0: point.ListOf(&list), 7: point.IntOf(7), 1.5: point.FloatOf(1.5), 1: point.BoolOf(true)} {
		if got := fn.Number(v); got != want {
			t.Errorf("%v: got %v", v, got)
		}
	}
	if fn.Number(point.NilOf()) != 0 || fn.Number(point.BoolOf(false)) != 0 {
		t.Error("nil or false is not 0")
	}
}
