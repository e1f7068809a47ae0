package lineproto

import (
	"math"
	"strings"
	"testing"

	"datakit.dev/internal/point"
)

func one(name string, fields ...point.Field) point.Point {
	return point.Point{Name: name, Fields: fields, Time: 7}
}

func TestAppendWritesTheFormat(t *testing.T) {
	list := []point.Value{point.IntOf(1)}
	f := func(k string, v point.Value) point.Field { return point.Field{Key: k, Value: v} }
	tagged := one("m", f("f", point.IntOf(1)))
	tagged.Tags = []point.Tag{{Key: "a,b", Value: "c d"}, {Key: "e=f", Value: `g\h`}, {Key: "empty", Value: ""}, {Key: "", Value: "x"}}
	untimed := one("m", f("f", point.IntOf(1)))
	untimed.Time = 0
	for _, c := range []struct {
		p    point.Point
		want string
	}{
		{one("m", f("i", point.IntOf(math.MinInt64)), f("u", point.UintOf(math.MaxUint64))), "m i=-9223372036854775808i,u=18446744073709551615u 7\n"},
		{one("m", f("f", point.FloatOf(1)), f("g", point.FloatOf(-0.25)), f("h", point.FloatOf(1e300))), "m f=1,g=-0.25,h=1e+300 7\n"},
		{one("m", f("b", point.BoolOf(true)), f("c", point.BoolOf(false))), "m b=true,c=false 7\n"},
		{one("m", f("s", point.StringOf("say \"hi\"\\\nbye"))), "m s=\"say \\\"hi\\\"\\\\\nbye\" 7\n"},
		{one("m", f("s", point.StringOf(""))), "m s=\"\" 7\n"},
		{one("a b,c=d\"e\\f", f("k =,\"\\x", point.IntOf(1))), `a\ b\,c=d"e\f k\ \=\,"\x=1i 7` + "\n"},
		{tagged, `m,a\,b=c\ d,e\=f=g\h f=1i 7` + "\n"},
		{untimed, "m f=1i\n"},
		{one("#m", f("f", point.IntOf(1))), `\#m f=1i 7` + "\n"},
		{one("世界", f("é", point.StringOf("ü"))), `世界 é="ü" 7` + "\n"},
		// What the format cannot say.
		{one("a\nb", f("k\r", point.IntOf(1))), `a\ b k\ =1i 7` + "\n"},
		{one(`a\\`, f(`k\`, point.IntOf(1))), "a k=1i 7\n"},
		{one("m", f("n", point.FloatOf(math.NaN())), f("x", point.IntOf(1)), f("y", point.FloatOf(math.Inf(-1)))), "m x=1i 7\n"},
		{one("m", f("a", point.NilOf()), f("b", point.BytesOf([]byte("x"))), f("c", point.ListOf(&list)), f("d", point.MapOf(nil)), f("", point.IntOf(1))), ""},
		{one("m"), ""},
		{one("", f("f", point.IntOf(1))), ""},
		{one(`\`, f("f", point.IntOf(1))), ""},
	} {
		if got := string(Append([]byte("before "), &c.p)); got != "before "+c.want {
			t.Errorf("got  %q\nwant %q", got, "before "+c.want)
		}
	}
}

func TestAppendAllCountsWhatItSkips(t *testing.T) {
	pts := []point.Point{one("a", point.Field{Key: "f", Value: point.IntOf(1)}), one("b"), one("c", point.Field{Key: "f", Value: point.FloatOf(math.NaN())})}
	out, skipped := AppendAll(nil, pts)
	if string(out) != "a f=1i 7\n" || skipped != 2 {
		t.Errorf("%q, %d skipped", out, skipped)
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	p := sample()
	dst := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { dst = Append(dst[:0], &p) }); n != 0 {
		t.Errorf("%v allocations a point", n)
	}
}

// sample is a point such as the cpu input writes.
func sample() point.Point {
	p := point.Point{Name: "cpu", Time: 1700000000123456789, Tags: []point.Tag{{Key: "cpu", Value: "cpu-total"}, {Key: "host", Value: "web 01"}}}
	for i, k := range []string{"core_temperature", "load5s", "usage_idle", "usage_iowait", "usage_irq", "usage_nice", "usage_system", "usage_total", "usage_user"} {
		p.Add(k, point.FloatOf(12.345678*float64(i+1)))
	}
	p.Add("n_cpus", point.IntOf(16))
	p.Add("model", point.StringOf(`the "fast" one`))
	return p
}

func BenchmarkAppend(b *testing.B) {
	p := sample()
	dst := make([]byte, 0, 4096)
	b.ReportAllocs()
	b.SetBytes(int64(len(Append(nil, &p))))
	for b.Loop() {
		dst = Append(dst[:0], &p)
	}
}

func BenchmarkDecode(b *testing.B) {
	p := sample()
	text := strings.Repeat(string(Append(nil, &p)), 1000)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if pts, _ := Decode(text, Options{}); len(pts) != 1000 {
			b.Fatal(len(pts))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/point")
}
