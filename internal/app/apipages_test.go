package app

import (
	"cmp"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"datakit.dev/internal/api"
	"datakit.dev/internal/point"
	"datakit.dev/internal/reconcile"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
)

// metricTextsZH translates the help of each metric of ours.
func metricTextsZH() map[string]string {
	return map[string]string{
		"datakit_build_info":                  "Agent 的版本。",
		"datakit_start_time_seconds":          "Agent 的启动时间（Unix 秒）。",
		"datakit_generation":                  "启动以来应用的快照数。",
		"datakit_converged":                   "实际运行与配置要求一致时为 1。",
		"datakit_agent_errors":                "Agent 自身的问题数。",
		"datakit_store_state":                 "配置中心当前所处的状态为 1。",
		"datakit_store_keys":                  "最近一次完整读取得到的键数。",
		"datakit_store_read_time_seconds":     "最近一次完整读取的时间（Unix 秒）。",
		"datakit_store_read_age_seconds":      "距最近一次完整读取的秒数。",
		"datakit_keys":                        "各状态的键数，含本地文件。",
		"datakit_unit_state":                  "单元当前所处的状态为 1。",
		"datakit_unit_starts_total":           "启动次数：未重启过则为 1。",
		"datakit_unit_updates_total":          "原地生效的修改次数。",
		"datakit_unit_gathers_total":          "采集次数。",
		"datakit_unit_missed_total":           "因采集过慢而略过的次数。",
		"datakit_unit_points_total":           "写出的数据点数。",
		"datakit_unit_errors_total":           "失败的采集和运行次数。",
		"datakit_script_runs_total":           "脚本处理过的数据点数。",
		"datakit_script_drops_total":          "脚本丢弃的数据点数。",
		"datakit_script_errors_total":         "运行失败的次数。",
		"datakit_script_seconds_total":        "运行所用的总时间。",
		"datakit_output_queue_points":         "等待输出的数据点数。",
		"datakit_output_queue_bytes":          "等待输出的字节数。",
		"datakit_output_written_points_total": "已交付的数据点数。",
		"datakit_output_dropped_points_total": "放弃的数据点数。",
		"datakit_output_retries_total":        "重试的写入次数。",
		"datakit_http_requests_total":         "本接口应答的请求数。",
		"datakit_recent_points":               "为查询保留的数据点数。",
		"datakit_recent_series":               "这些数据点所属的序列数。",
		"datakit_recent_bytes":                "这些数据点占用的内存。",
		"datakit_recent_max_bytes":            "该内存的上限。",
		"datakit_recent_refused_points_total": "因过旧而未保留的数据点数。",
	}
}

// apiTexts is what the two pages say around their tables.
type apiTexts struct {
	title, intro, head                            string
	anyone, local, console, params, paramsHead    string
	errors, errorsIntro, errorsHead               string
	metrics, metricsIntro, metricsHead, own, none string
	alerts, alertsIntro, alertsHead               string
	rows                                          [3]string
}

func (w pageText) api() apiTexts {
	if w.lang == "zh" {
		return apiTexts{
			"HTTP 接口",
			"Agent 在 `http_api.listen` 上应答，默认为 `localhost:9529`，也可以是 unix socket。会改变什么或透露更多的接口只接受来自 Agent 所在主机的请求，或持有[控制台](console.md)令牌的请求。" +
				"本页自动生成，`GET /v1/openapi.json` 为程序给出同样的描述；请求与应答的示例见[状态与 HTTP 接口](status.md)。",
			"| 方法 | 路径 | 接受来自 | 作用 |",
			"任何能连上的客户端", "本机或令牌持有者", "令牌持有者；尚无令牌时为本机", "参数", "| 路径 | 参数 | 位置 | 含义 |",
			"错误", "出错时应答为 JSON：`error_code` 供程序判断，`message` 说明问题和该怎么做。", "| `error_code` | HTTP 状态码 | 何时出现 |",
			"指标", "`GET /metrics` 以 Prometheus 格式给出以下指标，以及 Go 运行时自己的 `go_…` 和 `process_…`。同一类型的第二个配置中心显示为 `etcdv3#2`。本页自动生成。",
			"| 指标 | 类型 | 标签 | 含义 |", "我们的指标", "",
			"值得设置的告警", "以下表达式可直接用于 Prometheus 的告警规则。", "| 表达式 | 说明 |",
			[3]string{"持续十分钟没有达到配置要求的状态", "一刻钟没能完整读取配置中心", "十分钟内反复重启"},
		}
	}
	return apiTexts{
		"HTTP interface",
		"The agent answers on `http_api.listen`, `localhost:9529` by default, or on a unix socket. What changes something, or tells more, is taken " +
			"only from the agent's own machine or with the token of [the console](console.md). This page is generated, and `GET /v1/openapi.json` says the same " +
			"for programs; [the status and the HTTP interface](status.md) has examples of requests and answers.",
		"| Method | Path | Taken from | What it does |",
		"anyone who reaches it", "this machine, or with the token", "with the token; this machine while there is none", "Parameters", "| Path | Parameter | In | Meaning |",
		"Errors", "An error is JSON: `error_code` for programs, and `message`, which says what to do.", "| `error_code` | Status | When |",
		"Metrics", "`GET /metrics` has these for Prometheus, and Go's own `go_…` and `process_…`. A second store of one backend is `etcdv3#2`. This page is generated.",
		"| Metric | Type | Labels | Meaning |", "Ours", "",
		"Alerts worth having", "Each expression can stand in an alerting rule of Prometheus as it is.", "| Expression | What it tells |",
		[3]string{"for ten minutes something that is asked for has not run", "the store was not read whole for a quarter of an hour", "a unit restarts again and again"},
	}
}

func (w pageText) httpAPI() string {
	t := w.api()
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n%s\n|---|---|---|---|\n", t.title, t.intro, t.head)
	from := map[api.Access]string{api.Anyone: t.anyone, api.Local: t.local, api.Console: t.console}
	for _, r := range api.Routes() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.Method, w.example(shown(r.Path)), from[r.Access], spec.Cell(w.pick(r.Summary, r.SummaryZH)))
	}
	fmt.Fprintf(&b, "\n## %s\n\n%s\n|---|---|---|---|\n", t.params, t.paramsHead)
	for _, r := range api.Routes() {
		for _, p := range r.Params {
			fmt.Fprintf(&b, "| %s `%s` | `%s` | %s | %s |\n", r.Method, shown(r.Path), p.Name, p.In, spec.Cell(w.pick(p.Doc, p.DocZH)))
		}
	}
	fmt.Fprintf(&b, "\n## %s\n\n%s\n\n%s\n|---|---|---|\n", t.errors, t.errorsIntro, t.errorsHead)
	for _, e := range refusals() {
		fmt.Fprintf(&b, "| `datakit.%s` | %d | %s |\n", e.name, e.status, w.when(e))
	}
	return b.String()
}

// shown is a path as the manual writes it: /v1/write/:category.
func shown(path string) string {
	return strings.NewReplacer("{", ":", "...}", "", "}", "").Replace(path)
}

// example returns a path, with a link to where the manual shows how it is asked.
func (w pageText) example(path string) string {
	to := "status.md#" + anchor(path)
	switch {
	case path == "/v1/openapi.json":
		return "`" + path + "`"
	case slices.Contains([]string{"/v1/changes", "/v1/states", "/v1/events"}, path):
		to = "console.md#" + w.pick("changes-as-they-happen", "实时变更")
	case strings.HasPrefix(path, "/v1/keys"):
		to = "console.md#" + w.pick("changing-keys", "修改键")
	case slices.Contains([]string{"/v1/specs", "/v1/recent", "/v1/confd/validate", "/v1/pipeline/try"}, path):
		to = "console.md#" + w.pick("what-editors-are-built-on", "编辑器所用的接口")
	case strings.HasPrefix(path, "/v1/console"):
		to = "console.md#" + w.pick("who-is-let-in", "谁可以访问")
	}
	return fmt.Sprintf("[`%s`](%s)", path, to)
}

// A refusal is one error that the interface answers with.
type refusal struct {
	name   string
	status int
	paths  []string    // that answer so; "" is any
	texts  []api.Error // one for each of them
}

// refusals returns all errors that the routes describe, by status and name.
func refusals() []refusal {
	var out []refusal
	add := func(path string, e api.Error) {
		i := slices.IndexFunc(out, func(r refusal) bool { return r.name == e.Name && r.status == e.Code })
		if i < 0 {
			i, out = len(out), append(out, refusal{name: e.Name, status: e.Code})
		}
		if !slices.Contains(out[i].paths, path) || out[i].texts[slices.Index(out[i].paths, path)].Doc != e.Doc {
			out[i].paths, out[i].texts = append(out[i].paths, path), append(out[i].texts, e)
		}
	}
	for _, e := range api.AnyFailures() {
		add("", e)
	}
	for _, r := range api.Routes() {
		for _, e := range r.Failures() {
			add(shown(r.Path), e)
		}
	}
	slices.SortFunc(out, func(a, b refusal) int { return cmp.Or(a.status-b.status, strings.Compare(a.name, b.name)) })
	return out
}

// when says when an error comes: once for the paths that say the same of it, and
// with the paths where they differ.
func (w pageText) when(r refusal) string {
	var order []string
	paths := map[string][]string{}
	for i, e := range r.texts {
		text := w.pick(e.Doc, e.DocZH)
		if paths[text] == nil {
			order = append(order, text)
		}
		if r.paths[i] != "" {
			paths[text] = append(paths[text], "`"+r.paths[i]+"`")
		} else {
			paths[text] = []string{}
		}
	}
	var parts []string
	for _, text := range order {
		if at := paths[text]; len(order) > 1 && len(at) > 0 {
			text = strings.Join(at, ", ") + w.pick(": ", "：") + text
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, w.pick("; ", "；"))
}

func anchor(path string) string { return strings.NewReplacer("/", "", ":", "").Replace(path) }

func (w pageText) metricsPage() string {
	t, zh := w.api(), metricTextsZH()
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n## %s\n\n%s\n|---|---|---|---|\n", t.metrics, t.metricsIntro, t.own, t.metricsHead)
	all := families()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f := all[name]
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, strings.ToLower(f.GetType().String()), labels(f), spec.Cell(w.pick(f.GetHelp(), zh[name])))
	}
	fmt.Fprintf(&b, "\n## %s\n\n%s\n\n%s\n|---|---|\n", t.alerts, t.alertsIntro, t.alertsHead)
	for i, expr := range alerts() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", expr, t.rows[i])
	}
	return b.String()
}

func alerts() []string {
	return []string{
		"max_over_time(datakit_converged[10m]) == 0",
		"datakit_store_read_age_seconds > 900",
		"increase(datakit_unit_starts_total[10m]) > 3",
	}
}

func labels(f *dto.MetricFamily) string {
	var out []string
	for _, l := range f.GetMetric()[0].GetLabel() {
		out = append(out, "`"+l.GetName()+"`")
	}
	return strings.Join(out, " ")
}

// everything is an agent that has one of each thing, with every counter counted:
// so each metric shows.
type everything struct{}

func (everything) Info() api.Info                                           { return api.Info{Version: "v", Host: "h", Started: time.Unix(1, 0)} }
func (everything) Reload(context.Context) error                             { return nil }
func (everything) Accept() int                                              { return 0 }
func (everything) Try(string, []store.Entry, ...string) (t reconcile.Trial) { return t }
func (everything) Write(context.Context, point.Category, []point.Point) error {
	return nil
}

func (everything) Status() status.Status {
	s := status.Status{
		Stores: make([]status.Store, 1), Keys: make([]status.Key, 1), Units: make([]status.Unit, 1),
		Scripts: []status.Script{{State: "active"}}, Outputs: make([]status.Output, 1), Recent: &status.Recent{},
	}
	s.Stores[0].ReadAt = status.At(time.Unix(1, 0))
	for _, v := range []any{&s.Stores[0], &s.Units[0], &s.Scripts[0], &s.Outputs[0], s.Recent} {
		count(reflect.ValueOf(v).Elem())
	}
	return s
}

func count(v reflect.Value) {
	for _, f := range v.Fields() {
		switch {
		case f.CanUint():
			f.SetUint(1)
		case f.CanInt():
			f.SetInt(1)
		}
	}
}

func server() *api.Server {
	return api.New(api.Options{Log: slog.New(slog.DiscardHandler), Agent: everything{}})
}

// families returns our metrics by name, as a scrape gives them.
func families() map[string]*dto.MetricFamily {
	s := server()
	var text io.Reader
	for range 2 { // the second one has counted the first
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "http://localhost/metrics", http.NoBody))
		text = rec.Body
	}
	p := expfmt.NewTextParser(model.UTF8Validation)
	all, err := p.TextToMetricFamilies(text)
	if err != nil {
		panic(err)
	}
	maps.DeleteFunc(all, func(name string, _ *dto.MetricFamily) bool { return !strings.HasPrefix(name, "datakit_") })
	return all
}

// A source is one file of package api.
type source struct {
	text string
	set  *token.FileSet
	tree *ast.File
}

// of returns what n says in the source.
func (s source) of(n ast.Node) string {
	return s.text[s.set.Position(n.Pos()).Offset:s.set.Position(n.End()).Offset]
}

func apiSources() (out []source) {
	const dir = "../api"
	paths, err := fs.Glob(os.DirFS(dir), "*.go")
	if err != nil {
		panic(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			panic(err)
		}
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, path, text, 0)
		if err != nil {
			panic(err)
		}
		out = append(out, source{string(text), set, tree})
	}
	return out
}

// calls returns the calls of package api whose function has one of these names,
// with what their arguments say in the source.
func calls(names ...string) (out [][]string) {
	for _, f := range apiSources() {
		ast.Inspect(f.tree, func(n ast.Node) bool {
			c, ok := n.(*ast.CallExpr)
			if !ok || !slices.Contains(names, callee(c)) {
				return true
			}
			row := []string{callee(c)}
			for _, a := range c.Args {
				row = append(row, f.of(a))
			}
			out = append(out, row)
			return true
		})
	}
	return out
}

func callee(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

var literal = regexp.MustCompile(`"datakit\.(\w+)"`)

// refused returns the names of all errors in the source of package api.
func refused() map[string]bool {
	out := map[string]bool{}
	add := func(quoted string) {
		if name, err := strconv.Unquote(quoted); err == nil && regexp.MustCompile(`^\w+$`).MatchString(name) {
			out[name] = true
		}
	}
	for _, c := range calls("fail", "refusef") {
		if c[0] == "fail" {
			add(c[3])
		} else {
			add(c[1])
		}
	}
	for _, f := range apiSources() {
		for _, m := range literal.FindAllStringSubmatch(f.text, -1) {
			out[m[1]] = true
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			switch s := n.(type) {
			case *ast.AssignStmt:
				for i, left := range s.Lhs {
					if id, ok := left.(*ast.Ident); ok && id.Name == "name" && i < len(s.Rhs) {
						add(f.of(s.Rhs[i]))
					}
				}
			case *ast.ReturnStmt: // a code with its name
				if len(s.Results) > 1 && strings.HasPrefix(f.of(s.Results[0]), "http.Status") {
					add(f.of(s.Results[1]))
				}
			}
			return true
		})
	}
	return out
}

// What the source answers with is described, and nothing else is.
func TestEveryErrorIsDescribed(t *testing.T) {
	described := map[string]bool{}
	for _, r := range refusals() {
		described[r.name] = true
	}
	answered := refused()
	for name := range answered {
		if !described[name] {
			t.Errorf("no route describes the error %s", name)
		}
	}
	for name := range described {
		if !answered[name] {
			t.Errorf("the error %s is described, and nothing answers with it", name)
		}
	}
}

func TestEveryMetricHasAText(t *testing.T) {
	texts, shown := metricTextsZH(), families()
	for name, f := range shown {
		if texts[name] == "" || f.GetHelp() == "" {
			t.Errorf("the metric %s has no text in metricTextsZH, or no help", name)
		}
		delete(texts, name)
	}
	for name := range texts {
		t.Errorf("the text of %s is of no metric", name)
	}
	// What the source can emit shows, all of it: no metric is missing only
	// because the agent of this test has nothing of its kind.
	n := 0
	for _, c := range calls("gauge", "counter", "emit") {
		i := 1
		if c[0] == "emit" {
			i = 2
		}
		name, err := strconv.Unquote(c[i])
		if err != nil {
			continue
		}
		n++
		if name = "datakit_" + name; c[0] == "counter" {
			name += "_total"
		}
		if shown[name] == nil {
			t.Errorf("%s is emitted and not on the page: let the agent of this test have one", name)
		}
	}
	if n < 20 {
		t.Errorf("only %d metrics were found in the source", n)
	}
}

func TestAlertsNameOurMetrics(t *testing.T) {
	all := families()
	for _, expr := range alerts() {
		for _, name := range regexp.MustCompile(`datakit_\w+`).FindAllString(expr, -1) {
			if all[name] == nil {
				t.Errorf("%s: there is no %s", expr, name)
			}
		}
	}
}

// The status codes of the page are those that are answered: here are four, asked for.
func TestErrorsOfThePageAreAnswered(t *testing.T) {
	s := server()
	for _, c := range []struct{ method, path, name string }{
		{http.MethodGet, "/v2", "notFound"},
		{http.MethodPut, "/v1/ping", "methodNotAllowed"},
		{http.MethodPost, "/v1/reload", "localOnly"},
		{http.MethodPost, "/v1/write/nothing", "category"},
	} {
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, httptest.NewRequest(c.method, "http://localhost"+c.path, http.NoBody))
		ours := func(r refusal) bool { return r.name == c.name && r.status == rec.Code }
		if !strings.Contains(rec.Body.String(), `"datakit.`+c.name+`"`) || !slices.ContainsFunc(refusals(), ours) {
			t.Errorf("%s %s answers %d %s", c.method, c.path, rec.Code, rec.Body)
		}
	}
}
