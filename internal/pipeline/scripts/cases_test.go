package scripts_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datakit.dev/internal/funcs/all"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/scripts"
	"datakit.dev/internal/pipeline/scripttest"
	"datakit.dev/internal/point"
)

// maxShown is how many failures are printed.
const maxShown = 25

// A nameCase is one recorded answer: which script a point asks for (kind name),
// or which script a name stands for after some changes (kind query).
type nameCase struct {
	ID          string                       `json:"id"`
	Kind        string                       `json:"kind"`
	Category    point.Category               `json:"category"`
	Measurement string                       `json:"measurement"`
	Tags        map[string]string            `json:"tags"`
	Fields      map[string]string            `json:"fields"`
	ScriptMap   map[string]string            `json:"script_map"`
	Relation    map[string]map[string]string `json:"relation"`
	Steps       []struct {
		NS      scripts.Namespace            `json:"ns"`
		Scripts map[string]map[string]string `json:"scripts"`
	} `json:"steps"`
	Query     string            `json:"query"`
	Default   map[string]string `json:"default"`
	NoDefault bool              `json:"no_default"`
	Out       struct {
		Name    string            `json:"name"`
		OK      bool              `json:"ok"`
		Script  string            `json:"script"`
		NS      scripts.Namespace `json:"ns"`
		Content string            `json:"content"`
		Count   int               `json:"count"`
	} `json:"out"`
}

// TestCases runs the recorded cases of the files named in
// DATAKIT_PIPELINE_CASES, separated by commas, or else our own few.
func TestCases(t *testing.T) {
	files := []string{filepath.Join("testdata", "names.jsonl")}
	if named := os.Getenv("DATAKIT_PIPELINE_CASES"); named != "" {
		files = strings.Split(named, ",")
	}
	opts := options(t)
	passed, failed := 0, 0
	for _, file := range files {
		for c := range readCases(t, file) {
			diff := c.check(opts)
			if diff == "" {
				passed++
				continue
			}
			if failed++; failed <= maxShown {
				t.Errorf("%s: %s", c.ID, diff)
			}
		}
	}
	t.Logf("%d passed, %d failed", passed, failed)
}

func options(t testing.TB) pipeline.Options {
	t.Helper()
	funcs, err := all.Table()
	if err != nil {
		t.Fatal(err)
	}
	return pipeline.Options{Funcs: funcs}
}

// readCases yields the name and query cases of a file, gzipped or plain.
func readCases(t *testing.T, file string) func(yield func(nameCase) bool) {
	t.Helper()
	return func(yield func(nameCase) bool) {
		for line := range scripttest.Records(t, file) {
			var kind struct {
				Kind string `json:"kind"`
			}
			if err := json.Unmarshal(line, &kind); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if kind.Kind == "" { // what a script does to a point: package pipeline
				continue
			}
			var c nameCase
			if err := json.Unmarshal(line, &c); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if !yield(c) {
				return
			}
		}
	}
}

func (c nameCase) check(opts pipeline.Options) string {
	if c.Kind == "name" {
		return c.checkName(opts)
	}
	return c.checkQuery(opts)
}

func (c nameCase) checkName(opts pipeline.Options) string {
	set := scripts.NewSet(opts)
	if c.Relation != nil {
		names := map[point.Category]map[string]string{}
		for category, m := range c.Relation {
			names[point.Category(category)] = m
		}
		set.SetRelation(scripts.NewRelation(names))
	}
	p := point.New(c.Measurement, len(c.Fields))
	for k, v := range c.Tags {
		p.SetTag(k, v)
	}
	for k, v := range c.Fields {
		p.Set(k, point.StringOf(v))
	}
	name, ok := set.Name(c.Category, &p, c.ScriptMap)
	if name != c.Out.Name || ok != c.Out.OK {
		return fmt.Sprintf("got %q %v, want %q %v", name, ok, c.Out.Name, c.Out.OK)
	}
	return ""
}

func (c nameCase) checkQuery(opts pipeline.Options) string {
	set := scripts.NewSet(opts)
	for _, step := range c.Steps {
		sources := scripts.Sources{}
		for category, named := range step.Scripts {
			m := map[string]scripts.Source{}
			for name, text := range named {
				m[name] = scripts.Source{Text: text}
			}
			sources[point.Category(category)] = m
		}
		set.Replace(step.NS, sources)
	}
	defaults := map[point.Category]string{}
	for category, name := range c.Default {
		defaults[point.Category(category)] = name
	}
	set.SetDefaults(defaults)
	script, ok := set.Lookup(c.Category, c.Query)
	if !ok && !c.NoDefault {
		script, ok = set.Default(c.Category)
	}
	count := 0
	for _, s := range set.All() {
		if s.Category == c.Category {
			count++
		}
	}
	if ok != c.Out.OK || count != c.Out.Count {
		return fmt.Sprintf("found %v among %d, want %v among %d", ok, count, c.Out.OK, c.Out.Count)
	}
	if ok && (script.Name != c.Out.Script || script.Namespace != c.Out.NS || script.Text() != c.Out.Content) {
		return fmt.Sprintf("got %s of %s: %s", script.Name, script.Namespace, script.Text())
	}
	return ""
}
