package dql_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"datakit.dev/internal/dql"
	"datakit.dev/internal/point"
	"datakit.dev/internal/point/lineproto"
	"datakit.dev/internal/recent"
)

var update = flag.Bool("update", false, "write the answers of the golden cases")

// epoch is long enough ago for points of 1970, which have times that one can read.
const epoch = 58 * 365 * 24 * time.Hour

// now is when the golden queries are asked.
var now = time.Unix(600, 0)

// store holds the files of an archive that are named as a category: line protocol
// with times in seconds.
func store(t testing.TB, a *txtar.Archive) *recent.Store {
	t.Helper()
	s := recent.New(1<<26, epoch)
	for _, f := range a.Files {
		c, ok := point.ParseCategory(f.Name)
		if !ok {
			continue
		}
		second, _ := lineproto.ParsePrecision("s")
		pts, bad := lineproto.Decode(string(f.Data), lineproto.Options{Precision: second})
		if len(bad) > 0 {
			t.Fatal(bad)
		}
		s.Observe(c, pts)
	}
	return s
}

// Each archive in testdata holds points, and queries with their answers: a query
// begins with "> ", the answer is a line of JSON for each series, or the error.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) < 4 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s := store(t, a)
			for i, f := range a.Files {
				if !strings.HasPrefix(f.Name, "queries") {
					continue
				}
				got, want := golden(t, s, string(f.Data)), string(f.Data)
				if *update {
					a.Files[i].Data = []byte(got)
				} else if got != want {
					t.Errorf("%s: %s", f.Name, difference(got, want))
				}
			}
			if *update {
				if err := os.WriteFile(path, txtar.Format(a), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// golden answers the queries of a text, and returns it with the answers.
func golden(t *testing.T, s *recent.Store, text string) string {
	t.Helper()
	var out strings.Builder
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		switch {
		case strings.HasPrefix(lines[i], "//"):
			fmt.Fprintln(&out, lines[i])
		case strings.HasPrefix(lines[i], "> "):
			query := lines[i][2:]
			fmt.Fprintln(&out, lines[i])
			for i+1 < len(lines) && strings.HasPrefix(lines[i+1], ">> ") {
				i++
				query += "\n" + lines[i][3:]
				fmt.Fprintln(&out, lines[i])
			}
			fmt.Fprintln(&out, ask(t, s, query))
		}
	}
	return out.String()
}

func ask(t *testing.T, s dql.Source, text string) string {
	t.Helper()
	q, bad := dql.Parse(text)
	if bad != nil {
		return bad.Text() + "\n"
	}
	r, err := dql.Run(t.Context(), q, s, now, dql.Limits{})
	if err != nil {
		return err.Error() + "\n"
	}
	var out strings.Builder
	for _, series := range r.Series {
		line, err := json.Marshal(series)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&out, string(line))
	}
	if len(r.Series) == 0 {
		return "nothing\n"
	}
	return out.String()
}

func difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}
