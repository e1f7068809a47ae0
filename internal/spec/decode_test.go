package spec

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/diag"
)

// testFields has a field of every type.
func testFields() []Field {
	doc := func(f Field) Field {
		f.Doc, f.DocZH = "Field "+f.Name+".", "字段 "+f.Name+"。"
		return f
	}
	return []Field{
		doc(Field{Name: "on", Type: Bool, Default: true}),
		doc(Field{Name: "count", Type: Int, Default: int64(3), Min: int64(0), Max: int64(10), Unit: "things"}),
		doc(Field{Name: "ratio", Type: Float, Default: 0.5, Min: 0.0}),
		doc(Field{Name: "mode", Type: String, Default: "fast", OneOf: []string{"fast", "slow"}}),
		doc(Field{Name: "every", Type: Duration, Default: 10 * time.Second, Min: time.Second, Max: time.Hour}),
		doc(Field{Name: "names", Type: Strings, Default: []string{"a", `b\d`}}),
		doc(Field{Name: "password", Type: String, Secret: true}),
		doc(Field{Name: "pin", Type: Int, Secret: true}),
		doc(Field{Name: "tags", Type: StringMap, Example: map[string]string{"some tag": "value"}}),
		doc(Field{Name: "tls", Type: Table, Fields: []Field{
			doc(Field{Name: "ca", Type: String, Example: "/etc/ca.pem"}),
			doc(Field{Name: "insecure", Type: Bool}),
		}}),
		doc(Field{Name: "rules", Type: Tables, Fields: []Field{
			doc(Field{Name: "match", Type: String, Required: true, Example: "x"}),
			doc(Field{Name: "key", Type: String, Secret: true}),
			doc(Field{Name: "labels", Type: StringMap, Example: map[string]string{"a": "b"}}),
		}}),
	}
}

func testSchema() Schema {
	return Schema{Name: "t", Doc: "A table.", DocZH: "一个表。", Fields: testFields()}
}

func decode(t *testing.T, s Schema, src string) (Values, diag.List) {
	t.Helper()
	n, l := Parse(src)
	if len(l) > 0 {
		t.Fatalf("%q: %v", src, l)
	}
	return s.Decode(n)
}

func TestDecodeEveryType(t *testing.T) {
	for src, want := range map[string]any{
		"on = false":         false,
		"count = 7":          int64(7),
		"ratio = 2":          2.0,
		"ratio = 1.25":       1.25,
		"mode = 'slow'":      "slow",
		"every = '90s'":      90 * time.Second,
		"every = '0d1m'":     time.Minute,
		"names = 'one'":      []string{"one"},
		"names = ['x', 'y']": []string{"x", "y"},
		"names = []":         []string{},
		"tags = { a = 'b', n = 1, f = 1.5, t = true }":              map[string]string{"a": "b", "n": "1", "f": "1.5", "t": "true"},
		"tls = { ca = 'x' }":                                        Values{"ca": "x", "insecure": false},
		"rules = [{ match = 'a' }]":                                 []Values{{"match": "a", "key": "", "labels": map[string]string(nil)}},
		"[[rules]]\nmatch = 'a'\n[[rules]]\nmatch = 'b'\nkey = 'k'": []Values{{"match": "a", "key": "", "labels": map[string]string(nil)}, {"match": "b", "key": "k", "labels": map[string]string(nil)}},
		"[rules]\nmatch = 'a'":                                      []Values{{"match": "a", "key": "", "labels": map[string]string(nil)}},
	} {
		v, l := decode(t, testSchema(), src)
		name := strings.Trim(strings.FieldsFunc(src, func(r rune) bool { return strings.ContainsRune(" []\n", r) })[0], " ")
		if len(l) > 0 || !reflect.DeepEqual(v[name], want) {
			t.Errorf("%q: %#v, want %#v; %v", src, v[name], want, l)
		}
	}
}

func TestDecodeFillsDefaultsIn(t *testing.T) {
	v, l := decode(t, testSchema(), "")
	if len(l) > 0 || v.Hash() != Defaults(testFields()).Hash() {
		t.Errorf("%v, %v", v, l)
	}
	if !v.Bool("on") || v.Int("count") != 3 || v.String("mode") != "fast" || v.Duration("every") != 10*time.Second || len(v.Strings("names")) != 2 ||
		v.Map("tags") != nil || v.Table("tls").Bool("insecure") || v.Tables("rules") != nil {
		t.Errorf("%v", v)
	}
}

func TestDecodeRefusesWithThePlaceAndWhatWasExpected(t *testing.T) {
	for src, want := range map[string]string{
		"on = 1":                                "1:6: on: expected a bool, got an integer",
		"on = 'true'":                           "1:6: on: expected a bool, got a string",
		"count = 1.5":                           "1:9: count: expected an integer, got a float",
		"count = '1'":                           "1:9: count: expected an integer, got a string",
		"count = 11":                            "1:9: count: expected at most 10, got 11",
		"count = -1":                            "1:9: count: expected at least 0, got -1",
		"ratio = true":                          "1:9: ratio: expected a finite number, got a bool",
		"ratio = nan":                           "1:9: ratio: expected a finite number, got a float",
		"ratio = -inf":                          "1:9: ratio: expected a finite number, got a float",
		"ratio = -0.5":                          "1:9: ratio: expected at least 0, got -0.5",
		"mode = 'quick'":                        `1:8: mode: expected one of fast, slow, got "quick"`,
		"mode = 2026-01-02":                     "1:8: mode: expected a string, got a date",
		"every = 10":                            `1:9: every: expected a duration such as "10s", got an integer`,
		"every = 'soon'":                        `1:9: every: expected a duration such as "10s", got a string`,
		"every = '2h'":                          "1:9: every: expected at most 1h0m0s, got 2h0m0s",
		"every = '1ms'":                         "1:9: every: expected at least 1s, got 1ms",
		"names = [1]":                           "1:10: names: expected a string, got an integer",
		"names = [\n'x', 2026-01-02]":           "2:6: names: expected a string, got a date",
		"count = [1]":                           "1:9: count: expected an integer, got a list",
		"names = { a = 1 }":                     "1:9: names: expected a list of strings, got a table",
		"tags = 'a'":                            "1:8: tags: expected a table of strings, got a string",
		"tags = { a = [1] }":                    "1:14: tags: expected a string, got a list",
		"tls = 1":                               "1:7: tls: expected a table, got an integer",
		"[[tls]]":                               "1:3: tls: expected a table, got a list",
		"rules = 'x'":                           "1:9: rules: expected a list of tables, got a string",
		"rules = [1]":                           "1:10: rules: expected a list of tables, got an integer",
		"[[rules]]\nkey = 'x'":                  "1:3: match (string) is required in [t.rules]",
		"# c\n[tls]\n\tca = 'é'\n  insecur = 1": `4:3: unknown field "insecur" in [t.tls], did you mean "insecure"?`,
		"evry = '1s'":                           `1:1: unknown field "evry" in [t], did you mean "every"?`,
		"zzzzzzzz = 1":                          `1:1: unknown field "zzzzzzzz" in [t]; it has on, count, ratio, mode, every, names, password, pin, tags, tls, rules`,
	} {
		_, l := decode(t, testSchema(), src)
		if len(l) != 1 || l[0].Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", src, l, want)
		}
	}
}

func TestDecodeReportsEverythingInTheOrderOfTheText(t *testing.T) {
	_, l := decode(t, testSchema(), "zz = 1\non = 3\n[tls]\nca = 1\n[[rules]]\n[[rules]]\nmatch = 2\n")
	var at []string
	for _, d := range l {
		at = append(at, d.Pos.String())
	}
	if got := strings.Join(at, " "); got != "1:1 2:6 4:6 5:3 7:9" {
		t.Errorf("%s: %v", got, l)
	}
}

func TestDecodeTellsNoSecret(t *testing.T) {
	for _, src := range []string{
		"password = 7777", "password = [\"7777\"]", "pin = '7777'", "pin = \"7777\"", "[[rules]]\nmatch='x'\nkey = 7777", "password = { a = 7777 }",
		"tags = { a = ['7777'] } # password", "nodes = 'redis://me:7777@host'", "passwrd = '7777'",
		"rules = [{ match = 'x', key = 7777 }]", "rules = [{ match = 1, key = '7777' }]", "rules = [{ math = 1, key = '7777' }]",
	} {
		_, l := decode(t, testSchema(), src)
		if text := l.In("o", src).Text(); len(l) == 0 || strings.Contains(text, "7777") {
			t.Errorf("%q: %s", src, text)
		}
	}
	s := Schema{Name: "s", Fields: []Field{{Name: "code", Type: String, Secret: true, OneOf: []string{"a"}}, {Name: "level", Type: Int, Secret: true, Max: int64(3)}}}
	_, l := decode(t, s, "code = '7777'")
	if text := l.In("o", "code = '7777'").Text(); len(l) != 1 || strings.Contains(text, "7777") {
		t.Errorf("%s", text)
	}
	_, l = decode(t, s, "level = 7777")
	if text := l.In("o", "level = 7777").Text(); len(l) != 1 || strings.Contains(text, "7777") {
		t.Errorf("%s", text)
	}
}

func TestHostileNamesStayShort(t *testing.T) {
	long := strings.Repeat("é", 1<<18)
	_, l := decode(t, testSchema(), "'"+long+"' = 1\nmode = '"+long+"'")
	if len(l) != 2 || len(l.In("o", "").Text()) > 2000 {
		t.Errorf("%d errors, %d bytes", len(l), len(l.In("o", "").Text()))
	}
	if text := l.In("o", "").Error(); !strings.Contains(text, "é") || strings.Contains(text, "\uFFFD") {
		t.Errorf("cut inside a character: %s", text)
	}
}

func TestManyErrorsAreCutShort(t *testing.T) {
	_, l := decode(t, testSchema(), numbered("k%d = 1\n", 9000)+"password = 7777\n")
	if len(l) != maxErrors+1 || !strings.Contains(l[maxErrors].Message, "more than 100") || strings.Contains(l.Text(), "7777") {
		t.Errorf("%d errors, the last %v", len(l), l[len(l)-1])
	}
	if !strings.HasPrefix(l[0].Text(), `1:1: unknown field "k0"`) {
		t.Errorf("first %v", l[0])
	}
}

func TestOneOfHoldsForEveryElement(t *testing.T) {
	s := Schema{Name: "t", Fields: []Field{{Name: "x", Type: Strings, OneOf: []string{"a", "b"}, Doc: "x", DocZH: "x"}}}
	if _, l := decode(t, s, "x = ['a', 'b']"); len(l) > 0 {
		t.Error(l)
	}
	if _, l := decode(t, s, "x = ['a', 'c']"); len(l) != 1 || !strings.Contains(l[0].Message, `got "c"`) {
		t.Error(l)
	}
}

func TestOpenSchemaPassesUnknownKeysAsWarnings(t *testing.T) {
	s := testSchema()
	s.Open = true
	src := "later = 1\non = false\n[tls]\nalso = 2"
	v, l := decode(t, s, src)
	if len(l) > 0 || v.Bool("on") {
		t.Errorf("%v, %v", v, l)
	}
	n, _ := Parse(src)
	if warnings := s.Unknown(n); len(warnings) != 2 || warnings[0].Pos != (diag.Position{Line: 1, Column: 1}) || warnings[1].Pos != (diag.Position{Line: 4, Column: 1}) {
		t.Errorf("%v", warnings)
	}
	n, _ = Parse("on = 'wrong'")
	if warnings := s.Unknown(n); len(warnings) > 0 {
		t.Errorf("a wrong type is no unknown key: %v", warnings)
	}
}

func TestDurationsHaveDays(t *testing.T) {
	for text, want := range map[string]time.Duration{"7d": 7 * 24 * time.Hour, "1d12h": 36 * time.Hour, "0d": 0, "1.5s": 1500 * time.Millisecond, "-1s": -time.Second} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "10", "d", "-1d", "1d1", "1dd", "100000d", "99999999999999999999d", "1d9999999h", "1d-48h", "1d2d", "s", "∞"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
