package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/api"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
)

func TestPingTellsVersionUptimeHost(t *testing.T) {
	r := get(t, serve(t, &fake{})+"/v1/ping")
	r.expect(t, 200)
	var got struct{ Content map[string]string }
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		t.Fatal(err)
	}
	up, err := time.ParseDuration(got.Content["uptime"])
	if err != nil || up < 90*time.Second || got.Content["version"] != "1.2.3" || got.Content["host"] != "h" || len(got.Content) != 3 {
		t.Errorf("got %s", r.body)
	}
}

func TestStatusOfTenThousandKeys(t *testing.T) {
	want := manyKeys(10_000)
	r := get(t, serve(t, &fake{status: want})+"/v1/status")
	r.expect(t, 200)
	var got status.Status
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Keys) != 10_000 || got.Keys[9_999] != want.Keys[9_999] || len(got.Units) != 10_000 {
		t.Errorf("%d keys and %d units came through", len(got.Keys), len(got.Units))
	}
	if r.header.Get("Content-Type") != "application/json" || r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", r.header)
	}
}

func manyKeys(n int) status.Status {
	s := status.Status{Stores: []status.Store{}, Scripts: []status.Script{}, Outputs: []status.Output{}, Errors: []string{}}
	for i := range n {
		key := fmt.Sprintf("/datakit/confd/%05d", i)
		s.Keys = append(s.Keys, status.Key{Store: "etcdv3", Key: key, State: status.Applied, Revision: "42"})
		s.Units = append(s.Units, status.Unit{ID: fmt.Sprintf("input/prom/%05d", i), Kind: "prom", Origin: key, State: status.Running})
	}
	return s
}

func TestWhatThereIsNot(t *testing.T) {
	url := serve(t, &fake{})
	get(t, url+"/").expect(t, 404, `"error_code":"datakit.notFound"`, `"message":"there is nothing at /"`)
	get(t, url+"/v2/status").expect(t, 404, "datakit.notFound")
	get(t, url+"/"+strings.Repeat("x", 9000)).expect(t, 404, "…")
	post(t, url+"/v1/write/nosuch", "m f=1").expect(t, 404, "datakit.category", "metric network keyevent")
	for path, allow := range map[string]string{
		"/v1/ping": "GET, HEAD", "/v1/status": "GET, HEAD", "/metrics": "GET, HEAD", "/v1/write/metric": "POST",
		"/v1/reload": "POST", "/v1/confd/accept": "POST", "/v1/confd/plan": "POST",
	} {
		r := send(t, http.MethodDelete, url+path, nil)
		r.expect(t, 405, "datakit.methodNotAllowed")
		if got := r.header.Get("Allow"); got != allow {
			t.Errorf("%s: Allow %q, expected %q", path, got, allow)
		}
	}
	if r := send(t, http.MethodHead, url+"/v1/ping", nil); r.code != 200 || r.body != "" {
		t.Errorf("HEAD: %d %q", r.code, r.body)
	}
}

func TestConsoleHasTheRest(t *testing.T) {
	url := serve(t, &fake{}, func(o *api.Options) {
		o.Console = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { fmt.Fprint(w, "console ", req.URL.Path) })
	})
	get(t, url+"/index.html").expect(t, 200, "console /index.html")
	get(t, url+"/v1/nosuch").expect(t, 404, "datakit.notFound")
	post(t, url+"/index.html", "").expect(t, 404, "datakit.notFound")
}

func TestReload(t *testing.T) {
	f := &fake{status: status.Status{Generation: 7}}
	url := serve(t, f)
	post(t, url+"/v1/reload", "").expect(t, 200, `"generation":7`)
	f.reload = errors.New("conf.d/datakit.conf:1:1: bad\nnear redis://u:hunter2@h")
	r := post(t, url+"/v1/reload", "")
	r.expect(t, 422, "datakit.reload", "conf.d/datakit.conf:1:1: bad near")
	if strings.Contains(r.body, "hunter2") {
		t.Errorf("a password went out: %s", r.body)
	}
}

func TestAccept(t *testing.T) {
	post(t, serve(t, &fake{})+"/v1/confd/accept", "").expect(t, 200, `{"content":{"stores":2}}`)
}

func TestPlanAsksTheAgent(t *testing.T) {
	f := &fake{}
	url := serve(t, f) + "/v1/confd/plan"
	post(t, url, `{"source":"etcdv3#2","entries":[{"key":"confd/b","value":"y"},{"key":"confd/a","value":"x"}]}`).
		expect(t, 200, `"steps":[{"verb":"start","unit":"input/cpu"`)
	if f.source != "etcdv3#2" || len(f.tried) != 2 || f.tried[0].Key != "confd/a" || f.tried[1].Value != "y" {
		t.Errorf("asked for %q %v", f.source, f.tried)
	}
	// A value over the bound is one that a store would have, not a lost key.
	post(t, url, `{"entries":[{"key":"confd/a","value":"`+strings.Repeat("x", store.MaxValue+1)+`"}]}`).expect(t, 200)
	if f.tried[0].TooLarge != store.MaxValue+1 || f.tried[0].Value != "" {
		t.Errorf("a value too large became %d bytes, TooLarge %d", len(f.tried[0].Value), f.tried[0].TooLarge)
	}
}

func TestPlanRefusesWhatIsNone(t *testing.T) {
	url := serve(t, &fake{}) + "/v1/confd/plan"
	for name, c := range map[string]struct {
		body, want string
		code       int
	}{
		"nothing":     {"", "expected {", 400},
		"no JSON":     {"<xml>", "expected {", 400},
		"no entries":  {`{"entries":[]}`, "0 entries", 400},
		"unknown key": {`{"sauce":"x","entries":[{"key":"a"}]}`, `unknown field`, 400},
		"more behind": {`{"entries":[{"key":"a"}]}{}`, "behind the JSON", 400},
		"a bad key":   {`{"entries":[{"key":"confd/../../etc"}]}`, "entry 1", 400},
		"an odd key":  {`{"entries":[{"key":"a\u001b[2J"}]}`, "control characters", 400},
		"too many":    {`{"entries":[` + strings.Repeat(`{"key":"a"},`, 1000) + `{"key":"a"}]}`, "1001 entries", 400},
	} {
		t.Run(name, func(t *testing.T) { post(t, url, c.body).expect(t, c.code, c.want, "datakit.") })
	}
}
