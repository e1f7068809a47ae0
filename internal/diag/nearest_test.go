package diag_test

import (
	"strings"
	"testing"

	"datakit.dev/internal/diag"
)

func TestNearest(t *testing.T) {
	known := []string{"interval", "inverval", "tags", "é", strings.Repeat("x", 65)}
	for name, want := range map[string]string{
		"intervall": "interval", "interval": "interval", "nterva": "interval", "tag": "tags", "tasg": "tags",
		"":                      "",
		"b":                     "", // every letter would change
		"intvl":                 "", // three letters
		strings.Repeat("x", 64): strings.Repeat("x", 65),
		strings.Repeat("x", 66): "", // too long
	} {
		if got := diag.Nearest(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := diag.Nearest("tags", nil); got != "" {
		t.Error(got)
	}
}
