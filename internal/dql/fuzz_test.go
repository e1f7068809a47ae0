package dql_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"datakit.dev/internal/dql"
	"datakit.dev/internal/point"
	"datakit.dev/internal/recent"
)

// queriesOfTheGoldenCases returns every query in testdata, the wrong ones too.
func queriesOfTheGoldenCases(t testing.TB) (out []string) {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			for line := range strings.Lines(string(f.Data)) {
				if q, ok := strings.CutPrefix(line, "> "); ok {
					out = append(out, strings.TrimSpace(q))
				}
			}
		}
	}
	if len(out) < 200 {
		t.Fatalf("only %d queries", len(out))
	}
	return out
}

// No text makes the parser panic or loop; what it takes is printed as the same
// query, and an error has a place in the text.
func FuzzParse(f *testing.F) {
	for _, q := range queriesOfTheGoldenCases(f) {
		f.Add(q)
	}
	f.Add(strings.Repeat("(", 1000))
	f.Add("M::m:(" + strings.Repeat("-", 1000) + "1)")
	f.Add("M::m:(a" + strings.Repeat("+a", 1000) + ")")
	f.Fuzz(func(t *testing.T, text string) {
		q, bad := dql.Parse(text)
		if bad != nil {
			if p := bad[0].Pos; p.Line > 0 && p.Offset(text) > len(text) {
				t.Fatalf("%q: %v is no place in it", text, p)
			}
			return
		}
		printed := q.String()
		again, bad := dql.Parse(printed)
		if bad != nil {
			// Brackets that the printer adds may nest it too deeply.
			if strings.Contains(bad.Error(), "nested too deeply") || strings.Contains(bad.Error(), "at most") {
				return
			}
			t.Fatalf("%q is printed as %q: %v", text, printed, bad)
		}
		if again.String() != printed {
			t.Fatalf("%q is printed as %q and that as %q", text, printed, again)
		}
	})
}

// No query makes a run panic, and every answer is JSON.
func FuzzRun(f *testing.F) {
	s := recent.New(1<<20, epoch)
	for i := range 50 {
		p := point.New([]string{"m", "cpu", "c"}[i%3], 3)
		p.SetTag("host", []string{"a", "b"}[i%2])
		p.Add("x", point.FloatOf(float64(i)))
		p.Add("n", point.IntOf(int64(i)))
		if i%4 == 0 {
			p.Add("s", point.StringOf("text"))
		}
		p.Time = int64(i) * int64(7*time.Second)
		s.Observe(point.Metric, []point.Point{p})
		s.Observe(point.Logging, []point.Point{p.Clone()})
	}
	for _, q := range queriesOfTheGoldenCases(f) {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, bad := dql.Parse(text)
		if bad != nil {
			return
		}
		r, err := dql.Run(t.Context(), q, s, now, dql.Limits{Memory: 8 << 20, Rows: 10_000})
		if err == nil && r.Series == nil {
			t.Fatal("the series are null")
		}
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
	})
}
