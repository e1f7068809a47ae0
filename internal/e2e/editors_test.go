package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"datakit.dev/internal/status"
	"datakit.dev/internal/testserver"
)

// say encodes the body of a request.
func say(t *testing.T, v map[string]any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What the console's editors are built on, of a real agent: a key that was kept
// with both its values, local files beside the store's keys, errors while one
// types, plans of a change and a deletion, and a script run on recent points.
func TestEditorsOfTheConsole(t *testing.T) {
	t.Parallel()
	e := testserver.StartEtcd(t)
	e.Put(t, "/datakit/confd/mem", "[[inputs.mem]]\n  interval = \"1s\"\n")
	e.Put(t, "/datakit/pipeline/metric/other.p", "add_key(from_other, 1)\n")
	a := newAgent(t, follow(e, "")+"[console]\n  write = true\n")
	a.write("conf.d/mem.conf", "[[inputs.mem]]\n  interval = \"200ms\"\n")
	a.write("pipeline/metric/mem.p", "add_key(local, 1)\n")
	a.start()
	a.until("mem runs", func(s status.Status) bool { return s.Converged && running("mem")(s) })
	expect := func(what, method, path, body string, code int, parts ...string) {
		t.Helper()
		got, answer, _ := a.ask(method, path, "", body)
		if got != code {
			t.Errorf("%s: %d %.500s", what, got, answer)
		}
		for _, p := range parts {
			if !strings.Contains(answer, p) {
				t.Errorf("%s: the answer lacks %s: %.500s", what, p, answer)
			}
		}
	}
	expect("the local files are a store", "GET", "/v1/keys", "", http.StatusOK, `"id":"local"`, `{"key":"confd/mem.conf","revision":`, `"state":"shadowed"`, `{"key":"pipeline/metric/mem.p"`)
	expect("a local script", "GET", "/v1/keys/local/pipeline/metric/mem.p", "", http.StatusOK, `"value":"add_key(local, 1)\n"`, `"writable":false`, `"origin":"local:pipeline/metric/mem.p"`)
	expect("a bad field", "POST", "/v1/confd/validate", say(t, map[string]any{"key": "confd/mem", "value": "[[inputs.mem]]\n  intervall = \"1s\"\n"}), http.StatusOK, `"line":2,"column":3`)
	expect("an unknown function", "POST", "/v1/confd/validate", say(t, map[string]any{"key": "pipeline/metric/a.p", "value": "x = 1\nnosuch(x)"}), http.StatusOK, `"line":2`)
	expect("the use of a script of the store", "POST", "/v1/confd/validate", say(t, map[string]any{"key": "pipeline/metric/a.p", "value": `use("other.p")`}), http.StatusOK, `"problems":[]`)
	expect("the use of none", "POST", "/v1/confd/validate", say(t, map[string]any{"key": "pipeline/metric/a.p", "value": `use("nosuch.p")`}), http.StatusOK, `"line":1`)
	expect("the plan of a deletion", "POST", "/v1/confd/plan", `{"source":"etcdv3","entries":[{"key":"confd/mem","value":"","deleted":true}]}`, http.StatusOK,
		`"unit":"input/mem"`, `"origin":"local:conf.d/mem.conf"`)
	expect("the description", "GET", "/v1/specs", "", http.StatusOK, `"name":"logging"`, `"name":"grok"`, `"IPORHOST"`)

	e.Put(t, "/datakit/confd/mem", "[[inputs.mem]]\n  interval = 1\n")
	a.until("the bad value is kept out", func(s status.Status) bool {
		return len(s.Keys) > 0 && s.Keys[0].State == status.Kept
	})
	expect("a kept key", "GET", "/v1/keys/etcdv3/confd/mem", "", http.StatusOK, `"state":"kept"`, `"line":2`,
		`"value":"[[inputs.mem]]\n  interval = 1\n"`, `"running":{"revision":`, `"value":"[[inputs.mem]]\n  interval = \"1s\"\n"}`)
	expect("the key itself", "GET", "/v1/keys/etcdv3/confd/mem?fresh=true", "", http.StatusOK, `interval = 1\n`)
	expect("no such key", "GET", "/v1/keys/etcdv3/confd/nosuch?fresh=true", "", http.StatusNotFound)

	a.until("there are recent points", func(s status.Status) bool { return s.Recent != nil && s.Recent.Points > 0 })
	expect("the names of the recent points", "GET", "/v1/recent", "", http.StatusOK, `"metric":["mem"]`)
	expect("a script on recent points", "POST", "/v1/pipeline/try",
		say(t, map[string]any{"category": "metric", "name": "mem.p", "recent": "mem", "limit": 1, "script": "use(\"other.p\")\nadd_key(tried, 2)"}),
		http.StatusOK, `"problems":[]`, `"tried":2`, `"from_other":1`, `"before":{"name":"mem"`)
}
