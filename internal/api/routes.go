package api

import (
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// A route is one path and what it does, by method.
type route struct {
	path    string
	local   bool // taken only from this machine
	methods map[string]http.HandlerFunc
}

func (s *Server) table() []route {
	get := func(path string, h http.HandlerFunc) route {
		return route{path: path, methods: map[string]http.HandlerFunc{http.MethodGet: h, http.MethodHead: h}}
	}
	post := func(path string, local bool, h http.HandlerFunc) route {
		return route{path: path, local: local, methods: map[string]http.HandlerFunc{http.MethodPost: h}}
	}
	// One scrape at a time: a status of ten thousand keys is not made twenty
	// times over for a client that asks twenty times.
	scrape := promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 2})
	return []route{
		get("/v1/ping", s.ping),
		get("/v1/status", s.status),
		get("/metrics", scrape.ServeHTTP),
		post("/v1/write/{category}", false, s.write),
		post("/v1/reload", true, s.reload),
		post("/v1/confd/accept", true, s.accept),
		post("/v1/confd/plan", true, s.plan),
		post("/v1/pipeline/debug", true, s.debug),
		post("/v1/query/raw", true, s.query),
	}
}

// routes returns the handler of every path, behind what guards them all.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.table() {
		mux.Handle(r.path, s.metrics.count(r.path, r))
	}
	mux.Handle("/", s.metrics.count("other", http.HandlerFunc(s.fallback)))
	own, _, _ := net.SplitHostPort(s.opts.Addr) // "" for a socket, which nobody rebinds
	return s.contain(guard(mux, own, s.opts.Agent.Info().Host))
}

// ServeHTTP implements [http.Handler].
func (r route) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	h, ok := r.methods[req.Method]
	switch {
	case !ok:
		allow := strings.Join(slices.Sorted(maps.Keys(r.methods)), ", ")
		w.Header().Set("Allow", allow)
		fail(w, http.StatusMethodNotAllowed, "methodNotAllowed", "%s takes %s", r.path, allow)
	case r.local && !isLocal(req):
		fail(w, http.StatusForbidden, "localOnly", "%s is only taken from the machine that the agent runs on", r.path)
	default:
		h(w, req)
	}
}

// fallback answers what no route takes.
func (s *Server) fallback(w http.ResponseWriter, req *http.Request) {
	read := req.Method == http.MethodGet || req.Method == http.MethodHead
	if s.opts.Console != nil && read && !strings.HasPrefix(req.URL.Path, "/v1/") {
		s.opts.Console.ServeHTTP(w, req)
		return
	}
	fail(w, http.StatusNotFound, "notFound", "there is nothing at %s", clip(req.URL.Path))
}
