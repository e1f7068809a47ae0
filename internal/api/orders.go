package api

import (
	"net/http"
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
			Summary: "Take points as line protocol, and send them on as if they were collected.", SummaryZH: "接收行协议数据点，与采集到的数据点同样处理。",
			Params: []Param{
				{Name: "category", In: "path", Required: true, Type: "string", Allowed: categoryNames(), Doc: "Of the points.", DocZH: "数据类别。"},
				{Name: "precision", In: "query", Type: "string", Allowed: []string{"n", "u", "ms", "s"}, Doc: "What a time counts; n by default.", DocZH: "时间戳精度，默认 n。"},
			},
			Body: Body{Type: "text/plain"}, Answer: Body{Of: contentOf[written]{}},
			Errors: []Error{
				{http.StatusBadRequest, "badPoints", "some lines are no line protocol; the others were taken, and `errors` names each one", "部分行不是合法的行协议，其余的已接收；`errors` 逐一列出"},
				{http.StatusBadRequest, "badRequest", "the body cannot be read: it is no gzip, or not whole", "请求体无法读取：不是 gzip，或不完整"},
				{http.StatusBadRequest, "empty", "there is no point in the body", "请求体中没有数据点"},
				{http.StatusBadRequest, "precision", "`precision` is none of `n`, `u`, `ms`, `s`", "`precision` 不是 `n`、`u`、`ms`、`s` 之一"},
				{http.StatusNotFound, "category", "there is no such category", "没有这个类别"},
				tooLong("32 MiB"),
				{http.StatusUnsupportedMediaType, "encoding", "`Content-Encoding` is neither `gzip` nor left out", "`Content-Encoding` 只能是 `gzip` 或不写"},
				{http.StatusServiceUnavailable, "busy", "the bodies under way are as large as is taken: send it again after `Retry-After`", "正在接收的请求体已达上限：请在 `Retry-After` 之后重发"},
				{http.StatusServiceUnavailable, "unavailable", "the points were not taken: the agent is full, or about to stop", "数据点未被接收：Agent 已满，或正在停止"},
			},
		},
		{
			Method: http.MethodPost, Path: "/v1/reload", Access: Local, Audited: true, handler: s.reload,
			Summary: "Read `datakit.conf` and `conf.d` again.", SummaryZH: "重新读取 `datakit.conf` 和 `conf.d`。", Answer: Body{Of: contentOf[reloaded]{}},
			Errors: []Error{{http.StatusUnprocessableEntity, "reload", "`datakit.conf` cannot be used; what runs stays", "`datakit.conf` 无法使用；运行中的保持不变"}},
		},
		{
			Method: http.MethodPost, Path: "/v1/confd/accept", Access: Local, Audited: true, handler: s.accept,
			Summary: "Apply the mass deletions that are held.", SummaryZH: "让暂缓的大量删除立即生效。", Answer: Body{Of: contentOf[accepted]{}},
		},
		{
			Method: http.MethodPost, Path: "/v1/confd/plan", Access: Local, handler: s.plan,
			Summary: "Say what a change or a deletion of keys would do, and change nothing.", SummaryZH: "说明修改或删除键会带来什么，不做任何改动。",
			Body: Body{Of: planRequest{}}, Answer: Body{Of: planAnswer{}},
			Errors: []Error{
				unreadable(),
				tooLong("32 MiB"),
			},
		},
		{
			Method: http.MethodPost, Path: "/v1/confd/validate", Access: Local, handler: s.validate,
			Summary: "Say what an agent would refuse in one value; nothing is started.", SummaryZH: "说明 Agent 不会接受某个值的哪些地方，不启动任何东西。",
			Body: Body{Of: validateRequest{}}, Answer: Body{Of: contentOf[validated]{}},
			Errors: []Error{
				unreadable(),
				tooLong("8 MiB"),
				{http.StatusServiceUnavailable, "busy", "other values are being validated: try again after `Retry-After`", "正在校验其他内容：请在 `Retry-After` 之后重试"},
			},
		},
		{
			Method: http.MethodPost, Path: "/v1/pipeline/debug", Access: Local, handler: s.debug,
			Summary: "Run a script on sample data.", SummaryZH: "用样例数据试运行脚本。",
			Body: Body{Of: debugRequest{}}, Answer: Body{Of: contentOf[debugAnswer]{}},
			Errors: []Error{
				unreadable(),
				{http.StatusBadRequest, "invalidCategory", "there is no such category", "没有这个类别"},
				{http.StatusBadRequest, "invalidData", "the sample data cannot be read, or there is too much of it", "样例数据无法解析，或数量过多"},
				{http.StatusBadRequest, "invalidPipeline", "the script is missing, too large or badly encoded", "脚本缺失、过大或编码有误"},
				tooLong("1 MiB"),
				debuggingBusy(),
			},
		},
		s.tryRoute(),
	}
}

func debuggingBusy() Error {
	return Error{http.StatusServiceUnavailable, "busy", "another script is being debugged: try again after `Retry-After`", "正在调试另一个脚本：请在 `Retry-After` 之后重试"}
}
