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

// said is a text in both languages.
type said struct{ en, zh string }

// routeTexts says what each route does. A route without a text fails the tests,
// and so does a text without a route.
func routeTexts() map[string]said {
	return map[string]said{
		"/v1/ping":             {"Version, uptime and host: whether the agent is there.", "版本、运行时长和主机名：Agent 是否在运行。"},
		"/v1/status":           {"What runs, and what became of every store, key and script.", "在运行什么，每个配置中心、键和脚本的状态如何。"},
		"/metrics":             {"The same for Prometheus: [metrics](metrics.md).", "供 Prometheus 抓取的同样内容：[指标](metrics.md)。"},
		"/v1/write/{category}": {"Take points as line protocol, and send them on as if they were collected.", "接收行协议数据点，与采集到的数据点同样处理。"},
		"/v1/reload":           {"Read `datakit.conf` and `conf.d` again.", "重新读取 `datakit.conf` 和 `conf.d`。"},
		"/v1/confd/accept":     {"Apply the mass deletions that are held.", "让暂缓的大量删除立即生效。"},
		"/v1/confd/plan":       {"Say what a change of keys would do, and change nothing.", "说明对键的修改会带来什么，不做任何改动。"},
		"/v1/query/raw":        {"Answer [DQL](dql.md) from the recent points.", "用最近的数据点应答 [DQL](dql.md)。"},
		"/v1/pipeline/debug":   {"Run a script on sample data.", "用样本数据试运行脚本。"},
	}
}

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
	title, intro, head, anyone, local, details    string
	errors, errorsIntro, errorsHead               string
	metrics, metricsIntro, metricsHead, own, none string
	alerts, alertsIntro, alertsHead               string
	rows                                          [3]string
}

func (w pageText) api() apiTexts {
	if w.lang == "zh" {
		return apiTexts{
			"HTTP 接口",
			"Agent 在 `http_api.listen` 上应答，默认为 `localhost:9529`，也可以是 unix socket。没有登录；会改变什么的接口只接受来自 Agent 所在主机的请求。" +
				"本页自动生成；请求与应答的示例见[状态与 HTTP 接口](status.md)。",
			"| 方法 | 路径 | 接受来自 | 作用 |", "任何能连上的客户端", "仅本机", "示例",
			"错误", "出错时应答为 JSON：`error_code` 供程序判断，`message` 说明问题和该怎么做。", "| `error_code` | HTTP 状态码 | 何时出现 |",
			"指标", "`GET /metrics` 以 Prometheus 格式给出以下指标，以及 Go 运行时自己的 `go_…` 和 `process_…`。同一类型的第二个配置中心显示为 `etcdv3#2`。本页自动生成。",
			"| 指标 | 类型 | 标签 | 含义 |", "我们的指标", "",
			"值得设置的告警", "以下表达式可直接用于 Prometheus 的告警规则。", "| 表达式 | 说明 |",
			[3]string{"持续十分钟没有达到配置要求的状态", "一刻钟没能完整读取配置中心", "十分钟内反复重启"},
		}
	}
	return apiTexts{
		"HTTP interface",
		"The agent answers on `http_api.listen`, `localhost:9529` by default, or on a unix socket. There is no login; what changes something is taken " +
			"only from the agent's own machine. This page is generated; [the status and the HTTP interface](status.md) has examples of requests and answers.",
		"| Method | Path | Taken from | What it does |", "anyone who reaches it", "this machine", "example",
		"Errors", "An error is JSON: `error_code` for programs, and `message`, which says what to do.", "| `error_code` | Status | When |",
		"Metrics", "`GET /metrics` has these for Prometheus, and Go's own `go_…` and `process_…`. A second store of one backend is `etcdv3#2`. This page is generated.",
		"| Metric | Type | Labels | Meaning |", "Ours", "",
		"Alerts worth having", "Each expression can stand in an alerting rule of Prometheus as it is.", "| Expression | What it tells |",
		[3]string{"for ten minutes something that is asked for has not run", "the store was not read whole for a quarter of an hour", "a unit restarts again and again"},
	}
}

func (w pageText) httpAPI() string {
	t, texts := w.api(), routeTexts()
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n%s\n|---|---|---|---|\n", t.title, t.intro, t.head)
	for _, r := range server().Routes() {
		from := t.anyone
		if r.Local {
			from = t.local
		}
		path := strings.NewReplacer("{", ":", "}", "").Replace(r.Path)
		text := texts[r.Path]
		fmt.Fprintf(&b, "| %s | [`%s`](status.md#%s) | %s | %s |\n", strings.Join(r.Methods, " "), path, anchor(path), from, w.pick(text.en, text.zh))
	}
	fmt.Fprintf(&b, "\n## %s\n\n%s\n\n%s\n|---|---|---|\n", t.errors, t.errorsIntro, t.errorsHead)
	all := refusals()
	for _, name := range slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		return cmp.Or(all[a].status-all[b].status, strings.Compare(a, b))
	}) {
		r := all[name]
		fmt.Fprintf(&b, "| `datakit.%s` | %d | %s |\n", name, r.status, w.pick(r.en, r.zh))
	}
	return b.String()
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

func (everything) Info() api.Info                                { return api.Info{Version: "v", Host: "h", Started: time.Unix(1, 0)} }
func (everything) Reload(context.Context) error                  { return nil }
func (everything) Accept() int                                   { return 0 }
func (everything) Try(string, []store.Entry) (t reconcile.Trial) { return t }
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

// A refusal is one error that the interface answers with.
type refusal struct {
	status int
	said
}

// refusals says when each error comes. An error without a text fails the tests,
// and so does a text without an error.
func refusals() map[string]refusal {
	return map[string]refusal{
		"badPoints":        {400, said{"Some lines are no line protocol; the others were taken. `errors` names each one.", "部分行不是合法的行协议，其余的已接收；`errors` 逐一列出。"}},
		"badRequest":       {400, said{"The body cannot be read as what the route takes.", "请求体不是该接口所要求的内容。"}},
		"invalidCategory":  {400, said{"A script is to be run for a category that there is not.", "要调试的脚本所属类别不存在。"}},
		"invalidData":      {400, said{"The sample data cannot be read, or there is too much of it.", "样本数据无法解析，或数量过多。"}},
		"invalidPipeline":  {400, said{"The script to be run is missing, too large or badly encoded.", "要调试的脚本缺失、过大或编码有误。"}},
		"empty":            {400, said{"The body is empty.", "请求体为空。"}},
		"precision":        {400, said{"`precision` is none of `n`, `u`, `ms`, `s`.", "`precision` 不是 `n`、`u`、`ms`、`s` 之一。"}},
		"crossOrigin":      {403, said{"A web page of another origin asked for it.", "请求来自其他来源的网页。"}},
		"host":             {403, said{"The request came to the loopback address under a foreign name.", "请求以别的主机名发到了回环地址。"}},
		"localOnly":        {403, said{"The request did not come from the agent's machine.", "请求不是来自 Agent 所在的主机。"}},
		"dql":              {400, said{"The query cannot be read, or asks for what there is not; `errors` names the places.", "查询无法解析，或所查内容不存在；`errors` 列出位置。"}},
		"recentOff":        {404, said{"The agent keeps no points: `[recent]` is off.", "Agent 不保留数据点：`[recent]` 已关闭。"}},
		"query":            {422, said{"The query needs more than it may: fewer rows, groups or time would do. 503 where it took too long.", "查询超出上限：请减少行数、分组或时间范围。耗时过长则为 503。"}},
		"category":         {404, said{"There is no such category.", "没有这个类别。"}},
		"notFound":         {404, said{"There is no such path.", "没有这个路径。"}},
		"methodNotAllowed": {405, said{"The path takes another method; `Allow` names it.", "该路径使用其他方法，见 `Allow`。"}},
		"bodyTooLarge":     {413, said{"The body is too large: send it in parts.", "请求体过大：请分批发送。"}},
		"encoding":         {415, said{"`Content-Encoding` is neither `gzip` nor left out.", "`Content-Encoding` 只能是 `gzip` 或不写。"}},
		"reload":           {422, said{"`datakit.conf` cannot be used; what runs stays.", "`datakit.conf` 无法使用；运行中的保持不变。"}},
		"internal":         {500, said{"The agent failed at this request; its log says more.", "Agent 处理该请求时出错，详情见日志。"}},
		"busy":             {503, said{"The agent is full, or runs another script; `Retry-After` says when to try again.", "Agent 正忙，或正在调试另一个脚本；`Retry-After` 说明何时重试。"}},
		"unavailable":      {503, said{"The points were not taken: the agent is full, or about to stop.", "数据点未被接收：Agent 已满，或正在停止。"}},
	}
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
			if a, ok := n.(*ast.AssignStmt); ok {
				for i, left := range a.Lhs {
					if id, ok := left.(*ast.Ident); ok && id.Name == "name" && i < len(a.Rhs) {
						add(f.of(a.Rhs[i]))
					}
				}
			}
			return true
		})
	}
	return out
}

func TestEveryErrorHasAText(t *testing.T) {
	texts := refusals()
	for name := range refused() {
		if texts[name].en == "" || texts[name].zh == "" {
			t.Errorf("the error %s has no text in refusals", name)
		}
		delete(texts, name)
	}
	for name := range texts {
		t.Errorf("the text of %s is of no error", name)
	}
}

func TestEveryRouteHasAText(t *testing.T) {
	texts := routeTexts()
	for _, r := range server().Routes() {
		if texts[r.Path].en == "" || texts[r.Path].zh == "" {
			t.Errorf("the route %s has no text in routeTexts", r.Path)
		}
		delete(texts, r.Path)
	}
	for path := range texts {
		t.Errorf("the text of %s is of no route", path)
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
	s, texts := server(), refusals()
	for _, c := range []struct{ method, path, name string }{
		{http.MethodGet, "/v2", "notFound"},
		{http.MethodPut, "/v1/ping", "methodNotAllowed"},
		{http.MethodPost, "/v1/reload", "localOnly"},
		{http.MethodPost, "/v1/write/nothing", "category"},
	} {
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, httptest.NewRequest(c.method, "http://localhost"+c.path, http.NoBody))
		if !strings.Contains(rec.Body.String(), `"datakit.`+c.name+`"`) || rec.Code != texts[c.name].status {
			t.Errorf("%s %s answers %d %s", c.method, c.path, rec.Code, rec.Body)
		}
	}
}
