package api_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"datakit.dev/internal/api"
	"datakit.dev/internal/funcs/all"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/grok"
)

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// debugging is an API that knows the functions of scripts.
func debugging(t *testing.T) string {
	t.Helper()
	opts := scripting(t)
	return serve(t, &fake{}, func(o *api.Options) { o.Scripts = opts }) + "/v1/pipeline/debug"
}

func scripting(t *testing.T) pipeline.Options {
	t.Helper()
	funcs, err := all.Table()
	if err != nil {
		t.Fatal(err)
	}
	patterns, err := grok.NewSet(nil)
	if err != nil {
		t.Fatal(err)
	}
	return pipeline.Options{Funcs: funcs, Patterns: patterns}
}

// everywhere is a database of places that knows one country.
type everywhere struct{}

func (everywhere) Place(string) fn.Place { return fn.Place{Country: "Utopia"} }

// Scripts that are debugged reach what those of the agent reach at that time.
func TestDebugReachesWhatTheAgentReaches(t *testing.T) {
	opts := scripting(t)
	reach := fn.Services{Places: everywhere{}}
	url := serve(t, &fake{}, func(o *api.Options) {
		o.Scripts, o.Services = opts, func() fn.Services { return reach }
	}) + "/v1/pipeline/debug"
	body := debugBody("logging", `geoip(_)`, nil, "8.8.8.8")
	if got := debug(t, url, body).Content.Results[0].Point.Fields["country"]; got != "Utopia" {
		t.Errorf("country %v", got)
	}
	reach = fn.Services{}
	if got, ok := debug(t, url, body).Content.Results[0].Point.Fields["country"]; ok && got == "Utopia" {
		t.Errorf("country %v after the database is gone", got)
	}
}

// debugBody is a request of one script.
func debugBody(category, script string, more map[string]any, data ...string) string {
	for i := range data {
		data[i] = b64(data[i])
	}
	body := map[string]any{
		"pipeline": map[string]any{category: map[string]string{"a.p": b64(script)}}, "script_name": "a.p", "category": category, "data": data,
	}
	maps.Copy(body, more)
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return string(text)
}

type debugAnswer struct {
	Content struct {
		Cost      string
		Benchmark string
		Errors    []scriptError `json:"pl_errors"`
		Results   []struct {
			Point *struct {
				Name   string
				Tags   map[string]string
				Fields map[string]any
				Time   int64
				TimeNS int64 `json:"time_ns"`
			}
			Dropped bool
			Created []struct{ Category, Name string }
			Error   *scriptError `json:"run_error"`
		} `json:"plresults"`
	}
}

type scriptError struct {
	Chain []struct {
		File         string
		Ln, Col, Pos int
	} `json:"pos_chain"`
	Error string
}

func debug(t *testing.T, url, body string) (a debugAnswer) {
	t.Helper()
	r := post(t, url, body)
	r.expect(t, 200, `"content":{"cost":"`)
	if err := json.Unmarshal([]byte(r.body), &a); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	return a
}

func TestDebugRunsAScriptOnTexts(t *testing.T) {
	a := debug(t, debugging(t), debugBody("logging", `
grok(_, "%{IP:ip} %{INT:code:int}")
if code == 404 { drop() }
create_point("made", {}, {"n": 1}, category="M")
a = 1 / (code - 500)`, nil, "10.0.0.1 200", "10.0.0.1 404", "10.0.0.1 500"))
	c := a.Content
	if len(c.Results) != 3 || len(c.Errors) != 0 || c.Cost == "" || c.Benchmark != "" {
		t.Fatalf("%+v", c)
	}
	first := c.Results[0]
	if p := first.Point; p.Name != "a" || p.Fields["ip"] != "10.0.0.1" || p.Fields["code"] != 200.0 || p.Time < 1_700_000_000 || p.Tags == nil {
		t.Errorf("point %+v", p)
	}
	if first.Dropped || first.Error != nil || len(first.Created) != 1 || first.Created[0].Category != "metric" || first.Created[0].Name != "made" {
		t.Errorf("first %+v", first)
	}
	if !c.Results[1].Dropped {
		t.Error("the second was not dropped")
	}
	last := c.Results[2].Error
	if last == nil || len(last.Chain) != 1 || last.Chain[0].File != "a.p" || last.Chain[0].Ln != 5 || last.Chain[0].Pos < 100 || !strings.Contains(last.Error, "zero") {
		t.Errorf("run error %+v", last)
	}
}

func TestDebugTakesLineProtocol(t *testing.T) {
	url := debugging(t)
	for category, more := range map[string]map[string]any{
		"metric": nil, "logging": {"data_type": "application/line-protocol"},
	} {
		a := debug(t, url, debugBody(category, `add_key(n, f + 1)`, more, "cpu,host=a f=1i 1644380607421869748\nmem f=2i 1"))
		if len(a.Content.Results) != 2 {
			t.Fatalf("%s: %+v", category, a)
		}
		p := a.Content.Results[0].Point
		if p.Name != "cpu" || p.Tags["host"] != "a" || p.Fields["n"] != 2.0 || p.Time != 1644380607 || p.TimeNS != 421869748 {
			t.Errorf("%s: %+v", category, p)
		}
	}
}

func TestDebugTellsWhatDoesNotCompile(t *testing.T) {
	a := debug(t, debugging(t), debugBody("logging", "x = 1\n  no_such()", nil, "x"))
	e := a.Content.Errors
	if len(e) != 1 || len(e[0].Chain) != 1 || e[0].Chain[0].Ln != 2 || e[0].Chain[0].Col != 3 || e[0].Chain[0].Pos != 8 || !strings.Contains(e[0].Error, "no_such") {
		t.Errorf("%+v", e)
	}
	if r := a.Content.Results; r == nil || len(r) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestDebugUsesOtherScripts(t *testing.T) {
	scripts := map[string]any{"pipeline": map[string]any{"logging": map[string]string{"a.p": b64(`use("b.p")`), "b.p": b64("add_key(x, 1)\na = []\na[3] = 1")}}}
	a := debug(t, debugging(t), debugBody("logging", "", scripts, "x"))
	r := a.Content.Results
	if len(r) != 1 || r[0].Point.Fields["x"] != 1.0 || r[0].Error.Chain[0].File != "b.p" || r[0].Error.Chain[0].Ln != 3 || r[0].Error.Chain[0].Pos < 21 {
		t.Errorf("%+v", a)
	}
}

func TestDebugReadsOtherEncodings(t *testing.T) {
	text, err := simplifiedchinese.GBK.NewEncoder().String("中文")
	if err != nil {
		t.Fatal(err)
	}
	a := debug(t, debugging(t), debugBody("logging", "x = 1", map[string]any{"encode": "GBK"}, text))
	if got := a.Content.Results[0].Point.Fields["message"]; got != "中文" {
		t.Errorf("message %v", got)
	}
}

func TestDebugMeasures(t *testing.T) {
	a := debug(t, debugging(t), debugBody("logging", "x = 1", map[string]any{"benchmark": true}, "x"))
	if !strings.Contains(a.Content.Benchmark, "ns/op") {
		t.Errorf("benchmark %q", a.Content.Benchmark)
	}
}

func TestDebugSaysWhatIsWrongWithARequest(t *testing.T) {
	url := debugging(t)
	many := make([]string, 1001)
	for name, body := range map[string]string{
		"datakit.badRequest":      `{"pipeline": 5}`,
		"datakit.invalidCategory": debugBody("logs", "x = 1", nil, "x"),
		"datakit.invalidPipeline": debugBody("logging", "x = 1", map[string]any{"script_name": "b.p"}, "x"),
		"not run: base64":         debugBody("logging", "x = 1", map[string]any{"pipeline": map[string]any{"logging": map[string]string{"a.p": "%"}}}, "x"),
		"invalidData: no data":    debugBody("logging", "x = 1", nil),
		"invalidData: many":       debugBody("logging", "x = 1", nil, many...),
		"invalidData: base64":     debugBody("logging", "x = 1", map[string]any{"data": []string{"%"}}),
		"invalidData: point":      debugBody("metric", "x = 1", nil, "cpu usage"),
		"invalidData: points":     debugBody("metric", "x = 1", nil, strings.Repeat("m f=1\n", 1001)),
		"invalidData: no point":   debugBody("metric", "x = 1", nil, "\n"),
		"invalidData: encode":     debugBody("logging", "x = 1", map[string]any{"encode": "klingon"}, "x"),
		"invalidData: data_type":  debugBody("logging", "x = 1", map[string]any{"data_type": "application/x"}, "x"),
		"invalidPipeline: large":  debugBody("logging", strings.Repeat("x = 1\n", 20_000), nil, "x"),
	} {
		r := post(t, url, body)
		r.expect(t, 400, `"error_code":"datakit.`, `"message":"`)
		if code, _, _ := strings.Cut(name, ":"); strings.HasPrefix(code, "datakit.") || strings.HasPrefix(code, "invalid") {
			r.expect(t, 400, code)
		}
	}
	post(t, url, `{"script_name":"`+strings.Repeat("x", 1<<20)+`"}`).expect(t, 413, "datakit.bodyTooLarge")
	get(t, url).expect(t, 405)
}

// Scripts that would never end, or fill the memory, end; a thousand of them, too.
func TestDebugIsBounded(t *testing.T) {
	url := debugging(t)
	data := make([]string, 1000)
	for i := range data {
		data[i] = "x"
	}
	a := debug(t, url, debugBody("logging", "for ;; {}", map[string]any{"benchmark": true}, data...))
	r := a.Content.Results
	if len(r) != 1000 || r[0].Error == nil || !strings.Contains(r[0].Error.Error, "for one point") {
		t.Fatalf("%d results", len(r))
	}
	if last := r[999]; last.Error == nil || !strings.Contains(last.Error.Error, "not run") || last.Point != nil {
		t.Errorf("the last of a thousand ran: %+v", last)
	}
	a = debug(t, url, debugBody("logging", `s = "xxxxxxxx"; for ;; { s = s + s }`, nil, "x"))
	if e := a.Content.Results[0].Error; e == nil || !strings.Contains(e.Error, "memory") {
		t.Errorf("%+v", e)
	}
	a = debug(t, url, debugBody("logging", `l = []; l = append(l, l); for i = 0; i < 100; i += 1 { l = [l, l] }; add_key(l)`, nil, "x"))
	if len(a.Content.Results) != 1 {
		t.Errorf("%+v", a)
	}
}

// So does the compiler, with as many patterns as there is room for: a slow machine
// runs out of time first, a fast one meets the bound of the patterns.
func TestDebugCompilesForABoundedTime(t *testing.T) {
	var script strings.Builder
	for i := 0; script.Len() < 60_000; i++ {
		fmt.Fprintf(&script, "grok(_, \"%%{COMBINEDAPACHELOG} %d %%{IPORHOST:a} %%{IPORHOST:b}\")\n", i)
	}
	a := debug(t, debugging(t), debugBody("logging", script.String(), nil, "x"))
	if e := a.Content.Errors; len(e) == 0 || len(e) > 20 || !strings.Contains(e[0].Error, "to compile") && !strings.Contains(e[0].Error, "bytes together") {
		t.Errorf("%d errors, %d results: %.300v", len(e), len(a.Content.Results), e)
	}
}

// One long text in many points makes an answer of a bounded size, that says so.
func TestDebugAnswerIsBounded(t *testing.T) {
	script := `s = "0123456789abcdef"; for i = 0; i < 12; i += 1 { s = s + s }` + "\n"
	for _, k := range []string{"a", "b", "c", "d", "e", "f"} {
		script += "add_key(" + k + ", s)\n"
	}
	data := make([]string, 200)
	for i := range data {
		data[i] = "x"
	}
	r := post(t, debugging(t), debugBody("logging", script, nil, data...))
	r.expect(t, 200, "parts are left out")
	if len(r.body) > 6<<20 {
		t.Errorf("%d bytes", len(r.body))
	}
}

// While one script is debugged, others are told to wait.
func TestDebugTakesOneAtATime(t *testing.T) {
	url := debugging(t)
	data := make([]string, 200)
	for i := range data {
		data[i] = "x"
	}
	body := debugBody("logging", "for ;; {}", nil, data...)
	codes := make(chan int, 8)
	for range cap(codes) {
		go func() { codes <- post(t, url, body).code }()
	}
	busy, done := 0, 0
	for range cap(codes) {
		switch <-codes {
		case 200:
			done++
		case 503:
			busy++
		}
	}
	if busy == 0 || done == 0 || busy+done != cap(codes) {
		t.Errorf("%d ran, %d were told to wait", done, busy)
	}
}
