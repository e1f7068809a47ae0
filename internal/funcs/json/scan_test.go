package json

import (
	stdjson "encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func newRun() *fn.Run {
	r := new(fn.Run)
	r.Start(nil, &fn.Env{})
	return r
}

// read returns the value of text, and whether it is JSON.
func read(t interface{ Fatal(args ...any) }, text string) (point.Value, bool) {
	r := newRun()
	d, err := open(r, text)
	if err != nil {
		t.Fatal(err)
	}
	if d == nil {
		return point.NilOf(), false
	}
	v, err := d.value(r, 0)
	if err != nil {
		t.Fatal(err)
	}
	return v, true
}

// randomText draws a JSON text with white space where it may stand.
func randomText(t *rapid.T, depth int) string {
	space := rapid.SampledFrom([]string{"", " ", "\n\t"})
	kind := rapid.IntRange(0, 6).Draw(t, "kind")
	if depth == 0 {
		kind %= 5
	}
	var b strings.Builder
	switch kind {
	case 0:
		b.WriteString(rapid.SampledFrom([]string{"true", "false", "null"}).Draw(t, "word"))
	case 1:
		fmt.Fprint(&b, rapid.Int().Draw(t, "int"))
	case 2:
		b.WriteString(rapid.SampledFrom([]string{"-0", "1.5", "1e2", "1E-7", "0.1", "12345678901234567890", "-2.5e+3"}).Draw(t, "number"))
	case 3, 4:
		b.WriteString(quoted(t))
	case 5:
		b.WriteByte('[')
		for i := range rapid.IntRange(0, 3).Draw(t, "elems") {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(randomText(t, depth-1))
		}
		b.WriteByte(']')
	case 6:
		b.WriteByte('{')
		for i := range rapid.IntRange(0, 3).Draw(t, "keys") {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(space.Draw(t, "sp") + quoted(t) + space.Draw(t, "sp") + ":" + randomText(t, depth-1))
		}
		b.WriteByte('}')
	}
	return space.Draw(t, "before") + b.String() + space.Draw(t, "after")
}

func quoted(t *rapid.T) string {
	return rapid.SampledFrom([]string{
		`""`, `"a"`, `"b"`, `"a"`, `"\u0061"`, `"\\"`, `"x\"y"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ud83dx"`, `"中文\n"`, `"\\\""`,
		`"\/\b\f\n\r\t"`, `"[{,:}]"`,
	}).Draw(t, "string")
}

func TestParseReadsWhatTheStandardLibraryReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := randomText(t, 3)
		got, ok := read(t, text)
		if !ok {
			t.Fatalf("%q is not taken", text)
		}
		var want any
		if err := stdjson.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Any(), want) {
			t.Fatalf("%q\ngot  %v\nwant %v", text, got.Any(), want)
		}
	})
}

func TestFindLeadsWhereParsedValuesLie(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := randomText(t, 3)
		steps := rapid.SampledFrom([]step{{key: "a"}, {key: "b"}, {key: ""}, {index: 0, list: true}, {index: 1, list: true}, {index: -1, list: true}})
		path := rapid.SliceOfN(steps, 1, 3).Draw(t, "path")
		want, ok := any(nil), true
		_ = stdjson.Unmarshal([]byte(text), &want)
		for _, st := range path {
			want, ok = descend(want, st)
			if !ok {
				break
			}
		}
		r := newRun()
		d, err := open(r, text)
		if d == nil {
			t.Fatal(err)
		}
		at, found := d.find(path)
		if found != ok {
			t.Fatalf("%q at %v: found %v, want %v", text, path, found, ok)
		}
		if !ok {
			return
		}
		got, err := d.value(r, at)
		if err != nil || !reflect.DeepEqual(got.Any(), want) {
			t.Fatalf("%q at %v: got %v, want %v", text, path, got.Any(), want)
		}
	})
}

func descend(v any, st step) (any, bool) {
	if list, ok := v.([]any); ok && st.list {
		n := st.index
		if n < 0 {
			n += len(list)
		}
		if n < 0 || n >= len(list) {
			return nil, false
		}
		return list[n], true
	}
	if m, ok := v.(map[string]any); ok && !st.list {
		e, ok := m[st.key]
		return e, ok
	}
	return nil, false
}

func TestMalformedTextIsRefused(t *testing.T) {
	for _, text := range []string{
		"", " ", "nan", "{", "[", `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, "[1,]", "[,1]", ".5", "1.2.3", "1-2", "0x1", "1_0", "-", "-Inf", "Infinity", "-", "1e", "+1",
		`"a`, `"\q"`, `"\u12"`, "\"a\x00b\"", "tru", "[1\x00]", "\x00", "[1]\x01", `{"a":1}{"b":2}`, "1 2", "{1:2}", "1e400", strings.Repeat("9", 400),
		strings.Repeat("[", maxDepth+2) + strings.Repeat("]", maxDepth+2),
	} {
		if _, ok := read(t, text); ok {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestMoreThanJSONIsTakenAsTheLibraryTakesIt(t *testing.T) {
	for text, want := range map[string]any{
		"{\"a\":\"x\ty\nz\x01\"}":   map[string]any{"a": "x\ty\nz\x01"},
		"\"\xff\xfe\"":              "\xff\xfe",
		"[01, -007, 1., -.5, 2.e3]": []any{1.0, -7.0, 1.0, -0.5, 2000.0},
		"[1]\x00 whatever":          []any{1.0},
		" true \x00":                true,
	} {
		if got, ok := read(t, text); !ok || !reflect.DeepEqual(got.Any(), want) {
			t.Errorf("%q: %v (%v), want %v", text, got, ok, want)
		}
		if v, taken, known := library(text); known && (!taken || !reflect.DeepEqual(v, want)) {
			t.Errorf("%q: the library says %v, %v", text, v, taken)
		}
	}
}

func TestHostileDocumentsMeetTheLimits(t *testing.T) {
	small := func() *fn.Run {
		r := new(fn.Run)
		r.Start(nil, &fn.Env{Limits: fn.Limits{Bytes: 1 << 20}})
		return r
	}
	if d, err := open(small(), "["+strings.Repeat("1,", 1<<20)+"1]"); d != nil || !fn.IsLimit(err) {
		t.Errorf("a million numbers in 1 MiB of memory: %v", err)
	}
	r := small()
	d, err := open(r, "["+strings.Repeat("{},", 10_000)+"{}]")
	if d == nil {
		t.Fatal(err)
	}
	if _, err := d.value(r, 0); !fn.IsLimit(err) {
		t.Errorf("10000 maps in 1 MiB of memory: %v", err)
	}
	deep := strings.Repeat(`[{"a":`, 2<<20)
	for _, text := range []string{deep, deep + "1" + strings.Repeat("}]", 2<<20)} {
		if d, err := open(newRun(), text); d != nil || err != nil {
			t.Errorf("4 million levels are taken: %v", err)
		}
	}
	if d, err := open(newRun(), `{"a":"`+strings.Repeat("x", 10<<20)+`"}`); d == nil {
		t.Errorf("a string of 10 MiB is refused: %v", err)
	}
	if d, err := open(newRun(), "["+strings.Repeat(`{"level":"info","message":"order created, payment pending"},`, 180_000)+"1]"); d == nil {
		t.Errorf("a list of 10 MB is refused: %v", err)
	}
}

func TestATextIsLookedThroughOnce(t *testing.T) {
	for _, text := range []string{`["` + strings.Repeat("x", 80_000) + `"]`, `["` + strings.Repeat("x", 80_000)} {
		r := new(fn.Run)
		r.Start(nil, &fn.Env{Limits: fn.Limits{Steps: 15_000}}) // one look takes 10000
		for range 5 {
			if _, err := open(r, text); err != nil {
				t.Fatalf("%.5s: %v", text, err)
			}
		}
		if _, err := open(r, text+" "); !fn.IsLimit(err) {
			t.Errorf("%.5s: another text was not looked through: %v", text, err)
		}
	}
}

func TestNothingOfAPointIsLeftInItsRun(t *testing.T) {
	d := &document{text: "[1]", refused: "[", parts: make([]part, 3, maxKept+1)}
	if d.Forget(); d.text != "" || d.refused != "" || d.parts != nil {
		t.Errorf("%+v is left", d)
	}
}

// FuzzValid looks for a text that we read and the library does not, or the other
// way round, or that it reads as something else; and for a path that goes astray.
func FuzzValid(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,{"b":null}]}`, `"\u00e9"`, "[1e5, -0.1]", "{", `[[],{}]`, `{"a":1,"a":2}`, `{"a":{"b":1},"a":[]}`, "\"\\ud83d\\ude00\"",
		"[00.1e+2]\x00", "{\"a\x01\": \"\xff\\\"\"}", `{"k" : true , "l":false}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, "[")+strings.Count(text, "{") > maxDepth {
			return
		}
		got, ok := read(t, text)
		want, taken, known := library(text)
		if !known {
			return
		}
		if ok != taken || ok && !reflect.DeepEqual(got.Any(), want) {
			t.Fatalf("%q\ngot  %v, %v\nwant %v, %v", text, ok, got.Any(), taken, want)
		}
		for _, path := range [][]step{{{key: "a"}}, {{key: "a"}, {key: "b"}}, {{index: -1, list: true}, {key: "a"}}, {{index: 1, list: true}}} {
			d, err := open(newRun(), text)
			if d == nil {
				break
			}
			found := want
			for _, st := range path {
				if found, ok = descend(found, st); !ok {
					break
				}
			}
			if _, there := d.find(path); there != ok {
				t.Fatalf("%q at %v: found %v, want %v (%v)", text, path, there, ok, err)
			}
		}
	})
}
