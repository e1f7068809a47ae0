// Package dataway posts points as line protocol to the write API of a Dataway,
// or of anything that takes /v1/write/<category>.
package dataway

import (
	"fmt"
	"time"

	"datakit.dev/internal/output"
	"datakit.dev/internal/spec"
)

// Plugin returns the output.
func Plugin() output.Plugin {
	return output.Plugin{
		Name:  "dataway",
		Doc:   "Posts points to Dataway as line protocol over HTTP.",
		DocZH: "以行协议通过 HTTP 将数据点发送到 Dataway。",
		Spec:  Schema(),
		Open:  open,
	}
}

// Schema describes the table [dataway].
func Schema() spec.Schema {
	return spec.Schema{
		Name:   "dataway",
		Doc:    "Where the points go.",
		DocZH:  "数据点的去向。",
		Open:   true, // upstream's table has more keys
		Fields: append(addressFields(), requestFields()...),
	}
}

func addressFields() []spec.Field {
	return []spec.Field{
		{
			Name: "urls", Type: spec.Strings, Secret: true, Example: []string{"https://openway.guance.com?token=tkn_…"},
			Doc: "Addresses, each with its token. Every one of them gets all points.", DocZH: "地址(含 token),每个地址都会收到全部数据点。",
		},
		{
			Name: "http_proxy", Type: spec.String, Secret: true, Example: "http://proxy.example.com:3128",
			Doc:   "Proxy for these requests; the environment's HTTPS_PROXY, HTTP_PROXY and NO_PROXY where empty.",
			DocZH: "请求使用的代理;为空时使用环境变量 HTTPS_PROXY、HTTP_PROXY 与 NO_PROXY。",
		},
		{
			Name: "insecure_skip_verify", Type: spec.Bool,
			Doc: "Take any TLS certificate. For tests: whoever is in between can read the token.", DocZH: "不校验 TLS 证书,仅用于测试。",
		},
		{
			Name: "max_idle_conns", Type: spec.Int, Default: int64(0), Min: int64(0), Max: int64(10_000), Unit: "connections",
			Doc: "Idle connections that are kept for each address; 0 keeps two.", DocZH: "每个地址保留的空闲连接数,0 表示两个。",
		},
		{
			Name: "idle_timeout", Type: spec.Duration, Default: 90 * time.Second, Min: time.Second, Max: time.Hour,
			Doc: "How long an idle connection is kept.", DocZH: "空闲连接的保留时间。",
		},
	}
}

func requestFields() []spec.Field {
	return []spec.Field{
		{
			Name: "timeout_v2", Type: spec.Duration, Default: 30 * time.Second, Min: time.Second, Max: 5 * time.Minute,
			Doc: "Time for one request, its answer included.", DocZH: "单个请求(含响应)的超时时间。",
		},
		{
			Name: "timeout", Type: spec.Duration, Min: time.Duration(0), Max: 5 * time.Minute,
			Doc: "The older name of timeout_v2; it counts where it is set.", DocZH: "timeout_v2 的旧名称,设置时生效。",
		},
		{
			Name: "max_retry_count", Type: spec.Int, Default: int64(1), Min: int64(1), Max: int64(10), Unit: "count",
			Doc:   "Requests in a row for one batch before the queue waits with growing pauses; it never gives up by itself.",
			DocZH: "同一批数据连续请求的次数,之后由队列以递增的间隔继续重试。",
		},
		{
			Name: "retry_delay", Type: spec.Duration, Default: time.Second, Min: time.Duration(0), Max: time.Minute,
			Doc: "Pause between requests in a row.", DocZH: "连续请求之间的间隔。",
		},
		{
			Name: "gzip", Type: spec.Bool, Default: true,
			Doc: "Compress the requests.", DocZH: "压缩请求。",
		},
		{
			Name: "max_raw_body_size", Type: spec.Int, Default: int64(4 << 20), Min: int64(1 << 10), Max: int64(64 << 20), Unit: "bytes",
			Doc: "Size of a request before compression, past which a batch is split.", DocZH: "请求压缩前的大小上限,超出则拆分。",
		},
	}
}

type config struct {
	URLs       []string      `conf:"urls"`
	Proxy      string        `conf:"http_proxy"`
	Insecure   bool          `conf:"insecure_skip_verify"`
	IdleConns  int           `conf:"max_idle_conns"`
	IdleTime   time.Duration `conf:"idle_timeout"`
	Timeout    time.Duration `conf:"timeout_v2"`
	TimeoutV1  time.Duration `conf:"timeout"`
	Tries      int           `conf:"max_retry_count"`
	RetryDelay time.Duration `conf:"retry_delay"`
	Gzip       bool          `conf:"gzip"`
	MaxBody    int           `conf:"max_raw_body_size"`
}

func open(env output.Env, v spec.Values) (output.Output, error) {
	var c config
	if err := v.Bind(&c); err != nil {
		return nil, fmt.Errorf("dataway: %w", err)
	}
	if c.TimeoutV1 > 0 {
		c.Timeout = c.TimeoutV1
	}
	ends, err := endpoints(c.URLs)
	if err != nil {
		return nil, err
	}
	client, err := newClient(c)
	if err != nil {
		return nil, err
	}
	return &dataway{config: c, client: client, ends: ends, agent: userAgent(env.Version)}, nil
}
