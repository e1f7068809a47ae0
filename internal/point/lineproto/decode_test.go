package lineproto

import (
	"fmt"
	"strings"
	"testing"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/point"
)

// show renders a point so that every kind and byte is seen.
func show(p point.Point) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q", p.Name)
	for _, t := range p.Tags {
		fmt.Fprintf(&b, " %q=%q", t.Key, t.Value)
	}
	b.WriteString(" |")
	for _, f := range p.Fields {
		fmt.Fprintf(&b, " %q=%s(%#v)", f.Key, f.Value.Kind(), f.Value.Any())
	}
	fmt.Fprintf(&b, " @%d", p.Time)
	return b.String()
}

func TestDecodeReadsTheFormat(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`m f=1`, `"m" | "f"=float(1) @0`},
		{`m,b=1,a=2 f=1i 5`, `"m" "a"="2" "b"="1" | "f"=int(1) @5`},
		{"m f=1u -5\r\n", `"m" | "f"=uint(0x1) @-5`},
		{"m f=1\r", `"m" | "f"=float(1) @0`},
		{`m a=t,b=T,c=true,d=True,e=TRUE`, `"m" | "a"=bool(true) "b"=bool(true) "c"=bool(true) "d"=bool(true) "e"=bool(true) @0`},
		{`m a=f,b=F,c=false,d=False,e=FALSE`, `"m" | "a"=bool(false) "b"=bool(false) "c"=bool(false) "d"=bool(false) "e"=bool(false) @0`},
		{`m a=-1.5e3,b=.5,c=1.,d=1E-2`, `"m" | "a"=float(-1500) "b"=float(0.5) "c"=float(1) "d"=float(0.01) @0`},
		{`m a=-9223372036854775808i,b=18446744073709551615u`, `"m" | "a"=int(-9223372036854775808) "b"=uint(0xffffffffffffffff) @0`},
		{`a\ b\,c\=d,e\ f=g\,h\=i k\ \=\,="v"`, `"a b,c\\=d" "e f"="g,h=i" | "k =,"=str("v") @0`},
		{`m,path=C:\dir\file f=1`, `"m" "path"="C:\\dir\\file" | "f"=float(1) @0`},
		{`m,a=b\\,c\=d f=1`, `"m" "a"="b\\,c=d" | "f"=float(1) @0`},
		{`m s="a \"b\" \\ \n c"`, `"m" | "s"=str("a \"b\" \\ \\n c") @0`},
		{"m s=\"line one\nline, two = 2\" 9", `"m" | "s"=str("line one\nline, two = 2") @9`},
		{`m s=""`, `"m" | "s"=str("") @0`},
		{`m "quoted"=1`, `"m" | "\"quoted\""=float(1) @0`},
		{`   m   f=1   5   `, `"m" | "f"=float(1) @5`},
		{`\#m f=1`, `"#m" | "f"=float(1) @0`},
		{`m,h=世界 é="ü"`, `"m" "h"="世界" | "é"=str("ü") @0`},
	} {
		pts, l := Decode(c.in, Options{})
		if len(l) > 0 || len(pts) != 1 {
			t.Errorf("%s: %d points, %v", c.in, len(pts), l)
			continue
		}
		if got := show(pts[0]); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.in, got, c.want)
		}
	}
}

func TestDecodeSaysWhatIsWrongAndWhere(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`m`, `1:2: expected a space and fields after the measurement, got the end of the line`},
		{`,a=b f=1`, `1:1: expected a measurement, got ','`},
		{`m `, `1:3: expected the name of a field, got the end of the line`},
		{`m,a f=1`, `1:4: expected = after tag "a", got ' '`},
		{`m,a= f=1`, `1:5: expected the value of tag "a", got ' '`},
		{`m,a=b`, `1:6: expected a comma or a space after the value of tag "a", got the end of the line`},
		{`m,a=b=c f=1`, `1:6: expected a comma or a space after the value of tag "a", got '='`},
		{`m,=b f=1`, `1:3: expected the name of a tag, got '='`},
		{`m,a=1,a=2 f=1`, `1:1: a tag is written twice`},
		{`m f`, `1:4: expected = after field "f", got the end of the line`},
		{`m f=`, `1:5: expected the value of field "f", got the end of the line`},
		{`m f=1,f=2`, `1:7: field "f" is written twice`},
		{`m f=abc`, `1:5: field "f": "abc" is no number, bool or quoted string`},
		{`m f=0x10`, `1:5: field "f": "0x10" is no number, bool or quoted string`},
		{`m f=NaN`, `1:5: field "f": "NaN" is no number, bool or quoted string`},
		{`m f=1e999`, `1:5: field "f": "1e999" is out of range`},
		{`m f=9223372036854775808i`, `1:5: field "f": "9223372036854775808i" is out of range`},
		{`m f=-1u`, `1:5: field "f": "-1u" is no number, bool or quoted string`},
		{`m f=i`, `1:5: field "f": "i" is no number, bool or quoted string`},
		{`m f=1,`, `1:7: expected the name of a field, got the end of the line`},
		{`m f="a"b`, `1:8: expected a comma or a space after the value of field "f", got 'b'`},
		{`m f="a`, `1:5: the string of field "f" has no closing quote`},
		{`m f=1 now`, `1:7: expected a time or the end of the line, got 'n'`},
		{`m f=1 5 6`, `1:9: expected a time or the end of the line, got '6'`},
		{`m f=1 99999999999999999999`, `1:7: time 99999999999999999999 does not fit 64 bits of nanoseconds; its precision is taken to be "n"`},
		{`m f=1 -`, `1:7: expected a time, got "-"`},
		{"\n# c\n é f=x", `3:6: field "f": "x" is no number, bool or quoted string`},
	} {
		pts, l := Decode(c.in, Options{})
		if len(pts) > 0 || len(l) != 1 || l[0].Error() != c.want {
			t.Errorf("%q\ngot  %v (%d points)\nwant %s", c.in, l, len(pts), c.want)
		}
	}
}

func TestABadLineCostsNoOther(t *testing.T) {
	good := "m%d f=1 %d\n"
	for _, bad := range []string{"nonsense\n", "m f=\n", "m f=\"open\n", "m,a f=1\n", "\x00\xff\n", "m f=1 x\n", "m f=\"two\nlines\"x\n"} {
		text := fmt.Sprintf(good, 1, 1) + bad + fmt.Sprintf(good, 2, 2) + "\n# a comment\n" + fmt.Sprintf(good, 3, 3)
		pts, l := Decode(text, Options{})
		if len(pts) != 3 || len(l) != 1 || l[0].Pos.Line < 2 || l[0].Pos.Line > 3 {
			t.Errorf("%q: %d points, %v", bad, len(pts), l)
		}
	}
}

func TestDecodeScalesTimeByItsPrecision(t *testing.T) {
	for name, want := range map[string]int64{"": 3, "n": 3, "ns": 3, "u": 3e3, "us": 3e3, "µs": 3e3, "ms": 3e6, "s": 3e9} {
		p, ok := ParsePrecision(name)
		pts, l := Decode("m f=1 3", Options{Precision: p})
		if !ok || len(l) > 0 || pts[0].Time != want {
			t.Errorf("%q: %v, %v", name, pts, l)
		}
	}
	if _, ok := ParsePrecision("h"); ok {
		t.Error("hours were taken")
	}
	_, l := Decode("m f=1 1700000000000000000", Options{Precision: Second})
	if len(l) != 1 || !strings.Contains(l[0].Message, `precision is taken to be "s"`) {
		t.Errorf("nanoseconds read as seconds: %v", l)
	}
}

func TestDecodeIsBounded(t *testing.T) {
	var many strings.Builder
	for i := range 6 {
		fmt.Fprintf(&many, ",t%d=v", i)
	}
	tags := "m" + many.String() + " f=1\n"
	fields := "m " + strings.ReplaceAll(many.String()[1:], "=v", "=1") + "\n"
	long := "m s=\"" + strings.Repeat("x\n", 100) + "\"\n"
	for _, c := range []struct{ in, want string }{
		{tags, "more than 5 tags"}, {fields, "more than 5 fields"}, {long, "a line of 206 bytes, at most 150 are taken"},
	} {
		pts, l := Decode(c.in+"m f=1\n", Options{MaxTags: 5, MaxFields: 5, MaxLine: 150})
		if len(pts) != 1 || len(l) != 1 || l[0].Message != c.want {
			t.Errorf("%d points, %v; want %s", len(pts), l, c.want)
		}
	}
	_, l := Decode(strings.Repeat("bad\n", 1000), Options{})
	if len(l) != maxDiagnostics+1 || l[maxDiagnostics].Message != "and 900 more lines are wrong" || l[99].Pos.Line != 100 {
		t.Errorf("%d diagnostics, the last %v", len(l), l[len(l)-1])
	}
}

func TestManyFieldsAreStillUnique(t *testing.T) {
	var b strings.Builder
	for i := range 500 {
		fmt.Fprintf(&b, ",f%d=%di", i, i)
	}
	line := "m " + b.String()[1:]
	pts, l := Decode(line+"\n"+line+",f3=1i\n"+line, Options{})
	if len(pts) != 2 || len(l) != 1 || l[0].Message != `field "f3" is written twice` {
		t.Fatalf("%d points, %v", len(pts), l)
	}
	if v, _ := pts[1].Field("f499"); v.Int() != 499 || len(pts[1].Fields) != 500 {
		t.Errorf("%d fields, f499 = %v", len(pts[1].Fields), v)
	}
}

func TestPointsDoNotShareTheirSlices(t *testing.T) {
	pts, _ := Decode("a,t=1 f=1\nb,t=2 f=2\n", Options{})
	pts[0].SetTag("z", "new")
	pts[0].Add("g", point.IntOf(1))
	if got, want := show(pts[1]), `"b" "t"="2" | "f"=float(2) @0`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDecodeAllocatesLittle(t *testing.T) {
	p := sample()
	text := strings.Repeat(string(Append(nil, &p)), 100)
	var l diag.List
	n := testing.AllocsPerRun(20, func() { _, l = Decode(text, Options{}) })
	if perPoint := n / 100; perPoint > 2.5 || len(l) > 0 { // two escapes a point; the slabs come to a part of one
		t.Errorf("%v allocations a point, %v", perPoint, l)
	}
}
