package spec

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestSample(t *testing.T) {
	s := Schema{Name: "inputs.x", Repeated: true, Doc: "It collects x.", DocZH: "x", Fields: testFields()[2:6]}
	s.Fields = append(s.Fields, testFields()[8:]...)
	s.Fields = append(s.Fields, Field{Name: "url", Type: String, Required: true, Example: "http://h", Doc: "Address.", DocZH: "x"})
	want := `## It collects x.
[[inputs.x]]

  ## Field ratio.
  ## Type: float, at least 0.0.
  # ratio = 0.5

  ## Field mode.
  ## Type: string, "fast", "slow".
  # mode = "fast"

  ## Field every.
  ## Type: duration, "1s" to "1h".
  # every = "10s"

  ## Field names.
  ## Type: list of strings.
  # names = ["a", 'b\d']

  ## Address.
  ## Type: string. Required.
  url = "http://h"

  ## Field tags.
  ## Type: table of strings.
  # [inputs.x.tags]
  ##   "some tag" = "value"

  ## Field tls.
  ## Type: table.
  # [inputs.x.tls]

    ## Field ca.
    ## Type: string.
    ## Example: ca = "/etc/ca.pem"
    # ca = ""

    ## Field insecure.
    ## Type: bool.
    # insecure = false

  ## Field rules.
  ## Type: list of tables.
  ## [[inputs.x.rules]]
  ##   # Field match.
  ##   # Type: string. Required.
  ##   match = "x"
  ##   # Field key.
  ##   # Type: string.
  ##   key = ""
  ##   # Field labels.
  ##   # Type: table of strings.
  ##   [inputs.x.rules.labels]
  ##     a = "b"
`
	if got := s.Sample(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// within parses a sample and returns the table that it describes.
func within(t *testing.T, s Schema, text string) *Node {
	t.Helper()
	n, l := Parse(text)
	if len(l) > 0 {
		t.Fatalf("%v\n%s", l, text)
	}
	for part := range strings.SplitSeq(s.Name, ".") {
		if s.Name == "" {
			break
		}
		k, ok := n.Get(part)
		if !ok {
			t.Fatalf("no %s in\n%s", part, text)
		}
		if n = k.Node; n.IsArray() {
			n = &n.Items[0]
		}
	}
	return n
}

func TestSampleDecodesToTheDefaultsCommentedAndNot(t *testing.T) {
	for _, name := range []string{"", "t", "inputs.t"} {
		for _, repeated := range []bool{false, name != ""} {
			s := testSchema()
			s.Name, s.Repeated = name, repeated
			for _, text := range []string{s.Sample(), Uncomment(s.Sample())} {
				v, l := s.Decode(within(t, s, text))
				if len(l) > 0 || v.Hash() != Defaults(s.Fields).Hash() {
					t.Errorf("%q: %v, %v\n%s", name, v, l, text)
				}
			}
			if got := strings.Count(Uncomment(s.Sample()), "\n"); got != strings.Count(s.Sample(), "\n") {
				t.Errorf("lines were lost")
			}
		}
	}
}

func TestSampleWrapsLongTexts(t *testing.T) {
	s := Schema{Name: "t", Doc: strings.Repeat("word ", 100), Fields: []Field{{Name: "a", Type: Bool, Doc: "Line\nbreak.", DocZH: "x"}}}
	for line := range strings.Lines(s.Sample()) {
		if len(line) > 110 {
			t.Errorf("%d characters: %s", len(line), line)
		}
	}
	within(t, s, s.Sample())
}

func TestTOMLValuesReadBack(t *testing.T) {
	for _, text := range []string{"", "a", `\d+`, `it's`, `"'`, "tab\tnew\nline\x7f", "é世界", `\`, "'''"} {
		n, l := Parse(TOMLKey(text) + " = " + TOMLValue(text))
		if len(l) > 0 || n.Keys[0].Name != text || n.Keys[0].Node.Scalar != text {
			t.Errorf("%q: %s = %s: %v", text, TOMLKey(text), TOMLValue(text), l)
		}
	}
	for d, want := range map[time.Duration]string{time.Hour: "1h", 90 * time.Minute: "1h30m", time.Hour + time.Second: "1h0m1s", 10 * time.Minute: "10m", 0: "0s", 1500 * time.Millisecond: "1.5s"} {
		if got := formatDuration(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
		if back, err := ParseDuration(formatDuration(d)); err != nil || back != d {
			t.Errorf("%v reads back as %v, %v", d, back, err)
		}
	}
}

func TestDurationsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64().Draw(t, "ns"))
		if got, err := ParseDuration(formatDuration(d)); err != nil || got != d {
			t.Fatalf("%v is written %s, which reads %v, %v", d, formatDuration(d), got, err)
		}
	})
}

func FuzzTOMLString(f *testing.F) {
	f.Add("it's \"x\"\\ \x00\x7f é")
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		n, l := Parse(TOMLKey(text) + " = " + TOMLValue(text))
		if len(l) > 0 || n.Keys[0].Name != text || n.Keys[0].Node.Scalar != text {
			t.Errorf("%q: %v", text, l)
		}
	})
}

func TestReferenceNamesEveryField(t *testing.T) {
	s := testSchema()
	s.Fields[0].Doc = "With | a bar\nand a break."
	for lang, wants := range map[string][]string{
		"en": {"| `every` | duration | `\"10s\"` | Field every. Allowed: \"1s\" to \"1h\". |", `With \| a bar and a break.`, "`[t.tls]`", "`[[t.rules]]`", "Required.", "Unit: things."},
		"zh": {"| `every` | 时长 | `\"10s\"` | 字段 every。 取值：\"1s\" 到 \"1h\"。 |", "不小于 0.0。", "单位：things。", "`[t.tls]`", "`[[t.rules]]`", "必填。"},
	} {
		page := s.Reference(lang)
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("%s: no %q in\n%s", lang, want, page)
			}
		}
		for line := range strings.Lines(page) {
			if strings.HasPrefix(line, "|") && len(regexp.MustCompile(`[^\\]\|`).FindAllString(line, -1)) != 4 {
				t.Errorf("%s: not four cells: %s", lang, line)
			}
		}
	}
}

func TestJSONSchema(t *testing.T) {
	text, err := testSchema().JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Properties map[string]struct {
			Type       string
			Default    any
			Enum       []string
			Minimum    *float64
			Maximum    *float64
			Pattern    string
			WriteOnly  bool
			Items      struct{ Required []string }
			Properties map[string]any
		}
		AdditionalProperties bool
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	p := doc.Properties
	if len(p) != len(testFields()) || doc.AdditionalProperties {
		t.Errorf("%s", text)
	}
	if c := p["count"]; c.Type != "integer" || c.Default != 3.0 || *c.Minimum != 0 || *c.Maximum != 10 {
		t.Errorf("count: %+v", c)
	}
	if e := p["every"]; e.Type != "string" || e.Default != "10s" || e.Minimum != nil {
		t.Errorf("every: %+v", e)
	}
	if len(p["mode"].Enum) != 2 || !p["password"].WriteOnly || p["rules"].Items.Required[0] != "match" || len(p["tls"].Properties) != 2 {
		t.Errorf("%s", text)
	}
	pattern := regexp.MustCompile(durationPattern)
	for _, text := range []string{"10s", "1h30m", "7d", "1d12h", "1.5s", "0", "-3s", "5µs"} {
		if !pattern.MatchString(text) {
			t.Errorf("the pattern refuses %s", text)
		}
		if _, err := ParseDuration(text); err != nil {
			t.Error(err)
		}
	}
	for _, text := range []string{"10", "s", "1x", "ten"} {
		if pattern.MatchString(text) {
			t.Errorf("the pattern takes %s", text)
		}
	}
}
