package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// Main is datakit.conf, decoded, with the environment over it.
type Main struct {
	Hostname string // "" means the system's
	Defaults []string
	HostTags map[string]string
	Listen   string // host:port, or the path of a unix socket
	IO       spec.Values
	Dataway  spec.Values
	LogLevel string
	LogPath  string // "" or "stdout", or a file
	Confd    Confd
	Stores   []Store
	// DefaultScripts are the scripts of the points that no other takes, by
	// category.
	DefaultScripts map[point.Category]string
	Outside        Outside
	Console        Console
	Recent         Recent
}

// Console is the [console] table.
type Console struct {
	Enable bool // there is a console
	Write  bool // it may change the keys of the stores
}

// Recent bounds the points that are kept in memory for queries: [recent]. A zero
// in one of them means that none are kept.
type Recent struct {
	MaxBytes int64
	MaxAge   time.Duration
}

// Outside is what scripts may use beyond their points: [pipeline].
type Outside struct {
	City, ISP     string        // files of the geoip databases
	TablesURL     string        // of the refer tables
	TablesEvery   time.Duration // between two pulls of them
	Requests      bool          // http_request works
	RequestHosts  []string      // if any, the only hosts that it may call
	AllowNetworks []string      // networks that are not public and may be called
}

// Confd is the [confd] table.
type Confd struct {
	Debounce      time.Duration
	DebounceMax   time.Duration
	Timeout       time.Duration
	Resync        time.Duration
	Hold          time.Duration
	Authoritative bool
}

// A Store is one [[confds]] table.
type Store struct {
	ID      string // the backend's name, with #2 … behind further ones of one backend
	Backend store.Backend
	Values  spec.Values
	Enabled bool
	Root    string // the prefix with a leading slash and no trailing one
	Nodes   []string
}

// Parts are the descriptions that datakit.conf is put together from.
type Parts struct {
	Backends []store.Backend
	Catalog  *Catalog
	IO       []spec.Field // of [io]
	Dataway  []spec.Field // of [dataway]
}

// Schema describes datakit.conf but for the backends' own keys in [[confds]].
func (p Parts) Schema() spec.Schema {
	return spec.Schema{
		Open: true,
		Doc:  "The main configuration file, conf.d/datakit.conf.", DocZH: "主配置文件 conf.d/datakit.conf。",
		Fields: slices.Concat(agentFields(), []spec.Field{
			{Name: "io", Type: spec.Table, Fields: p.IO, Doc: "Where points go on this host, and what waits for the way out.", DocZH: "本机输出与发送队列。"},
			{Name: "dataway", Type: spec.Table, Fields: p.Dataway, Doc: "The data gateway that points are sent to.", DocZH: "数据网关。"},
			loggingField(), consoleField(), pipelineField(), recentField(), confdField(),
			{Name: "confds", Type: spec.Tables, Fields: store.Fields(), Doc: "Config stores, any number; the first wins.", DocZH: "配置中心，可配置多个；靠前者优先。"},
		}),
	}
}

func agentFields() []spec.Field {
	return []spec.Field{
		{Name: "hostname", Type: spec.String, Doc: "Name of this host; the system's by default.", DocZH: "主机名，默认取系统主机名。"},
		{
			Name: "default_enabled_inputs", Type: spec.Strings,
			Default: []string{"cpu", "disk", "diskio", "mem", "swap", "system", "net", "processes"},
			Doc:     "Inputs that run without a file of their own. A name with - before it takes that input away.",
			DocZH:   "无需配置文件即默认开启的采集器；名称前加 - 表示去掉该采集器。",
		},
		{
			Name: "global_host_tags", Type: spec.StringMap, Example: map[string]string{"host": "$datakit_hostname"},
			Doc: "Tags added to every point; $datakit_hostname and $datakit_ip are filled in.", DocZH: "附加到每个数据点的标签；支持 $datakit_hostname 和 $datakit_ip。",
		},
		{Name: "http_api", Type: spec.Table, Doc: "The HTTP interface.", DocZH: "HTTP 接口。", Fields: []spec.Field{{
			Name: "listen", Type: spec.String, Default: "localhost:9529",
			Doc: "host:port, or the path of a unix socket.", DocZH: "host:port，或 unix socket 的路径。",
		}}},
	}
}

func loggingField() spec.Field {
	return spec.Field{Name: "logging", Type: spec.Table, Doc: "The agent's own log.", DocZH: "日志。", Fields: []spec.Field{
		{Name: "level", Type: spec.String, Default: "info", OneOf: []string{"debug", "info", "warn", "error"}, Doc: "Least level that is written.", DocZH: "日志级别。"},
		{Name: "log", Type: spec.String, Doc: `Path of the log file, or "stdout"; standard error by default.`, DocZH: "日志文件路径，或 stdout；默认标准错误。"},
	}}
}

func consoleField() spec.Field {
	return spec.Field{Name: "console", Type: spec.Table, Doc: "The console on the HTTP interface.", DocZH: "HTTP 接口上的控制台。", Fields: []spec.Field{
		{
			Name: "enable", Type: spec.Bool, Default: true,
			Doc: "Serve the console, to this machine, or to who has the token of `datakit console token`.", DocZH: "提供控制台：仅本机可用，或持有 `datakit console token` 生成的令牌者可用。",
		},
		{
			Name: "write", Type: spec.Bool, Default: false,
			Doc:   "Let the console read the values of the stores' keys as they are, and change them.",
			DocZH: "允许控制台读取配置中心各键的原始值（含敏感信息）并修改。",
		},
	}}
}

func pipelineField() spec.Field {
	return spec.Field{Name: "pipeline", Type: spec.Table, Doc: "The processing scripts.", DocZH: "数据处理脚本。", Fields: []spec.Field{
		{
			Name: "default_pipeline", Type: spec.StringMap, Example: map[string]string{"logging": "plain.p"},
			Doc: "The script of each category for points that no other takes.", DocZH: "各类数据没有匹配到其他脚本时使用的脚本。",
		},
		{
			Name: "ipdb_city", Type: spec.String, Example: "/usr/local/datakit/data/ipdb/GeoLite2-City.mmdb",
			Doc: "MaxMind database of places, for geoip().", DocZH: "geoip() 使用的 MaxMind 城市库文件。",
		},
		{
			Name: "ipdb_isp", Type: spec.String, Example: "/usr/local/datakit/data/ipdb/GeoLite2-ASN.mmdb",
			Doc: "MaxMind database of networks, for geoip().", DocZH: "geoip() 使用的 MaxMind 运营商库文件。",
		},
		{
			Name: "refer_table_url", Type: spec.String, Secret: true,
			Doc: "Where the refer tables are pulled from, for query_refer_table().", DocZH: "query_refer_table() 所用数据表的拉取地址。",
		},
		{
			Name: "refer_table_pull_interval", Type: spec.Duration, Default: 5 * time.Minute, Min: time.Second, Max: 24 * time.Hour,
			Doc: "Time between two pulls of the refer tables.", DocZH: "数据表的拉取间隔。",
		},
		{
			Name: "disable_http_request_func", Type: spec.Bool, Default: true,
			Doc: "Switch http_request() off: who writes a script could otherwise call any public address from here.", DocZH: "关闭 http_request()：否则脚本的作者可以从本机访问任意公网地址。",
		},
		{
			Name: "http_request_host_whitelist", Type: spec.Strings,
			Doc: "If any, the only hosts that http_request() may call.", DocZH: "若设置，则 http_request() 只能访问这些主机。",
		},
		{
			Name: "http_request_allow_networks", Type: spec.Strings, Example: []string{"10.1.0.0/16"},
			Doc: "Networks that are not public and may be called all the same.", DocZH: "允许 http_request() 访问的非公网网段。",
		},
	}}
}

func recentField() spec.Field {
	return spec.Field{Name: "recent", Type: spec.Table, Doc: "The last points, kept in memory for queries.", DocZH: "保留在内存中供查询的最近数据点。", Fields: []spec.Field{
		{
			Name: "max_bytes", Type: spec.Int, Default: int64(32 << 20), Min: int64(0), Max: int64(64 << 30), Unit: "bytes",
			Doc: "Memory for recent points; 0 keeps none.", DocZH: "最近数据点占用的内存上限；0 表示不保留。",
		},
		{
			Name: "max_age", Type: spec.Duration, Default: time.Hour, Min: time.Duration(0), Max: 30 * 24 * time.Hour,
			Doc: "Points older than that are dropped; 0s keeps none.", DocZH: "超过该时间的数据点会被丢弃；0s 表示不保留。",
		},
	}}
}

func outsideOf(v spec.Values) Outside {
	return Outside{
		City: v.String("ipdb_city"), ISP: v.String("ipdb_isp"),
		TablesURL: v.String("refer_table_url"), TablesEvery: v.Duration("refer_table_pull_interval"),
		Requests: !v.Bool("disable_http_request_func"), RequestHosts: v.Strings("http_request_host_whitelist"),
		AllowNetworks: v.Strings("http_request_allow_networks"),
	}
}

// defaultScripts returns the scripts of [pipeline.default_pipeline]; what is no
// category is a problem.
func defaultScripts(names map[string]string) (map[point.Category]string, diag.List) {
	var problems diag.List
	out := map[point.Category]string{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		c, ok := point.ParseCategory(name)
		if !ok {
			problems.Add(diag.Position{}, "pipeline.default_pipeline: unknown category %q; there is %s", clip(name), categoryNames())
			continue
		}
		out[c] = names[name]
	}
	return out, problems
}

func confdField() spec.Field {
	duration := func(name string, def, low time.Duration, doc, zh string) spec.Field {
		return spec.Field{Name: name, Type: spec.Duration, Default: def, Min: low, Max: 24 * time.Hour, Doc: doc, DocZH: zh}
	}
	return spec.Field{Name: "confd", Type: spec.Table, Doc: "How the config stores are followed.", DocZH: "如何跟随配置中心。", Fields: []spec.Field{
		duration("debounce", 2*time.Second, 0, "Quiet time after a change before it is read.", "变更后静默多久才读取（懒加载）。"),
		duration("debounce_max", 10*time.Second, 0, "A steady stream of changes is read at least this often.", "持续变更时至少多久读取一次。"),
		duration("timeout", time.Minute, 100*time.Millisecond, "Time for one read; past it the last-known-good stays.", "单次读取超时；超时后保留最近一次可用配置。"),
		duration("resync", 5*time.Minute, time.Second, "Time after which a store is read again even if no event came.", "即使没有事件，多久也要重新读取一次。"),
		duration("hold", 30*time.Second, 0, "Time that a mass deletion waits for a second look; 0s turns that off.", "大量删除的确认等待时间；0s 表示关闭。"),
		{Name: "authoritative", Type: spec.Bool, Doc: "Stop local inputs that are neither default nor in a store.", DocZH: "停止既非默认开启、也不在配置中心的本地采集器。"},
	}}
}

// ParseMain decodes datakit.conf. Problems make it unusable; warnings are keys
// that mean nothing here, as an older or newer version may have them.
func ParseMain(text string, env map[string]string, p Parts) (m Main, problems, warnings diag.List) {
	text = Normalize(text)
	root, problems := spec.Parse(text)
	if problems != nil {
		return Main{}, p.show(problems, text), nil
	}
	s := p.Schema()
	v, problems := s.Decode(withoutStores(root))
	warnings = s.Unknown(withoutStores(root))
	m = mainOf(v)
	var badScripts diag.List
	m.DefaultScripts, badScripts = defaultScripts(v.Table("pipeline").Map("default_pipeline"))
	problems = append(problems, badScripts...)
	bad, ignored := p.stores(root, &m)
	problems, warnings = append(problems, bad...), append(warnings, ignored...)
	problems = append(problems, p.environment(env, &m)...)
	warnings = append(warnings, p.unknownDefaults(m.Defaults)...)
	numberStores(m.Stores)
	return m, p.show(problems, text), p.show(warnings, text)
}

// show gives each diagnostic the line that it is about, without its secrets.
func (p Parts) show(list diag.List, text string) diag.List {
	secrets := p.Schema().Secrets()
	for i := range list {
		if list[i].Pos.Line > 0 {
			list[i].Snippet = spec.RedactLine(diag.Line(text, list[i].Pos.Line), secrets...)
		}
	}
	return list
}

// withoutStores leaves [[confds]] out: each backend decodes its own.
func withoutStores(root *spec.Node) *spec.Node {
	n := *root
	n.Keys = slices.DeleteFunc(slices.Clone(root.Keys), func(k spec.Key) bool { return k.Name == "confds" })
	return &n
}

func mainOf(v spec.Values) Main {
	c, l, r, console := v.Table("confd"), v.Table("logging"), v.Table("recent"), v.Table("console")
	return Main{
		Hostname: v.String("hostname"), Defaults: v.Strings("default_enabled_inputs"), HostTags: v.Map("global_host_tags"),
		Listen: v.Table("http_api").String("listen"), IO: v.Table("io"), Dataway: v.Table("dataway"),
		LogLevel: l.String("level"), LogPath: l.String("log"), Outside: outsideOf(v.Table("pipeline")),
		Console: Console{Enable: console.Bool("enable"), Write: console.Bool("write")},
		Recent:  Recent{MaxBytes: r.Int("max_bytes"), MaxAge: r.Duration("max_age")},
		Confd: Confd{
			Debounce: c.Duration("debounce"), DebounceMax: c.Duration("debounce_max"), Timeout: c.Duration("timeout"),
			Resync: c.Duration("resync"), Hold: c.Duration("hold"), Authoritative: c.Bool("authoritative"),
		},
	}
}

func (p Parts) stores(root *spec.Node, m *Main) (problems, ignored diag.List) {
	k, ok := root.Get("confds")
	if !ok {
		return nil, nil
	}
	if !k.Node.IsArray() {
		problems.Add(k.Pos, "expected [[confds]], got %s", k.Node.Describe())
		return problems, nil
	}
	for i := range k.Node.Items {
		st, bad, unused := p.store(&k.Node.Items[i])
		problems, ignored = append(problems, bad...), append(ignored, unused...)
		m.Stores = append(m.Stores, st)
	}
	return problems, ignored
}

// store decodes one [[confds]] table.
func (p Parts) store(n *spec.Node) (st Store, problems, ignored diag.List) {
	name, at := "", n.Pos
	if b, ok := n.Get("backend"); ok {
		name, _ = b.Node.Scalar.(string)
		at = b.Node.Pos
	}
	if name == "" {
		problems.Add(at, `[[confds]] needs backend, such as backend = "etcdv3"`)
		return st, problems, nil
	}
	b, err := store.Find(p.Backends, name)
	if err != nil {
		problems.Add(at, "%v", err)
		return st, problems, nil
	}
	v, problems, ignored := b.Decode(n)
	return StoreOf(b, v), problems, ignored
}

// StoreOf returns the settings of a store of backend b with decoded values v.
func StoreOf(b store.Backend, v spec.Values) Store {
	nodes := v.Strings("nodes")
	if len(nodes) == 0 {
		nodes = v.Strings("file")
	}
	shown := make([]string, len(nodes))
	for i, n := range nodes {
		shown[i] = spec.RedactURL(n)
	}
	return Store{ID: b.Name, Backend: b, Values: v, Enabled: v.Bool("enable"), Root: store.RootOf(v), Nodes: shown}
}

// numberStores makes the IDs unique: a further store of one backend gets its
// number among them.
func numberStores(stores []Store) {
	seen := map[string]int{}
	for i := range stores {
		name := stores[i].Backend.Name
		if seen[name]++; seen[name] > 1 {
			stores[i].ID = fmt.Sprintf("%s#%d", name, seen[name])
		}
	}
}

func (p Parts) unknownDefaults(names []string) (warnings diag.List) {
	for _, n := range names {
		n = strings.TrimPrefix(strings.TrimSpace(n), "-")
		if _, ok := p.Catalog.Find(n); !ok {
			warnings.Add(diag.Position{}, "default_enabled_inputs: unknown input %q; there is %s", clip(n), p.Catalog.similar(n))
		}
	}
	return warnings
}

// HostTags returns the agent's tags with $datakit_hostname and $datakit_ip
// filled in, and the tag host where none is given. A tag that would be empty is
// left out.
func HostTags(tags map[string]string, host, ip string) map[string]string {
	fill := strings.NewReplacer(
		"$datakit_hostname", host, "${datakit_hostname}", host, "__datakit_hostname", host,
		"$datakit_ip", ip, "${datakit_ip}", ip, "__datakit_ip", ip,
	)
	out := map[string]string{}
	if host != "" {
		out["host"] = host
	}
	for k, v := range tags {
		if v = fill.Replace(v); v != "" {
			out[k] = v
		}
	}
	return out
}
