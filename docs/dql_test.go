package docs

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"datakit.dev/internal/dql"
	"datakit.dev/internal/point"
	"datakit.dev/internal/point/lineproto"
	"datakit.dev/internal/recent"
)

var dqlPages = []string{"docs/dql.md", "docs/zh/dql.md"}

func TestEveryQueryInTheManualParses(t *testing.T) {
	for _, path := range dqlPages {
		n := 0
		for _, b := range ofLang(t, path, "dql") {
			for line := range strings.Lines(b.text) {
				// The form of a query is shown with a namespace of that name.
				line = strings.Replace(strings.TrimSpace(line), "namespace::source:", "M::source:", 1)
				line = strings.Replace(line, "{filters}[time]", "{a = 1}[5m]", 1)
				if _, bad := dql.Parse(line); bad != nil {
					t.Errorf("%s:%d: %s", b.page, b.line, bad.Text())
				}
				n++
			}
		}
		for _, b := range ofLang(t, path, "sh") {
			for line := range strings.Lines(b.text) {
				if query, ok := strings.CutPrefix(line, "datakit dql '"); ok {
					query, _, _ = strings.Cut(query, "'")
					if _, bad := dql.Parse(query); bad != nil {
						t.Errorf("%s:%d: %s", b.page, b.line, bad.Text())
					}
					n++
				}
			}
		}
		if n < 20 {
			t.Errorf("%s has only %d queries", path, n)
		}
	}
}

// The worked example: these points and this query give this answer.
func TestTheAnswerInTheManualIsOurs(t *testing.T) {
	for _, path := range dqlPages {
		second, _ := lineproto.ParsePrecision("s")
		pts, bad := lineproto.Decode(ofLang(t, path, "lp")[0].text, lineproto.Options{Precision: second})
		if len(bad) > 0 {
			t.Fatal(bad)
		}
		s := recent.New(1<<20, 50*365*24*time.Hour)
		s.Observe(point.Metric, pts)
		var want dql.Answer
		if err := json.Unmarshal([]byte(ofLang(t, path, "json")[0].text), &want); err != nil {
			t.Fatal(err)
		}
		q, wrong := dql.Parse(want.Content[0].RawQuery)
		if wrong != nil {
			t.Fatal(wrong.Text())
		}
		r, err := dql.Run(t.Context(), q, s, time.Now(), dql.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		r.Cost = want.Content[0].Cost
		text, err := json.Marshal(dql.Answer{Content: []dql.Result{r}})
		if err != nil {
			t.Fatal(err)
		}
		var got dql.Answer
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", path, d)
		}
		_, wrong = dql.Parse("M::nvidia_smi:(tconsul")
		shown := slices.ContainsFunc(find(t, path).blocks, func(b block) bool { return strings.TrimSpace(b.text) == wrong.Text() })
		if !shown {
			t.Errorf("%s does not show\n%s", path, wrong.Text())
		}
	}
}

func TestEveryFunctionIsInTheManual(t *testing.T) {
	for _, path := range dqlPages {
		pg := find(t, path)
		for _, f := range dql.Functions() {
			if !strings.Contains(pg.prose, "`"+f.Name+"(") {
				t.Errorf("%s does not name %s()", path, f.Name)
			}
		}
		for _, n := range dql.Namespaces() {
			if !strings.Contains(pg.prose, "`"+n.Short+"`") {
				t.Errorf("%s does not name the namespace %s", path, n.Short)
			}
		}
	}
}
