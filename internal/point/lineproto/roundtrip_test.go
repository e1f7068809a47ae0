package lineproto

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/point"
)

// The letters of names and of texts that try every escape.
const (
	nameLetters = "ab,= \\\"#é\t世\x00'"
	textLetters = "ab,= \\\"#é\n\r\x00"
)

// points draws points that the format can say in full.
func points(names, texts string) *rapid.Generator[point.Point] {
	return rapid.Custom(func(t *rapid.T) point.Point { return drawPoint(t, names, texts) })
}

func drawPoint(t *rapid.T, names, texts string) point.Point {
	name := rapid.StringOfN(rapid.RuneFrom([]rune(names)), 1, 8, -1).Filter(func(s string) bool {
		return sayable(s) == s && !strings.HasPrefix(s, `\#`)
	})
	value := rapid.OneOf(
		rapid.Map(rapid.Int64(), point.IntOf),
		rapid.Map(rapid.Uint64(), point.UintOf),
		rapid.Map(rapid.Float64(), point.FloatOf),
		rapid.Map(rapid.Bool(), point.BoolOf),
		rapid.Map(rapid.StringOf(rapid.RuneFrom([]rune(texts))), point.StringOf),
	)
	p := point.Point{Name: name.Draw(t, "name"), Time: rapid.Int64().Draw(t, "time")}
	for _, k := range rapid.SliceOfNDistinct(name, 0, 5, rapid.ID).Draw(t, "tags") {
		p.SetTag(k, name.Draw(t, "tag value"))
	}
	for _, k := range rapid.SliceOfNDistinct(name, 1, 40, rapid.ID).Draw(t, "fields") {
		p.Set(k, value.Draw(t, "value"))
	}
	return p
}

func equal(a, b point.Point) bool {
	return a.Name == b.Name && a.Time == b.Time && slices.Equal(a.Tags, b.Tags) &&
		slices.EqualFunc(a.Fields, b.Fields, func(x, y point.Field) bool { return x.Key == y.Key && x.Value.Equal(y.Value) })
}

func TestWhatIsEncodedDecodesTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(points(nameLetters, textLetters), 1, 5).Draw(t, "points")
		text, skipped := AppendAll(nil, want)
		got, l := Decode(string(text), Options{})
		if len(l) > 0 || skipped > 0 || !slices.EqualFunc(got, want, equal) {
			t.Fatalf("skipped %d, %v\ntext %q\ngot  %v\nwant %v", skipped, l, text, got, want)
		}
	})
}

// FuzzRoundTrip: whatever a point holds, its line is one that decodes, to one
// point, with nothing of it taken for another.
func FuzzRoundTrip(f *testing.F) {
	f.Add("cpu", "host", "a b", "usage", "text", 1.5, int64(1))
	f.Add("#m\\", "k\n", "\\", "\r\n", "\"\\\"\n# x\n", math.Inf(1), int64(-1))
	f.Add(" \t", "=", ",", "\x00", "\xff", math.NaN(), int64(0))
	f.Add("m", "k", "v", "", "nothing to say", math.Inf(1), int64(1))
	f.Fuzz(func(t *testing.T, name, key, tag, field, text string, number float64, time int64) {
		p := point.Point{Name: name, Time: time}
		p.SetTag(key, tag)
		p.Set(field, point.StringOf(text))
		p.Set(field+"2", point.FloatOf(number))
		line := string(Append(nil, &p))
		if line == "" {
			if sayable(name) != "" && sayable(field) != "" {
				t.Fatalf("%v was not encoded", p)
			}
			return
		}
		pts, l := Decode(line, Options{})
		if len(l) > 0 || len(pts) != 1 || pts[0].Time != time || len(pts[0].Tags) > 1 {
			t.Fatalf("%q: %d points, %v", line, len(pts), l)
		}
		if v, ok := pts[0].Field(strings.NewReplacer("\n", " ", "\r", " ").Replace(sayable(field))); sayable(field) != "" && (!ok || v.Text() != text) {
			t.Fatalf("%q: field %q lost its text", line, field)
		}
	})
}

// FuzzDecode: no text makes the decoder panic or read out of place, and what it
// does read is stable under encoding.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"cpu,host=a usage=1.5,n=1i,u=2u,b=t,s=\"x\\\"y\" 1700000000000000000\n", "m f=\"a\nb\"\nm2 f=1\n",
		`\#m f=1`, "m,a=1,a=2 f=1", "m f=1 9999999999999999999", "#c\r\n\r\nm f=1\r\n", `a\ b,c\=d=e\,f g\ h="\\\""`, "m\\\n f=1", "m,a=\\ f=1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		pts, l := Decode(text, Options{})
		lines := 1 + strings.Count(text, "\n")
		if len(pts)+len(l) > lines+1 {
			t.Fatalf("%d points and %d diagnostics from %d lines", len(pts), len(l), lines)
		}
		for _, d := range l {
			if d.Pos.Line > lines {
				t.Fatalf("line %d of %d: %v", d.Pos.Line, lines, d)
			}
		}
		again, skipped := AppendAll(nil, pts)
		back, l := Decode(string(again), Options{})
		if len(l) > 0 || skipped > 0 || !slices.EqualFunc(pts, back, equal) {
			t.Fatalf("%q encodes as %q: %v", text, again, l)
		}
	})
}
