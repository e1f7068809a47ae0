package api

import (
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"datakit.dev/internal/access"
	"datakit.dev/internal/status"
)

// An Access says who may call a route.
type Access string

// The kinds of access. Who is logged in, or shows the token, may call all of them.
const (
	Anyone  Access = "anyone"
	Local   Access = "local"   // from the machine that the agent runs on
	Console Access = "console" // the same, as long as there is no token
)

// A Route is one method of one path: what it does, takes and answers. It is the
// one description that the server, the OpenAPI document and the manual are made
// from.
type Route struct {
	Method    string
	Path      string
	Access    Access
	Audited   bool // a call is a line of the audit log
	Summary   string
	SummaryZH string
	Params    []Param
	Body      Body    // what is sent; the zero Body is none
	Answer    Body    // of the code 200
	Events    []Event // of an answer that is a stream
	Code      int     // that it answers where all is well; 0 is 200
	Errors    []Error // beside those that come of Access, and those that every route has

	handler http.HandlerFunc
	direct  bool // it writes its errors itself, not as JSON: /metrics
}

// A Param is one parameter.
type Param struct {
	Name, In   string // In is path, query or header
	Required   bool
	Type       string // of JSON: string, integer, boolean
	Doc, DocZH string
	Allowed    []string // values; nil is any
}

// A Body is what is sent or answered.
type Body struct {
	Type string // the media type; "" is JSON
	Of   any    // a value of the Go type that the JSON has; nil where it is no JSON
}

// An Event is one kind of message in a stream of server-sent events.
type Event struct {
	Name       string
	Of         any // a value of the Go type that its data is
	Doc, DocZH string
}

// Routes returns the description of every route, in the order of the manual.
func Routes() []Route { return (&Server{}).table() }

func (s *Server) table() []Route {
	return slices.Concat(s.statusRoutes(), s.orderRoutes(), []Route{s.queryRoute(), s.recentRoute(), s.specsRoute()}, s.consoleRoutes())
}

func (s *Server) statusRoutes() []Route {
	// One scrape at a time: a status of ten thousand keys is not made twenty
	// times over for a client that asks twenty times.
	scrape := http.NotFoundHandler()
	if s.registry != nil {
		scrape = promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 2})
	}
	return []Route{
		{
			Method: http.MethodGet, Path: "/v1/ping", Access: Anyone, handler: s.ping,
			Summary: "Version, uptime and host: whether the agent is there.", SummaryZH: "版本、运行时长和主机名：Agent 是否在运行。", Answer: Body{Of: contentOf[pong]{}},
		},
		{
			Method: http.MethodGet, Path: "/v1/status", Access: Anyone, handler: s.status,
			Summary: "What runs, and what became of every store, key and script.", SummaryZH: "在运行什么，每个配置中心、键和脚本的状态如何。", Answer: Body{Of: status.Status{}},
		},
		{
			Method: http.MethodGet, Path: "/metrics", Access: Anyone, handler: scrape.ServeHTTP, direct: true,
			Summary: "The same for Prometheus.", SummaryZH: "供 Prometheus 抓取的同样内容。", Answer: Body{Type: "text/plain"},
		},
		{
			Method: http.MethodGet, Path: "/v1/changes", Access: Console, handler: s.changes,
			Summary:   "The last changes of keys: what became of them, their difference without secrets, and what that restarted.",
			SummaryZH: "最近的键变更：处理结果、隐去敏感信息的差异，以及由此重启的采集器。",
			Params: []Param{
				{Name: "since", In: "query", Type: "integer", Doc: "Only changes behind this ID, oldest first; without it, the newest ones.", DocZH: "仅返回该 ID 之后的变更（由旧到新）；缺省返回最新的变更。"},
				{Name: "before", In: "query", Type: "integer", Doc: "The newest ones ahead of this ID; not with since.", DocZH: "返回该 ID 之前最新的变更；不能与 since 同用。"},
				limitParam(),
			},
			Answer: Body{Of: contentOf[changeList]{}},
			Errors: []Error{{http.StatusBadRequest, "badRequest", "since, before or limit is no such number", "since、before 或 limit 不是合法的数"}},
		},
		{
			Method: http.MethodGet, Path: "/v1/states", Access: Console, handler: s.states,
			Summary: "The last units and stores that went into another state.", SummaryZH: "最近有哪些采集单元和配置中心的状态发生了变化。",
			Params: []Param{
				{Name: "unit", In: "query", Type: "string", Doc: "Only this unit, by its ID.", DocZH: "仅此 ID 的采集单元。"},
				{Name: "store", In: "query", Type: "string", Doc: "Only this store, by its ID.", DocZH: "仅此 ID 的配置中心。"},
				limitParam(),
			},
			Answer: Body{Of: contentOf[stateList]{}},
			Errors: []Error{{http.StatusBadRequest, "badRequest", "limit is no such number", "limit 不是合法的数"}},
		},
		s.eventRoute(),
		{
			Method: http.MethodGet, Path: "/v1/openapi.json", Access: Anyone, handler: s.openapi,
			Summary: "This description, as OpenAPI 3.1.", SummaryZH: "本接口的 OpenAPI 3.1 描述。", Answer: Body{Of: map[string]any{}},
		},
	}
}

func limitParam() Param {
	return Param{Name: "limit", In: "query", Type: "integer", Doc: "At most this many: 1 to 1000, 100 by default.", DocZH: "最多返回多少条：1 到 1000，默认 100。"}
}

// routes returns the handler of every path, behind what guards them all.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	paths := map[string]methods{}
	for _, r := range s.table() {
		if paths[r.Path] == nil {
			paths[r.Path] = methods{}
		}
		paths[r.Path][r.Method] = r
		if r.Method == http.MethodGet && r.Path != "/v1/events" { // whose body never ends
			paths[r.Path][http.MethodHead] = r
		}
	}
	for path, m := range paths {
		mux.Handle(path, s.metrics.count(path, s.answer(path, m)))
	}
	mux.Handle("/", s.metrics.count("other", http.HandlerFunc(s.fallback)))
	own, _, _ := net.SplitHostPort(s.opts.Addr) // "" for a socket, which nobody rebinds
	return s.contain(guard(mux, own, s.opts.Agent.Info().Host))
}

// methods are the routes of one path by their method.
type methods map[string]Route

// answer returns the handler of one path.
func (s *Server) answer(path string, m methods) http.Handler {
	allow := strings.Join(slices.Sorted(maps.Keys(m)), ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r, ok := m[req.Method]
		if !ok {
			w.Header().Set("Allow", allow)
			fail(w, http.StatusMethodNotAllowed, "methodNotAllowed", "%s takes %s", path, allow)
			return
		}
		s.call(r, w, req)
	})
}

// fallback answers what no route takes.
func (s *Server) fallback(w http.ResponseWriter, req *http.Request) {
	read := req.Method == http.MethodGet || req.Method == http.MethodHead
	if s.opts.Console == nil || !read || strings.HasPrefix(req.URL.Path, "/v1/") || !s.settings().Enable {
		fail(w, http.StatusNotFound, "notFound", "there is nothing at %s", clip(req.URL.Path))
		return
	}
	secure(w.Header())
	ctx := access.WithAdmission(req.Context(), s.admitted(s.callerOf(req)))
	s.opts.Console.ServeHTTP(w, req.WithContext(ctx))
}
