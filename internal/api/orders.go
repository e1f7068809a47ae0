package api

import (
	"net/http"

	"datakit.dev/internal/reconcile"
)

// The contents of short answers.
type (
	pong struct {
		Version string `json:"version"`
		Host    string `json:"host"`
		Uptime  string `json:"uptime"`
	}
	written struct {
		Written int `json:"written"`
	}
	reloaded struct {
		Generation uint64 `json:"generation"`
	}
	accepted struct {
		Stores int `json:"stores"`
	}
)

// orderRoutes are those that take points and orders.
func (s *Server) orderRoutes() []Route {
	return []Route{
		{
			Method: http.MethodPost, Path: "/v1/write/{category}", Access: Anyone, handler: s.write,
			Summary: "Take points as line protocol.", SummaryZH: "以行协议写入数据点。",
			Params: []Param{
				{Name: "category", In: "path", Required: true, Type: "string", Allowed: categoryNames(), Doc: "Of the points.", DocZH: "数据类别。"},
				{Name: "precision", In: "query", Type: "string", Allowed: []string{"n", "u", "ms", "s"}, Doc: "What a time counts; n by default.", DocZH: "时间戳精度，默认 n。"},
			},
			Body: Body{Type: "text/plain"}, Answer: Body{Of: contentOf[written]{}},
			Errors: []Error{
				{http.StatusBadRequest, "badPoints", "some lines are wrong; the others were taken"},
				{http.StatusNotFound, "category", "there is no such category"},
				{http.StatusRequestEntityTooLarge, "bodyTooLarge", "the body has more than 32 MiB"},
				{http.StatusUnsupportedMediaType, "encoding", "the encoding is neither gzip nor none"},
				{http.StatusServiceUnavailable, "unavailable", "the agent is full: send it again"},
			},
		},
		{
			Method: http.MethodPost, Path: "/v1/reload", Access: Local, Audited: true, handler: s.reload,
			Summary: "Read datakit.conf and conf.d again.", SummaryZH: "重新读取 datakit.conf 和 conf.d。", Answer: Body{Of: contentOf[reloaded]{}},
			Errors: []Error{{http.StatusUnprocessableEntity, "reload", "datakit.conf cannot be used; nothing was changed"}},
		},
		{
			Method: http.MethodPost, Path: "/v1/confd/accept", Access: Local, Audited: true, handler: s.accept,
			Summary: "Apply the mass deletions that are held.", SummaryZH: "立即执行被暂缓的大量删除。", Answer: Body{Of: contentOf[accepted]{}},
		},
		{
			Method: http.MethodPost, Path: "/v1/confd/plan", Access: Local, handler: s.plan,
			Summary: "Say what a change of keys would do.", SummaryZH: "预演键的变更会带来什么。",
			Body: Body{Of: planRequest{}}, Answer: Body{Of: reconcile.Trial{}},
			Errors: []Error{
				{http.StatusBadRequest, "badRequest", "the body is no such request"},
				{http.StatusRequestEntityTooLarge, "bodyTooLarge", "the body has more than 32 MiB"},
			},
		},
		{
			Method: http.MethodPost, Path: "/v1/pipeline/debug", Access: Local, handler: s.debug,
			Summary: "Run a script on sample data.", SummaryZH: "用样例数据运行脚本。",
			Body: Body{Of: debugRequest{}}, Answer: Body{Of: contentOf[debugAnswer]{}},
			Errors: []Error{
				{http.StatusBadRequest, "badRequest", "the body is no such request; other names say more exactly why"},
				{http.StatusRequestEntityTooLarge, "bodyTooLarge", "the body has more than 1 MiB"},
				{http.StatusServiceUnavailable, "busy", "another script is being debugged"},
			},
		},
	}
}
