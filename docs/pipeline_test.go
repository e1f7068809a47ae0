package docs

import (
	"regexp"
	"strings"
	"testing"

	funcs "datakit.dev/internal/funcs/all"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/grok"
	"datakit.dev/internal/pipeline/printer"
	"datakit.dev/internal/pipeline/trial"
	"datakit.dev/internal/point"
)

var pipelinePages = []string{"docs/pipeline.md", "docs/zh/pipeline.md"}

func compiler(t *testing.T) pipeline.Options {
	t.Helper()
	table, err := funcs.Table()
	if err != nil {
		t.Fatal(err)
	}
	patterns, err := grok.NewSet(nil)
	if err != nil {
		t.Fatal(err)
	}
	return pipeline.Options{Funcs: table, Patterns: patterns}
}

// ofLang returns the examples of a page in a language.
func ofLang(t *testing.T, path, lang string) (out []block) {
	t.Helper()
	for _, b := range find(t, path).blocks {
		if b.lang == lang {
			out = append(out, b)
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s has no example in %s", path, lang)
	}
	return out
}

func TestEveryScriptInTheManualCompiles(t *testing.T) {
	opts := compiler(t)
	for _, pg := range pages(t) {
		for _, b := range pg.blocks {
			if b.lang != "python" {
				continue
			}
			if bad := pipeline.Check("example.p", b.text, opts); len(bad) > 0 {
				t.Errorf("%s:%d: %s", b.page, b.line, bad.Text())
			}
		}
	}
}

var withText = regexp.MustCompile(`--text '([^']*)'`)

// The first script, run on the text of the command, gives the output below it,
// and is laid out as the formatter does.
func TestTheRunInTheManualIsOurs(t *testing.T) {
	for _, path := range pipelinePages {
		script, shown := ofLang(t, path, "python")[0].text, ofLang(t, path, "diff")[0].text
		if out, _ := printer.Format(script); out != script {
			t.Errorf("%s: the script is laid out as\n%s", path, out)
		}
		p, bad := pipeline.Compile("nginx.p", script, compiler(t))
		if len(bad) > 0 {
			t.Fatal(bad.Text())
		}
		text := withText.FindStringSubmatch(ofLang(t, path, "sh")[0].text)[1]
		out := trial.Run(p, trial.Text("nginx", text), &pipeline.Env{Category: point.Logging})
		var b strings.Builder
		if out.Diff(&b, point.Logging); b.String() != shown || out.Err != nil {
			t.Errorf("%s: the run gives\n%s%v", path, b.String(), out.Err)
		}
	}
}

func TestTheLimitsInTheManualAreOurs(t *testing.T) {
	if fn.DefaultSteps != 10_000_000 || fn.DefaultBytes != 32<<20 || fn.DefaultTime.String() != "60ms" || fn.DefaultWait.String() != "20s" {
		t.Error("the limits have changed: say so in the pages")
	}
	for _, path := range pipelinePages {
		for _, limit := range []string{"10,000,000", "32 MiB", "60 ms", "20 s"} {
			if !strings.Contains(find(t, path).prose, limit) {
				t.Errorf("%s does not tell the limit %s", path, limit)
			}
		}
	}
}
