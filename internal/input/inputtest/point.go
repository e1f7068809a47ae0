package inputtest

import (
	"testing"

	"datakit.dev/internal/point"
)

// Find returns the written point of measurement name that has all tags, given
// as key, value, key, value, and fails the test where there is none.
func Find(t testing.TB, got []Written, name string, tags ...string) *point.Point {
	t.Helper()
	for i := range got {
		if got[i].Name == name && hasTags(&got[i].Point, tags) {
			return &got[i].Point
		}
	}
	t.Fatalf("no point %s with tags %v among %d", name, tags, len(got))
	return nil
}

func hasTags(p *point.Point, tags []string) bool {
	for i := 0; i < len(tags); i += 2 {
		if v, ok := p.Tag(tags[i]); !ok || v != tags[i+1] {
			return false
		}
	}
	return true
}

// Want fails the test where field key of p is not want, a plain Go value; nil
// asks for no such field.
func Want(t testing.TB, p *point.Point, key string, want any) {
	t.Helper()
	v, ok := p.Field(key)
	if want == nil {
		if ok {
			t.Errorf("%s: field %s is %v, want none", p.Name, key, v)
		}
		return
	}
	if got := v.Any(); got != want {
		t.Errorf("%s: field %s is %v (%T), want %v (%T)", p.Name, key, got, got, want, want)
	}
}
