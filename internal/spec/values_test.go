package spec

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// anyValue draws a value of f from a small world, so that equal ones come up.
func anyValue(t *rapid.T, f Field) any {
	text := rapid.SampledFrom([]string{"", "a", "b", "ab", "1:a", "é'\"\\\n", "="})
	switch f.Type {
	case Bool:
		return rapid.Bool().Draw(t, f.Name)
	case Int:
		return rapid.Int64Range(0, 3).Draw(t, f.Name)
	case Float:
		return rapid.SampledFrom([]float64{0, 0.5, 1, 1e300}).Draw(t, f.Name)
	case String:
		if f.OneOf != nil {
			return rapid.SampledFrom(f.OneOf).Draw(t, f.Name)
		}
		return text.Draw(t, f.Name)
	case Duration:
		return rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour, 90 * time.Second}).Draw(t, f.Name)
	case Strings:
		return rapid.SliceOfN(text, 0, 3).Draw(t, f.Name)
	case StringMap:
		return rapid.MapOfN(text, text, 0, 3).Draw(t, f.Name)
	case Table:
		return anyTable(t, f.Fields)
	case Tables:
	}
	list := make([]Values, rapid.IntRange(0, 2).Draw(t, f.Name))
	for i := range list {
		list[i] = anyTable(t, f.Fields)
	}
	return list
}

func anyTable(t *rapid.T, fields []Field) Values {
	v := Values{}
	for _, f := range fields {
		v[f.Name] = anyValue(t, f)
	}
	return v
}

// tidy makes nil and empty lists and tables the same, as the hash does.
func tidy(v any) any {
	switch v := v.(type) {
	case Values:
		out := map[string]any{}
		for k, e := range v {
			out[k] = tidy(e)
		}
		return out
	case []Values:
		out := []any{}
		for _, e := range v {
			out = append(out, tidy(e))
		}
		return out
	case []string:
		return append([]string{}, v...)
	case map[string]string:
		out := map[string]string{}
		maps.Copy(out, v)
		return out
	}
	return v
}

func TestHashesAreEqualIfAndOnlyIfValuesAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fields := rapid.SliceOfNDistinct(rapid.SampledFrom(testFields()), 1, 2, func(f Field) string { return f.Name }).Draw(t, "fields")
		a, b := anyTable(t, fields), anyTable(t, fields)
		if (a.Hash() == b.Hash()) != reflect.DeepEqual(tidy(a), tidy(b)) {
			t.Fatalf("%v has hash %s, %v has hash %s", a, a.Hash(), b, b.Hash())
		}
	})
}

// layout writes v as TOML, in an order and with comments that t draws.
func layout(t *rapid.T, fields []Field, v Values, header string, b *strings.Builder) {
	noise := func() string {
		return rapid.SampledFrom([]string{"", "\n", "# note = 1\n", "  ", "\t", "\r\n"}).Draw(t, "noise")
	}
	var tables []Field
	for _, f := range rapid.Permutation(fields).Draw(t, "order") {
		inline := rapid.Bool().Draw(t, "inline")
		switch {
		case f.Type == Table || f.Type == Tables:
			tables = append(tables, f)
		case f.Type == StringMap && !inline:
			for k, text := range v.Map(f.Name) {
				fmt.Fprintf(b, "%s%s.%s = %s\n", noise(), TOMLKey(f.Name), TOMLKey(k), TOMLValue(text))
			}
		case f.Type == StringMap && v.Map(f.Name) == nil:
		default:
			fmt.Fprintf(b, "%s%s  =  %s  # c\n", noise(), TOMLKey(f.Name), TOMLValue(v[f.Name]))
		}
	}
	for _, f := range tables {
		if f.Type == Table {
			fmt.Fprintf(b, "[%s%s]\n", header, f.Name)
			layout(t, f.Fields, v.Table(f.Name), header+f.Name+".", b)
			continue
		}
		for _, e := range v.Tables(f.Name) {
			fmt.Fprintf(b, "[[%s%s]]\n", header, f.Name)
			layout(t, f.Fields, e, header+f.Name+".", b)
		}
	}
}

func TestLayoutAndCommentsDoNotChangeTheHash(t *testing.T) {
	s := testSchema()
	rapid.Check(t, func(t *rapid.T) {
		v := anyTable(t, s.Fields)
		for range 2 {
			var b strings.Builder
			layout(t, s.Fields, v, "", &b)
			n, l := Parse(b.String())
			if len(l) > 0 {
				t.Fatalf("%v\n%s", l, b.String())
			}
			got, l := s.Decode(n)
			if len(l) > 0 || got.Hash() != v.Hash() {
				t.Fatalf("%v\n got %v\nwant %v\n%s", l, got, v, b.String())
			}
		}
	})
}

func TestHashLeavesFieldsOut(t *testing.T) {
	a := Values{"x": "1", "interval": time.Second, "sub": Values{"interval": time.Second}}
	b := maps.Clone(a)
	b["interval"] = time.Minute
	if a.Hash() == b.Hash() || a.Hash("interval") != b.Hash("interval") {
		t.Error("the named field must not count, and only then")
	}
	b["sub"] = Values{"interval": time.Hour}
	if a.Hash("interval") == b.Hash("interval") {
		t.Error("a field of a sub-table of the same name counts")
	}
}

func TestGettersAnswerForTheirTypeOnly(t *testing.T) {
	v := Values{"s": "x", "i": int64(1)}
	if v.Int("s") != 0 || v.String("i") != "" || v.Bool("s") || v.Duration("i") != 0 || v.Strings("s") != nil || v.Map("s") != nil || v.Table("s") != nil || v.Tables("none") != nil {
		t.Error("a getter answered for another type")
	}
}

func TestBind(t *testing.T) {
	type rule struct {
		Match string `conf:"match"`
	}
	type config struct {
		On    bool              `conf:"on"`
		Count uint8             `conf:"count"`
		Ratio float64           `conf:"ratio"`
		Every time.Duration     `conf:"every"`
		Names []string          `conf:"names"`
		Tags  map[string]string `conf:"tags"`
		TLS   struct {
			CA string `conf:"ca"`
		} `conf:"tls"`
		Rules []rule `conf:"rules"`
		Own   int
	}
	var c config
	v, l := decode(t, testSchema(), "count = 9\ntags = { a = 'b' }\n[tls]\nca = 'x'\n[[rules]]\nmatch = 'y'\n[[rules]]\nmatch = 'z'")
	if len(l) > 0 {
		t.Fatal(l)
	}
	if err := v.Bind(&c); err != nil {
		t.Fatal(err)
	}
	if !c.On || c.Count != 9 || c.Ratio != 0.5 || c.Every != 10*time.Second || !slices.Equal(c.Names, []string{"a", `b\d`}) || c.Tags["a"] != "b" || c.TLS.CA != "x" || len(c.Rules) != 2 || c.Rules[1].Match != "z" {
		t.Errorf("%+v", c)
	}
}

func TestBindRefusesWhatDoesNotFit(t *testing.T) {
	v := Values{"n": int64(300), "neg": int64(-1), "s": "x", "t": Values{"s": "x"}, "l": []Values{{"s": "x"}}, "d": time.Second}
	for name, dst := range map[string]any{
		"no pointer": struct{}{},
		"no struct":  new(int),
		"no such field": &struct {
			X string `conf:"none"`
		}{},
		"too small": &struct {
			X uint8 `conf:"n"`
		}{},
		"no sign": &struct {
			X uint `conf:"neg"`
		}{},
		"text for a number": &struct {
			X int `conf:"s"`
		}{},
		"number for text": &struct {
			X string `conf:"n"`
		}{},
		"table for text": &struct {
			X string `conf:"t"`
		}{},
		"list for a table": &struct {
			X struct{} `conf:"l"`
		}{},
		"inside a table": &struct {
			X struct {
				Y int `conf:"s"`
			} `conf:"t"`
		}{},
		"inside a list": &struct {
			X []struct {
				Y int `conf:"s"`
			} `conf:"l"`
		}{},
		"integer for duration": &struct {
			X time.Duration `conf:"n"`
		}{},
		"duration for integer": &struct {
			X int32 `conf:"d"`
		}{},
	} {
		if err := v.Bind(dst); err == nil {
			t.Errorf("%s: taken: %+v", name, dst)
		}
	}
}
