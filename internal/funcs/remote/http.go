package remote

import (
	"context"
	"fmt"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func httpRequest() fn.Func {
	return fn.Func{
		Name: "http_request",
		Params: []fn.Param{
			{Name: "method"},
			{Name: "url"},
			{Name: "headers", Optional: true},
			{Name: "body", Optional: true},
		},
		Match:  fn.ByName,
		Result: "map",
		Doc: fn.Text{
			En: "Sends an HTTP request and returns a map with status_code and body, or nil where there is no answer. headers is a map " +
				"of strings; body is a string, a number or a bool, or a list or map, which is sent as JSON. Off unless the agent's " +
				"configuration turns it on, and then it calls public addresses only, or those that are allowed: where it may not, it returns nil.",
			Zh: "发送 HTTP 请求，返回含 status_code 与 body 的字典；没有响应时返回 nil。headers 为字符串字典；body 为字符串、数值、布尔值，" +
				"或以 JSON 发送的列表与字典。默认关闭，须在配置中开启；开启后只能访问公网地址或被允许的地址，否则返回 nil。",
		},
		Examples: []fn.Example{{
			Script: "r = http_request(\"GET\", \"https://api.example.com/status\", {\"Accept\": \"application/json\"})\n" +
				"if r != nil { add_key(code, r[\"status_code\"]) }",
			Out: map[string]any{"code": int64(200)},
		}},
		Bind: bindHTTPRequest,
	}
}

func bindHTTPRequest(c *fn.Call) (fn.Eval, error) {
	method, url := c.Args[0].Eval, c.Args[1].Eval
	headers := c.Default(2, point.MapOf(nil))
	body := c.Default(3, point.NilOf())
	return func(r *fn.Run) (point.Value, error) {
		var req fn.HTTPRequest
		var err error
		if req.Method, err = text(r, method, "method"); err != nil {
			return point.NilOf(), err
		}
		if req.URL, err = text(r, url, "url"); err != nil {
			return point.NilOf(), err
		}
		if r.Env.Services.HTTP == nil {
			return point.NilOf(), nil
		}
		if req.Header, err = headerOf(r, headers); err != nil {
			return point.NilOf(), err
		}
		if req.Body, err = bodyOf(r, body); err != nil {
			return point.NilOf(), err
		}
		return send(r, req)
	}, nil
}

// text evaluates an argument that must be a string.
func text(r *fn.Run, arg fn.Eval, name string) (string, error) {
	v, err := arg(r)
	if err != nil {
		return "", err
	}
	if v.Kind() != point.String {
		return "", fmt.Errorf("%s: expected a string, got %s", name, v.Kind())
	}
	return v.Text(), nil
}

// headerOf evaluates the headers; those whose value is no string are left out.
func headerOf(r *fn.Run, arg fn.Eval) (map[string]string, error) {
	v, err := arg(r)
	if err != nil {
		return nil, err
	}
	if v.Kind() != point.Map {
		return nil, fmt.Errorf("http_request: the headers must be a map, got %s", v.Kind())
	}
	if err := r.Alloc(len(v.Map()) * fn.EntrySize); err != nil {
		return nil, err
	}
	header := make(map[string]string, len(v.Map()))
	for name, value := range v.Map() {
		if value.Kind() == point.String {
			header[name] = value.Text()
		}
	}
	return header, nil
}

// bodyOf evaluates the body. A list or a map without a JSON text is sent as
// nothing.
func bodyOf(r *fn.Run, arg fn.Eval) (string, error) {
	v, err := arg(r)
	if err != nil {
		return "", err
	}
	body := fn.TextOf(v)
	if v.Kind() == point.String {
		return body, nil
	}
	return body, r.Alloc(len(body))
}

func send(r *fn.Run, req fn.HTTPRequest) (point.Value, error) {
	var resp fn.HTTPResponse
	var failed error
	err := r.Outside(func(ctx context.Context) {
		resp, failed = r.Env.Services.HTTP.Do(ctx, req)
	})
	if err != nil || failed != nil {
		return point.NilOf(), err // as users know it: a request that fails is nil, and the script goes on
	}
	if err := r.Alloc(len(resp.Body) + 2*fn.EntrySize); err != nil {
		return point.NilOf(), err
	}
	return point.MapOf(map[string]point.Value{
		"status_code": point.IntOf(int64(resp.Status)),
		"body":        point.StringOf(resp.Body),
	}), nil
}
