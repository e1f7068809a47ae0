package api

import (
	"net/http"
	"slices"
)

// An Error is one way that a call may fail.
type Error struct {
	Code       int    // of HTTP
	Name       string // of error_code, without "datakit."
	Doc, DocZH string
}

// Failures returns the errors of a route: its own, and those that come of who may
// call it.
func (r Route) Failures() []Error {
	out := slices.Clip(r.Errors)
	switch r.Access {
	case Local:
		out = append(out, Error{
			http.StatusForbidden, "localOnly", "only from the agent's machine, or logged in", "只接受来自 Agent 所在主机的请求，或已登录者的请求",
		}, Error{http.StatusUnauthorized, "login", "the token that came with it is wrong", "所带的令牌不对"}, tooMany())
	case Console:
		out = append(out, Error{http.StatusUnauthorized, "login", "log in first", "请先登录"}, tooMany())
	case Anyone:
		return out
	}
	if r.Method != http.MethodGet {
		out = append(out, noCSRF())
	}
	return out
}

// AnyFailures returns the errors that every route may answer with, beside its own.
func AnyFailures() []Error {
	return []Error{
		{http.StatusForbidden, "crossOrigin", "a web page of another origin asked for it", "请求来自其他来源的网页"},
		{http.StatusForbidden, "host", "the request came to the loopback address under a foreign name", "请求以别的主机名发到了回环地址"},
		{http.StatusNotFound, "notFound", "there is nothing at this path", "没有这个路径"},
		{http.StatusMethodNotAllowed, "methodNotAllowed", "the path takes another method; `Allow` names it", "该路径使用其他方法，见 `Allow`"},
		{http.StatusInternalServerError, "internal", "the agent failed at this request; its log says more", "Agent 处理该请求时出错，详情见日志"},
	}
}

// What follows are errors that several routes have.
func unreadable() Error {
	return Error{http.StatusBadRequest, "badRequest", "the body cannot be read as what the route takes", "请求体不是该接口所要求的内容"}
}

func noCSRF() Error {
	return Error{http.StatusForbidden, "csrf", "the header `X-Datakit-Console` is missing, and the caller is logged in or wants to be", "已登录者的请求或登录请求缺少 `X-Datakit-Console` 请求头"}
}

func tooLong(bound string) Error {
	return Error{http.StatusRequestEntityTooLarge, "bodyTooLarge", "the body has more than " + bound, "请求体超过 " + bound}
}

func tooMany() Error {
	return Error{http.StatusTooManyRequests, "tooMany", "too many wrong tokens: wait for `Retry-After`", "错误的令牌过多：请等待 `Retry-After` 所示的时间"}
}

func switchedOff() Error {
	return Error{http.StatusNotFound, "noConsole", "the console is switched off: `[console] enable`", "控制台已关闭：见 `[console] enable`"}
}
