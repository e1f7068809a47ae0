package grok

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

// TestGolden replays what the reference engine captured, a line a match. Text
// is compared without the blanks around it, as a script trims it by default.
func TestGolden(t *testing.T) {
	set := builtins(t)
	eachLine(t, "testdata/reference.jsonl", func(line []byte) {
		var golden struct {
			Pattern, Text string
			Match         bool
			Captures      map[string]string
		}
		if err := json.Unmarshal(line, &golden); err != nil {
			t.Fatal(err)
		}
		p, err := Compile(golden.Pattern, set)
		if err != nil {
			t.Errorf("%s: %v", golden.Pattern, err)
			return
		}
		spans, ok := p.Match(golden.Text, nil)
		if ok != golden.Match {
			t.Errorf("%s in %q: got %v, want %v", golden.Pattern, golden.Text, ok, golden.Match)
			return
		}
		for i, span := range spans {
			name, got := p.Captures()[i].Name, strings.TrimSpace(span.Of(golden.Text))
			if want := strings.TrimSpace(golden.Captures[name]); got != want && !sameNumber(got, want) {
				t.Errorf("%s in %q: %s: got %q, want %q", golden.Pattern, golden.Text, name, got, want)
			}
		}
	})
}

// sameNumber reports whether a text reads as the number that a script made of
// it; one that does not read as a number becomes 0.
func sameNumber(text, number string) bool {
	want, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return false
	}
	got, err := strconv.ParseFloat(text, 64)
	return err != nil && want == 0 || got == want
}
