package text

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNothingToTrimWhereNothingMayBe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.SampledFrom([]rune("a \t\n\v\u0085\u00a0\u2003é世"))).Draw(t, "text")
		if !mayTrim(s) && strings.TrimSpace(s) != s {
			t.Fatalf("%q has white space around it", s)
		}
	})
	for _, s := range []string{"", "a", "a b", "200"} {
		if mayTrim(s) {
			t.Errorf("%q is looked at again", s)
		}
	}
}
