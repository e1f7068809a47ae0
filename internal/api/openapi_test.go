package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"datakit.dev/internal/api"
	"datakit.dev/internal/status"
	"datakit.dev/internal/status/changes"
)

// document is the OpenAPI description as a client reads it.
type document struct {
	text  string
	paths map[string]map[string]map[string]any
	check *jsonschema.Compiler
}

func describe(t *testing.T, url string) document {
	t.Helper()
	r := get(t, url+"/v1/openapi.json")
	r.expect(t, 200, `"openapi":"3.1.0"`)
	d := document{text: r.body, check: jsonschema.NewCompiler()}
	var parts struct {
		Paths map[string]map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal([]byte(r.body), &parts); err != nil {
		t.Fatal(err)
	}
	d.paths = parts.Paths
	whole, err := jsonschema.UnmarshalJSON(strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.check.AddResource("file:///openapi.json", whole); err != nil {
		t.Fatal(err)
	}
	return d
}

// validate checks an answer against what the description says of it.
func (d document) validate(t *testing.T, method, path string, r reply) {
	t.Helper()
	operation, ok := d.paths[path][strings.ToLower(method)]
	if !ok {
		t.Errorf("%s %s is not described", method, path)
		return
	}
	responses, _ := operation["responses"].(map[string]any)
	code := fmt.Sprint(r.code)
	if _, ok := responses[code]; !ok {
		t.Errorf("%s %s: the code %d is not described: %s", method, path, r.code, r.body)
		return
	}
	pointer := strings.NewReplacer("~", "~0", "/", "~1").Replace(path)
	media := strings.ReplaceAll(strings.Split(r.header.Get("Content-Type"), ";")[0], "/", "~1")
	schema, err := d.check.Compile("file:///openapi.json#/paths/" + strings.NewReplacer("{", "%7B", "}", "%7D").Replace(pointer) +
		"/" + strings.ToLower(method) + "/responses/" + code + "/content/" + media + "/schema")
	if err != nil {
		t.Errorf("%s %s %d: %v", method, path, r.code, err)
		return
	}
	if media != "application~1json" {
		return
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%s %s answers what is not described: %v\n%s", method, path, err, r.body)
	}
}

// Every route that is registered is described, and the other way round.
func TestEveryRouteIsDescribed(t *testing.T) {
	url, _, _ := consoleOf(t, &fake{})
	d := describe(t, url)
	seen := 0
	for _, r := range api.Routes() {
		operation, ok := d.paths[strings.ReplaceAll(r.Path, "...", "")][strings.ToLower(r.Method)]
		if !ok || r.Summary == "" || r.SummaryZH == "" || operation["operationId"] == "" {
			t.Errorf("%s %s is not described", r.Method, r.Path)
		}
		seen++
		for _, e := range slices.Concat(r.Failures(), api.AnyFailures()) {
			if e.Doc == "" || e.DocZH == "" || e.Name == "" || e.Code < 400 {
				t.Errorf("%s %s: the error %+v is not described", r.Method, r.Path, e)
			}
		}
		for _, p := range r.Params {
			if p.Doc == "" || p.DocZH == "" || p.Type == "" || p.In == "path" && (!p.Required || !strings.Contains(r.Path, "{"+p.Name)) {
				t.Errorf("%s %s: the parameter %q is not described", r.Method, r.Path, p.Name)
			}
		}
	}
	ids := map[any]bool{}
	for path, methods := range d.paths {
		for method, operation := range methods {
			seen--
			if ids[operation["operationId"]] {
				t.Errorf("two operations are called %s", operation["operationId"])
			}
			ids[operation["operationId"]] = true
			r := send(t, strings.ToUpper(method), url+strings.NewReplacer("{category}", "metric", "{store}", "nosuch", "{key}", "x").Replace(path)+"?since=x", nil)
			if r.code == http.StatusMethodNotAllowed || strings.Contains(r.body, "there is nothing at") {
				t.Errorf("%s %s is described and not there: %d %s", method, path, r.code, r.body)
			}
		}
		// What is not described is not taken either.
		r := send(t, http.MethodPatch, url+strings.NewReplacer("{category}", "metric", "{store}", "etcdv3", "{key}", "confd/cpu").Replace(path), nil)
		allow := strings.Split(r.header.Get("Allow"), ", ")
		allow = slices.DeleteFunc(allow, func(m string) bool { return m == http.MethodHead })
		if r.code != http.StatusMethodNotAllowed || len(allow) != len(methods) {
			t.Errorf("%s takes %v, and %d methods are described", path, allow, len(methods))
		}
	}
	if seen != 0 {
		t.Errorf("%d routes more than are described", seen)
	}
}

// The answers of real calls are what the description says, errors too.
func TestAnswersAreAsDescribed(t *testing.T) {
	f := &fake{status: status.Status{
		Stores:  []status.Store{{Backend: "etcdv3", State: status.Watching, ReadAt: status.At(time.Now())}, {Backend: "redis", State: status.Stale, Error: "down"}},
		Keys:    []status.Key{{Store: "etcdv3", Key: "/datakit/confd/cpu", State: status.Kept, Error: "bad"}},
		Units:   []status.Unit{{ID: "input/cpu", State: status.Running}},
		Scripts: []status.Script{{Name: "a.p", State: "active"}}, Outputs: []status.Output{{Name: "file"}},
	}}
	url, desk, journal := consoleOf(t, f, func(o *api.Options) { o.Recent, o.Scripts, o.Catalog = lately(), scripting(t), inputs() })
	journal.Add(time.Now(), changes.Entry{Kind: changes.Key, Change: &changes.Change{
		Store: "etcdv3", Key: "/datakit/confd/cpu", State: changes.Removed, Was: status.Applied, Diff: "-x\n", Steps: []changes.Step{{Verb: "stop", Unit: "input/cpu"}},
	}})
	d := describe(t, url)
	desk.entries["confd/kept"] = kept
	tag := get(t, url+"/v1/keys/etcdv3/confd/cpu").header.Get("ETag")
	for _, c := range []struct {
		method, path, at, body string
		code                   int
		headers                []string
	}{
		{"GET", "/v1/ping", "/v1/ping", "", 200, nil},
		{"GET", "/v1/status", "/v1/status", "", 200, nil},
		{"GET", "/metrics", "/metrics", "", 200, nil},
		{"GET", "/v1/openapi.json", "/v1/openapi.json", "", 200, nil},
		{"GET", "/v1/changes", "/v1/changes", "", 200, nil},
		{"GET", "/v1/changes", "/v1/changes?since=0&limit=1", "", 200, nil},
		{"GET", "/v1/changes", "/v1/changes?since=-1", "", 400, nil},
		{"GET", "/v1/changes", "/v1/changes?limit=0", "", 400, nil},
		{"GET", "/v1/changes", "/v1/changes?limit=1001", "", 400, nil},
		{"GET", "/v1/events", "/v1/events?since=x", "", 400, nil},
		{"POST", "/v1/write/{category}", "/v1/write/metric", "m f=1", 200, nil},
		{"POST", "/v1/write/{category}", "/v1/write/metric", "m f=1\nbad", 400, nil},
		{"POST", "/v1/write/{category}", "/v1/write/nosuch", "m f=1", 404, nil},
		{"POST", "/v1/reload", "/v1/reload", "", 200, nil},
		{"POST", "/v1/confd/accept", "/v1/confd/accept", "", 200, nil},
		{"POST", "/v1/confd/plan", "/v1/confd/plan", `{"entries":[{"key":"confd/a","value":""}]}`, 200, nil},
		{"POST", "/v1/confd/plan", "/v1/confd/plan", `{}`, 400, nil},
		{"POST", "/v1/confd/plan", "/v1/confd/plan", `{"entries":[{"key":"confd/a","value":"bad"},{"key":"confd/b","value":"","deleted":true}]}`, 200, nil},
		{"POST", "/v1/confd/validate", "/v1/confd/validate", `{"key":"confd/a","value":"bad"}`, 200, nil},
		{"POST", "/v1/confd/validate", "/v1/confd/validate", `{"key":1}`, 400, nil},
		{"GET", "/v1/specs", "/v1/specs", "", 200, nil},
		{"GET", "/v1/recent", "/v1/recent", "", 200, nil},
		{"POST", "/v1/pipeline/try", "/v1/pipeline/try", `{"category":"metric","name":"cpu.p","script":"l = [1]; add_key(a, 1)\nx = l[9]","recent":"cpu"}`, 200, nil},
		{"POST", "/v1/pipeline/try", "/v1/pipeline/try", `{"category":"metric","name":"cpu.p","script":"nosuch()","recent":"cpu"}`, 200, nil},
		{"POST", "/v1/pipeline/try", "/v1/pipeline/try", `{"category":"metric","name":"cpu.p","script":"","recent":"nosuch"}`, 404, nil},
		{"POST", "/v1/pipeline/debug", "/v1/pipeline/debug", `{}`, 400, nil},
		{"POST", "/v1/query/raw", "/v1/query/raw", `{"q":"M::cpu BY host"}`, 200, nil},
		{"POST", "/v1/query/raw", "/v1/query/raw", `{"queries":[{"qtype":"dql","query":{"q":"M::cpu:(max(usage))"}},{"query":"show_measurement()"}]}`, 200, nil},
		{"POST", "/v1/query/raw", "/v1/query/raw", `{"q":"X::cpu"}`, 400, nil},
		{"POST", "/v1/query/raw", "/v1/query/raw", `{}`, 400, nil},
		{"POST", "/v1/query/raw", "/v1/query/raw", `{"q":"M::cpu:(usage)","max_duration":"8m30s"}`, 422, nil},
		{"GET", "/v1/console", "/v1/console", "", 200, nil},
		{"POST", "/v1/console/login", "/v1/console/login", `{"token":"x"}`, 401, []string{"X-Datakit-Console", "1"}},
		{"POST", "/v1/console/login", "/v1/console/login", `{"token":"x"}`, 403, nil},
		{"POST", "/v1/console/logout", "/v1/console/logout", "", 200, []string{"X-Datakit-Console", "1"}},
		{"GET", "/v1/keys", "/v1/keys", "", 200, nil},
		{"GET", "/v1/keys", "/v1/keys?store=nosuch", "", 404, nil},
		{"GET", "/v1/keys/{store}/{key}", "/v1/keys/etcdv3/confd/cpu", "", 200, nil},
		{"GET", "/v1/keys/{store}/{key}", "/v1/keys/etcdv3/confd/nosuch", "", 404, nil},
		{"GET", "/v1/keys/{store}/{key}", "/v1/keys/etcdv3/confd/kept?fresh=true", "", 200, nil},
		{"PUT", "/v1/keys/{store}/{key}", "/v1/keys/etcdv3/confd/cpu", "x", 200, []string{"If-Match", tag, "X-Datakit-Console", "1"}},
		{"PUT", "/v1/keys/{store}/{key}", "/v1/keys/etcdv3/confd/cpu", "y", 409, []string{"If-Match", tag, "X-Datakit-Console", "1"}},
		{"PUT", "/v1/keys/{store}/{key}", "/v1/keys/etcdv3/confd/new", "bad", 422, []string{"If-None-Match", "*", "X-Datakit-Console", "1"}},
		{"PUT", "/v1/keys/{store}/{key}", "/v1/keys/etcdv3/confd/new", "x", 428, []string{"X-Datakit-Console", "1"}},
		{"DELETE", "/v1/keys/{store}/{key}", "/v1/keys/etcdv3/confd/gone", "", 404, []string{"If-Match", `"1"`, "X-Datakit-Console", "1"}},
		{"DELETE", "/v1/keys/{store}/{key}", "/v1/keys/etcdv3/confd/old", "", 200, []string{"If-Match", `"2"`, "X-Datakit-Console", "1"}},
	} {
		r := send(t, c.method, url+c.at, bytes.NewReader([]byte(c.body)), c.headers...)
		if r.code != c.code {
			t.Errorf("%s %s: %d, expected %d: %s", c.method, c.at, r.code, c.code, r.body)
			continue
		}
		d.validate(t, c.method, c.path, r)
	}
}

// A schema that is too narrow, or a field that nobody described, is found.
func TestTheCheckFindsWhatIsNotDescribed(t *testing.T) {
	url, _, _ := consoleOf(t, &fake{})
	d := describe(t, url)
	ref, err := d.check.Compile("file:///openapi.json#/components/schemas/PongAnswer")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`{}`, `{"content":{"version":"1","host":"h"}}`, `{"content":{"version":1,"host":"h","uptime":"1s"}}`, `{"content":{"version":"1","host":"h","uptime":"1s","more":1}}`} {
		v, _ := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if ref.Validate(v) == nil {
			t.Errorf("%s passes", text)
		}
	}
}
