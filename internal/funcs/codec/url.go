package codec

import (
	"fmt"
	"net/url"
	"strings"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func urlDecode() fn.Func {
	return fn.Func{
		Name:   "url_decode",
		Params: []fn.Param{{Name: "key"}},
		Doc: fn.Text{
			En: "Decodes the %XX of a key's text, and + as a space. A % without two hexadecimal digits aborts the script.",
			Zh: "解码键的文本中的 %XX，并将 + 视为空格。% 后不是两位十六进制数时脚本中止。",
		},
		Examples: []fn.Example{{
			Script: `url_decode(u)`,
			In:     map[string]any{"u": "a%3D%E4%B8%AD+b"},
			Out:    map[string]any{"u": "a=中 b"},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			key, err := c.Key(0)
			return onText(key, 1, func(s string) (string, bool, error) {
				out, err := url.QueryUnescape(s)
				if err != nil {
					return "", false, fmt.Errorf("url_decode: %w", err)
				}
				return out, true, nil
			}), err
		},
	}
}

func urlParse() fn.Func {
	return fn.Func{
		Name:   "url_parse",
		Params: []fn.Param{{Name: "key"}},
		Result: "map",
		Doc: fn.Text{
			En: "Returns the parts of a URL: scheme, host (with the port), port, path, and params, a map of the query, " +
				"values of one name joined by commas. nil where the key is missing; what is no URL aborts the script.",
			Zh: "返回 URL 的各部分：scheme、host（含端口）、port、path 以及查询参数字典 params（同名值以逗号连接）。" +
				"键不存在时返回 nil；不是合法 URL 时脚本中止。",
		},
		Examples: []fn.Example{{
			Script: "u = url_parse(link)\nadd_key(port, u[\"port\"])\nadd_key(a, u[\"params\"][\"a\"])",
			In:     map[string]any{"link": "http://h:8080/p?a=1&a=2"},
			Out:    map[string]any{"port": "8080", "a": "1,2"},
		}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			key, err := c.NameOnly(0)
			return func(r *fn.Run) (point.Value, error) {
				s, ok := key.Text(r)
				if !ok {
					return point.NilOf(), nil
				}
				return parseURL(r, s)
			}, err
		},
	}
}

func parseURL(r *fn.Run, s string) (point.Value, error) {
	params := strings.Count(s, "&") + 1
	if err := r.Alloc(4*len(s) + 2*params*fn.EntrySize + 5*fn.EntrySize); err != nil {
		return point.NilOf(), err
	}
	if err := r.Step(len(s) / 16); err != nil {
		return point.NilOf(), err
	}
	u, err := url.Parse(s)
	if err != nil {
		return point.NilOf(), fmt.Errorf("url_parse: %w", err)
	}
	query := map[string]point.Value{}
	for name, values := range u.Query() {
		query[name] = point.StringOf(strings.Join(values, ","))
	}
	return point.MapOf(map[string]point.Value{
		"scheme": point.StringOf(u.Scheme),
		"host":   point.StringOf(u.Host),
		"port":   point.StringOf(u.Port()),
		"path":   point.StringOf(u.Path),
		"params": point.MapOf(query),
	}), nil
}
