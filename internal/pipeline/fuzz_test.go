package pipeline_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// maxSeeds is how many recorded cases a fuzz run begins with: more would spend
// its time on measuring their coverage.
const maxSeeds = 400

// FuzzCases mutates the scripts and messages of the recorded cases, and holds
// the engine to itself: two programs of one script do the same to one point,
// and neither panics nor leaves the point with a value that no point carries.
func FuzzCases(f *testing.F) {
	n := 0
	for _, file := range caseFiles() {
		for c := range readCases(f, file) {
			if n++; n > maxSeeds || c.Scripts != nil {
				continue
			}
			pt := c.In.point()
			message, _ := pt.Field("message")
			f.Add(c.Script, c.Category, message.Text())
		}
	}
	opts := engine(f).opts
	f.Fuzz(func(t *testing.T, script, category, message string) {
		cat, ok := point.ParseCategory(category)
		if !ok || strings.Contains(strings.ToLower(script), "sample") { // sample is random by design
			t.Skip()
		}
		one, err1, ok := fuzzed(t, opts, script, cat, message)
		if !ok {
			return
		}
		two, err2, _ := fuzzed(t, opts, script, cat, message)
		if (err1 == nil) != (err2 == nil) {
			t.Fatalf("%v, then %v", err1, err2)
		}
		// A run that its time has ended may have got further the second time.
		if errors.Is(err1, fn.ErrTime) || errors.Is(err2, fn.ErrTime) {
			return
		}
		same := one.Name == two.Name && one.Time == two.Time && slices.Equal(one.Tags, two.Tags) &&
			slices.EqualFunc(one.Fields, two.Fields, func(a, b point.Field) bool { return a.Key == b.Key && a.Value.Equal(b.Value) })
		if !same {
			t.Fatalf("%+v, then %+v", one, two)
		}
	})
}

// fuzzed runs a point through a program of its own, and returns the point and
// the error of the run; false where the script does not compile.
func fuzzed(t *testing.T, opts pipeline.Options, script string, c point.Category, message string) (p point.Point, failed error, ok bool) {
	t.Helper()
	program, bad := pipeline.Compile("fuzz.p", script, opts)
	if len(bad) > 0 {
		return point.Point{}, nil, false
	}
	p = point.New("m", 4)
	p.Time = 1
	p.SetTag("host", "h")
	p.Set("message", point.StringOf(message))
	_, failed = program.Run(&p, &pipeline.Env{
		Category: c, Now: func() time.Time { return time.Unix(1_700_000_000, 0) },
		Limits: fn.Limits{Steps: 20_000, Bytes: 1 << 20},
	})
	if errors.Is(failed, pipeline.ErrPanic) {
		t.Fatal(failed)
	}
	for _, field := range p.Fields {
		if k := field.Value.Kind(); k == point.List || k == point.Map {
			t.Fatalf("field %s is a %s", field.Key, k)
		}
	}
	return p, failed, true
}
