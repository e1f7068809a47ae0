package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/api"
	"datakit.dev/internal/config"
	"datakit.dev/internal/input"
	"datakit.dev/internal/recent"
	"datakit.dev/internal/spec"
)

// inputs is a catalog of one input.
func inputs() *config.Catalog {
	return config.NewCatalog([]input.Plugin{{
		Name: "web", Aliases: []string{"http"}, Doc: "Asks a page.", DocZH: "请求网页。",
		Options: []spec.Field{
			{Name: "url", Type: spec.String, Required: true, Example: "http://localhost", Doc: "The page.", DocZH: "网页。"},
			{Name: "method", Type: spec.String, OneOf: []string{"GET", "HEAD"}, Default: "GET", Doc: "How.", DocZH: "方法。"},
			{Name: "password", Type: spec.String, Secret: true, Doc: "Of the user.", DocZH: "密码。"},
			{Name: "tls", Type: spec.Table, Doc: "TLS.", DocZH: "TLS。", Fields: []spec.Field{{Name: "ca", Type: spec.String, Doc: "A file.", DocZH: "文件。"}}},
		},
	}})
}

type function struct {
	Name, Signature, Doc string
	Examples             []string
}

func TestSpecsDescribeInputsFunctionsAndPatterns(t *testing.T) {
	url, _, _ := consoleOf(t, &fake{}, func(o *api.Options) { o.Catalog, o.Scripts = inputs(), scripting(t) })
	r := get(t, url+"/v1/specs")
	r.expect(t, http.StatusOK, `"name":"web","aliases":["http"]`, `"allowed":["GET","HEAD"]`, `"secret":true`, `"doc_zh":"请求网页。"`)
	var got struct {
		Content struct {
			Inputs []struct {
				Name, Sample string
				Fields       []struct {
					Name   string
					Fields []struct{ Name string }
				}
			}
			Functions            []function
			Patterns, Categories []string
		}
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		t.Fatal(err)
	}
	c := got.Content
	var fields []string
	for _, f := range c.Inputs[0].Fields {
		fields = append(fields, f.Name)
	}
	for _, name := range []string{"url", "method", "password", "tls", "interval", "tags"} { // also those that every input has
		if !slices.Contains(fields, name) {
			t.Errorf("the field %s is missing: %v", name, fields)
		}
	}
	if !strings.Contains(c.Inputs[0].Sample, "[[inputs.web]]") {
		t.Errorf("the sample is %q", c.Inputs[0].Sample)
	}
	if len(c.Functions) < 75 || !slices.Contains(c.Patterns, "IPORHOST") || !slices.Contains(c.Categories, "logging") {
		t.Errorf("%d functions, %d patterns, categories %v", len(c.Functions), len(c.Patterns), c.Categories)
	}
	i := slices.IndexFunc(c.Functions, func(f function) bool { return f.Name == "grok" })
	if g := c.Functions[i]; !strings.HasPrefix(g.Signature, "grok(") || g.Doc == "" || len(g.Examples) == 0 {
		t.Errorf("grok is described as %+v", g)
	}
}

func TestSpecsAreSentOnce(t *testing.T) {
	url, _, _ := consoleOf(t, &fake{}, func(o *api.Options) { o.Catalog = inputs() })
	first := get(t, url+"/v1/specs")
	tag := first.header.Get("ETag")
	if len(tag) < 4 || strings.Contains(first.header.Get("Cache-Control"), "no-store") {
		t.Fatalf("headers %v", first.header)
	}
	if r := get(t, url+"/v1/specs", "If-None-Match", tag); r.code != http.StatusNotModified || r.body != "" {
		t.Errorf("again: %d %s", r.code, r.body)
	}
	get(t, url+"/v1/specs", "If-None-Match", `"other"`).expect(t, 200)
	other, _, _ := consoleOf(t, &fake{})
	if got := get(t, other+"/v1/specs").header.Get("ETag"); got == tag {
		t.Error("agents of other inputs have the same tag")
	}
	off, _, _ := consoleOf(t, &fake{}, func(o *api.Options) { o.Settings = func() config.Console { return config.Console{} } })
	for _, path := range []string{"/v1/specs", "/v1/recent"} {
		get(t, off+path).expect(t, 404, "datakit.noConsole")
	}
}

func TestRecentNamesByCategory(t *testing.T) {
	url, _, _ := consoleOf(t, &fake{}, func(o *api.Options) { o.Recent = lately() })
	get(t, url+"/v1/recent").expect(t, 200, `{"content":{"enabled":true,"names":{"metric":["cpu"]},"cut":false}}`)
	off, _, _ := consoleOf(t, &fake{}, func(o *api.Options) { o.Recent = recent.New(0, time.Hour) })
	get(t, off+"/v1/recent").expect(t, 200, `"enabled":false`)
	none, _, _ := consoleOf(t, &fake{})
	get(t, none+"/v1/recent").expect(t, 200, `{"content":{"enabled":false,"names":{},"cut":false}}`)
}
