package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/faketime"
	"datakit.dev/internal/funcs/all"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/outbound"
	"datakit.dev/internal/pipeline/refer"
	"datakit.dev/internal/pipeline/scripttest"
)

// echo answers with what it was asked.
func echo(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, "%s %s [%s] %s", r.Method, r.URL.Path, r.Header.Get("X-A"), body)
	}))
	t.Cleanup(s.Close)
	return s
}

func calling(t *testing.T, allow ...string) *pipeline.Env {
	t.Helper()
	client, err := outbound.New(outbound.Options{Allow: allow})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return &pipeline.Env{Services: fn.Services{HTTP: client}}
}

func TestHTTPRequest(t *testing.T) {
	engine, env, s := scripttest.New(t, all.Table), calling(t, "127.0.0.1"), echo(t)
	for args, want := range map[string]string{
		`"GET", url`:            "GET /p [] ",
		`method="PUT", url=url`: "PUT /p [] ",
		`"POST", url, {"X-A": "1", "X-B": 2}, "text"`: "POST /p [1] text",
		`"POST", url, body={"b": [1, 2.5, nil]}`:      `POST /p [] {"b":[1,2.5,null]}`,
		`"POST", url, body=["a"]`:                     `POST /p [] ["a"]`,
		`"POST", url, body=1.5`:                       `POST /p [] 1.5`,
		`"POST", url, body=7`:                         `POST /p [] 7`,
		`"POST", url, body=true`:                      `POST /p [] true`,
		`"POST", url, {}, nil`:                        `POST /p [] `,
	} {
		script := "r = http_request(" + args + ")\nadd_key(code, r[\"status_code\"])\nadd_key(body, r[\"body\"])"
		got, err := engine.RunIn(t, env, script, scripttest.Fields{"url": s.URL + "/p"})
		if err != nil {
			t.Fatalf("%s: %v", args, err)
		}
		if got["body"] != want || got["code"] != int64(http.StatusAccepted) {
			t.Errorf("%s: got %v %q, want %q", args, got["code"], got["body"], want)
		}
	}
}

func TestHTTPRequestsThatFailAreNil(t *testing.T) {
	engine, s := scripttest.New(t, all.Table), echo(t)
	for name, test := range map[string]struct {
		env *pipeline.Env
		url string
	}{
		"off by default":             {&pipeline.Env{}, s.URL},
		"an address of this machine": {calling(t), s.URL},
		"no URL":                     {calling(t), "http://[::1"},
		"no HTTP":                    {calling(t), "file:///etc/passwd"},
	} {
		got, err := engine.RunIn(t, test.env, "add_key(r, http_request(\"GET\", u))\nadd_key(after, 1)", scripttest.Fields{"u": test.url})
		if err != nil {
			t.Fatal(err)
		}
		if r, there := got["r"]; r != nil || !there || got["after"] != int64(1) {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestHTTPRequestsOfAWrongKind(t *testing.T) {
	engine, env := scripttest.New(t, all.Table), calling(t)
	for _, script := range []string{
		`http_request(1, "http://h/")`,
		`http_request("GET", nope)`,
		`http_request("GET", "http://h/", "headers")`,
		`http_request("GET", "http://h/", body=[1] - 1)`,
	} {
		if _, err := engine.RunIn(t, env, script, nil); err == nil {
			t.Errorf("%s: no error", script)
		}
	}
	for _, script := range []string{`http_request("GET")`, `http_request("GET", "u", {}, "", 1)`, `http_request("GET", "u", head={})`} {
		engine.Refused(t, script)
	}
}

// stall answers after a time, of its own clock.
type stall time.Duration

func (s stall) Do(ctx context.Context, _ fn.HTTPRequest) (fn.HTTPResponse, error) {
	select {
	case <-ctx.Done():
		return fn.HTTPResponse{}, ctx.Err()
	case <-time.After(time.Duration(s)):
		return fn.HTTPResponse{Status: http.StatusOK}, nil
	}
}

func TestWaitingHasALimitOfItsOwn(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	run := func(t *testing.T, s stall, script string) (scripttest.Fields, time.Duration, error) {
		t.Helper()
		start := time.Now()
		env := &pipeline.Env{Limits: fn.Limits{Time: fn.DefaultTime}, Services: fn.Services{HTTP: s}}
		got, err := engine.RunIn(t, env, script, nil)
		return got, time.Since(start), err
	}
	faketime.Test(t, func(t *testing.T) {
		// Seconds of waiting are not the script's: it has 60 ms.
		got, _, err := run(t, stall(3*time.Second), `
			n = 0
			for i = 0; i < 3; i += 1 { r = http_request("GET", "http://h/") }
			for i = 0; i < 20000; i += 1 { n = i }
			add_key(n)`)
		if err != nil || got["n"] != int64(19999) {
			t.Errorf("a script that waits and then works: %v, %v", got, err)
		}
		_, took, err := run(t, stall(time.Hour), `for ;; { http_request("GET", "http://h/") }`)
		if !errors.Is(err, fn.ErrWait) || took > fn.DefaultWait+time.Second {
			t.Errorf("a script that waits for ever: %v after %v", err, took)
		}
		_, _, err = run(t, stall(0), `for ;; { http_request("GET", "http://h/") }`)
		if !errors.Is(err, fn.ErrSteps) {
			t.Errorf("a script that asks for ever: %v", err)
		}
	})
}

const people = `[{"table_name": "people", "column_name": ["id", "name", "admin"], "column_type": ["int", "string", "bool"],
	"row_data": [["1", "ann", "true"], [2, "bob", false], [2, "bo", false]]}]`

// looking returns an environment with refer tables, pulled from a server.
func looking(t *testing.T) *pipeline.Env {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, people) }))
	t.Cleanup(s.Close)
	tables, err := refer.New(refer.Options{URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- tables.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	env := &pipeline.Env{Services: fn.Services{Tables: tables}}
	engine := scripttest.New(t, all.Table)
	for ctx.Err() == nil {
		if got, err := engine.RunIn(t, env, `query_refer_table("people", "id", 1)`, nil); err != nil || len(got) > 0 {
			break // the first pull is there
		}
	}
	return env
}

func TestReferTables(t *testing.T) {
	engine, env := scripttest.New(t, all.Table), looking(t)
	for script, want := range map[string]any{ // the name that is found
		`query_refer_table("people", "id", 1)`:                                          "ann",
		`query_refer_table("people", key="name", value="bob")`:                          "bob",
		`query_refer_table("people", "admin", false)`:                                   "bob",
		"t = \"people\"\nk = \"id\"\nv = 2\nquery_refer_table(t, k, v)":                 "bob",
		`query_refer_table("people", "id", f)`:                                          "bob",
		`query_refer_table("people", "id", 1.0)`:                                        nil,
		`query_refer_table("people", "id", "1")`:                                        nil,
		`query_refer_table("people", "id", nope)`:                                       nil,
		`query_refer_table("people", "nope", 1)`:                                        nil,
		`query_refer_table("nope", "id", 1)`:                                            nil,
		`mquery_refer_table("people", ["id", "name"], [2, "bo"])`:                       "bo",
		"k = \"name\"\nv = \"bo\"\nmquery_refer_table(\"people\", [\"id\", k], [f, v])": "bo",
		"vs = [2]\nk = \"id\"\nmquery_refer_table(\"people\", k, values=vs)":            "bob",
		`mquery_refer_table("people", ["id", "name"], [2])`:                             nil,
		`mquery_refer_table("people", ["id"], [3])`:                                     nil,
		`mquery_refer_table("people", [], [])`:                                          nil,
	} {
		got, err := engine.RunIn(t, env, script, scripttest.Fields{"f": int64(2)})
		if err != nil {
			t.Errorf("%s: %v", script, err)
		}
		if got["name"] != want {
			t.Errorf("%s: got %v, want %v", script, got, want)
		}
		if _, ok := got["admin"].(bool); ok != (want != nil) {
			t.Errorf("%s: admin is %v", script, got["admin"])
		}
	}
}

func TestReferTableCallsOfAWrongKind(t *testing.T) {
	engine, env := scripttest.New(t, all.Table), looking(t)
	for _, script := range []string{
		`query_refer_table(nope, "id", 1)`,
		`query_refer_table("people", nope, 1)`,
		`query_refer_table("people", f, 1)`,
		`mquery_refer_table(f, ["id"], [1])`,
		`mquery_refer_table("people", [nope], [1])`,
		`mquery_refer_table("people", f, [1])`,
		`mquery_refer_table("people", ["id"], [nope])`,
		`mquery_refer_table("people", ["id"], f)`,
	} {
		if _, err := engine.RunIn(t, env, script, scripttest.Fields{"f": int64(1)}); err == nil {
			t.Errorf("%s: no error", script)
		}
	}
	for script, says := range map[string]string{
		`query_refer_table("t", "k")`:              "missing",
		`query_refer_table(1, "k", 1)`:             "expected a key",
		`query_refer_table("t", 1, 1)`:             "expected a string",
		`query_refer_table("t", "k", [1])`:         "expected a string",
		`query_refer_table("t", "k", -v)`:          "expected a string",
		`query_refer_table("t", "k", val=1)`:       "no parameter",
		`mquery_refer_table("t", "k", [1])`:        "expected a list",
		`mquery_refer_table("t", ["k", 1], [1])`:   "expected a list",
		`mquery_refer_table("t", ["k"], [[1]])`:    "expected a list",
		`mquery_refer_table("t", ["k"], 1)`:        "expected a list",
		`mquery_refer_table("t", ["k"], [1], nil)`: "at most 3",
	} {
		if got := engine.Refused(t, script); !strings.Contains(got, says) {
			t.Errorf("%s: refused with %q, want %q", script, got, says)
		}
	}
}

func TestWithoutReferTablesNothingIsWritten(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	got, err := engine.Run(t, `query_refer_table("people", "id", 1)`+"\n"+`mquery_refer_table("people", ["id"], [1])`, nil)
	if err != nil || len(got) > 0 {
		t.Errorf("got %v, %v", got, err)
	}
}
