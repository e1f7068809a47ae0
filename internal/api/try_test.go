package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"datakit.dev/internal/api"
	"datakit.dev/internal/point"
)

// tried is an answer of /v1/pipeline/try.
type tried struct {
	Content struct {
		Problems []struct {
			File         string
			Line, Column int
			Message      string
		}
		Results []struct {
			Before, After struct {
				Name   string
				Tags   map[string]string
				Fields map[string]any
			}
			Dropped bool
			Created []struct {
				Category, Name string
				Fields         map[string]any
			}
			Error *struct {
				File    string
				Line    int
				Message string
			}
		}
	}
}

// trying serves an API with recent points and a script that a store has.
func trying(t *testing.T) string {
	t.Helper()
	return serve(t, &fake{}, func(o *api.Options) {
		o.Recent, o.Scripts = lately(), scripting(t)
		o.Running = func(c point.Category) map[string]string {
			if c != point.Metric {
				return nil
			}
			return map[string]string{"other.p": "add_key(from_other, 1)", "cpu.p": "drop()", "broken.p": "nosuch("}
		}
	}) + "/v1/pipeline/try"
}

func try(t *testing.T, url string, fields map[string]any) (a tried) {
	t.Helper()
	body, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	r := post(t, url, string(body))
	if err := json.Unmarshal([]byte(r.body), &a); err != nil || r.code != http.StatusOK {
		t.Fatalf("%d %s: %v", r.code, r.body, err)
	}
	return a
}

func TestAScriptRunsOnRecentPoints(t *testing.T) {
	url := trying(t)
	a := try(t, url, map[string]any{
		"category": "metric", "name": "cpu.p", "recent": "cpu", "limit": 2,
		"script": "use(\"other.p\")\nset_tag(zone, \"z\")\nif usage == 20 {\n  drop()\n}\ncreate_point(\"made\", {}, {\"f\": 1}, category=\"M\")",
	}).Content
	if len(a.Problems) > 0 || len(a.Results) != 2 {
		t.Fatalf("%+v", a)
	}
	newest, next := a.Results[0], a.Results[1]
	if newest.Before.Fields["usage"] != 20.0 || newest.Before.Tags["host"] != "h2" || newest.Before.Tags["zone"] != "" || newest.Before.Fields["from_other"] != nil {
		t.Errorf("before: %+v", newest.Before)
	}
	if newest.After.Fields["from_other"] != 1.0 || newest.After.Tags["zone"] != "z" || !newest.Dropped || next.Dropped {
		t.Errorf("after: %+v", newest)
	}
	if len(next.Created) != 1 || next.Created[0].Name != "made" || next.Created[0].Category != "metric" {
		t.Errorf("created: %+v", next.Created)
	}
}

func TestATrialSaysWhereAScriptIsWrong(t *testing.T) {
	url := trying(t)
	a := try(t, url, map[string]any{"category": "metric", "name": "new.p", "recent": "cpu", "script": "x = 1\n  nosuch(a)"}).Content
	if len(a.Results) != 0 || len(a.Problems) != 1 || a.Problems[0].Line != 2 || a.Problems[0].Column != 3 || a.Problems[0].File != "new.p" {
		t.Errorf("compile: %+v", a)
	}
	a = try(t, url, map[string]any{"category": "metric", "name": "new.p", "recent": "cpu", "script": "l = [1]; add_key(a, 1)\nx = l[9]"}).Content
	if len(a.Results) != 3 || a.Results[0].Error == nil || a.Results[0].Error.Line != 2 || a.Results[0].After.Fields["a"] != 1.0 {
		t.Errorf("run: %+v", a)
	}
	a = try(t, url, map[string]any{"category": "metric", "name": "new.p", "recent": "cpu", "script": `use("broken.p")`}).Content
	if len(a.Problems) != 1 || !strings.Contains(a.Problems[0].Message, "broken.p") {
		t.Errorf("use of a broken one: %+v", a)
	}
	a = try(t, url, map[string]any{"category": "logging", "name": "new.p", "sample": "x", "script": `use("other.p")`}).Content
	if len(a.Problems) != 1 {
		t.Errorf("the script of another category is used: %+v", a)
	}
}

func TestATrialOnASample(t *testing.T) {
	url := trying(t)
	a := try(t, url, map[string]any{"category": "logging", "name": "nginx.p", "sample": "one\r\n\ntwo\n", "script": "uppercase(message)"}).Content
	if len(a.Results) != 2 || a.Results[0].Before.Name != "nginx" || a.Results[1].Before.Fields["message"] != "two" || a.Results[1].After.Fields["message"] != "TWO" {
		t.Errorf("%+v", a)
	}
	a = try(t, url, map[string]any{"category": "metric", "name": "m.p", "sample": "m,a=b f=1 1\nm f=2", "script": "drop()"}).Content
	if len(a.Results) != 2 || !a.Results[0].Dropped || a.Results[0].Before.Tags["a"] != "b" {
		t.Errorf("%+v", a)
	}
}

func TestTrialsThatAreRefused(t *testing.T) {
	url := trying(t)
	many := strings.Repeat("x\n", 101)
	for name, c := range map[string]struct {
		fields map[string]any
		code   int
		want   string
	}{
		"no category":     {map[string]any{"category": "nosuch", "name": "a.p", "sample": "x"}, 400, "invalidCategory"},
		"no name":         {map[string]any{"category": "metric", "sample": "x"}, 400, "badRequest"},
		"a path":          {map[string]any{"category": "metric", "name": "../a.p", "sample": "x"}, 400, "badRequest"},
		"neither":         {map[string]any{"category": "metric", "name": "a.p"}, 400, "badRequest"},
		"both":            {map[string]any{"category": "metric", "name": "a.p", "sample": "m f=1", "recent": "cpu"}, 400, "badRequest"},
		"below the limit": {map[string]any{"category": "metric", "name": "a.p", "recent": "cpu", "limit": -1}, 400, "badRequest"},
		"over the limit":  {map[string]any{"category": "metric", "name": "a.p", "recent": "cpu", "limit": 101}, 400, "badRequest"},
		"wrong types":     {map[string]any{"category": "metric", "name": "a.p", "recent": []int{1}}, 400, "badRequest"},
		"unknown field":   {map[string]any{"category": "metric", "name": "a.p", "recent": "cpu", "data": "x"}, 400, "badRequest"},
		"no points":       {map[string]any{"category": "metric", "name": "a.p", "recent": "nosuch"}, 404, "noPoints"},
		"bad sample":      {map[string]any{"category": "metric", "name": "a.p", "sample": "no protocol"}, 400, "invalidData"},
		"empty sample":    {map[string]any{"category": "logging", "name": "a.p", "sample": "\n"}, 400, "invalidData"},
		"a long sample":   {map[string]any{"category": "logging", "name": "a.p", "sample": many}, 400, "invalidData"},
		"huge":            {map[string]any{"category": "logging", "name": "a.p", "sample": strings.Repeat("x", 2<<20)}, 413, "bodyTooLarge"},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := json.Marshal(c.fields)
			if err != nil {
				t.Fatal(err)
			}
			post(t, url, string(body)).expect(t, c.code, "datakit."+c.want)
		})
	}
	off := serve(t, &fake{}) + "/v1/pipeline/try"
	post(t, off, `{"category":"metric","name":"a.p","script":"","recent":"cpu"}`).expect(t, 404, "datakit.recentOff")
}

// A script that makes the answer grow without end is cut off, and so is one that
// takes for ever.
func TestATrialIsBounded(t *testing.T) {
	url := trying(t)
	long := strings.Repeat("y", 60<<10)
	script := "s = \"" + long + "\"\nfor x in [1,2,3,4,5,6,7,8,9,10] {\n  pt_kvs_set(strfmt(k, \"%v\", x), s)\n}\n"
	for i := range 20 {
		script += fmt.Sprintf("add_key(k%d, s)\n", i)
	}
	body, err := json.Marshal(map[string]any{"category": "logging", "name": "a.p", "sample": strings.Repeat("x\n", 100), "script": script})
	if err != nil {
		t.Fatal(err)
	}
	r := post(t, url, string(body))
	if r.expect(t, 200); len(r.body) > 6<<20 {
		t.Errorf("the answer has %d bytes", len(r.body))
	}
	a := try(t, url, map[string]any{"category": "logging", "name": "a.p", "sample": strings.Repeat("x\n", 100), "script": "for ;; {\n}"}).Content
	if len(a.Results) == 0 || a.Results[0].Error == nil {
		t.Errorf("a loop without end ended: %+v", a.Results)
	}
}
