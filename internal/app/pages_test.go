package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// pageText is what a generated page says around its tables.
type pageText struct {
	dir, lang                                          string
	conf, confIntro, sample, stores, storesIntro, uses string
	env, envIntro, envName, envKey                     string
	inputs, inputsIntro, name, what, runs, once, many  string
	places, placesIntro, placesHead                    string
	watched, polled, readOnce, yes, no, noLimit        string
}

func pageTexts() []pageText {
	return []pageText{{
		dir: "", lang: "en",
		conf:      "datakit.conf",
		confIntro: "The main configuration file is `conf.d/datakit.conf` in the work directory, TOML. This page is generated.",
		sample:    "A sample", stores: "Keys of a store by its backend",
		storesIntro: "A key that a backend does not use is told as a warning and does no harm.",
		uses:        "uses",
		env:         "Environment", envIntro: "For containers. A variable that is set goes over the file; `ENV_CONFD_BACKEND` adds one `[[confds]]`.",
		envName: "Variable", envKey: "Key",
		inputs: "Inputs", inputsIntro: "What the agent can collect. These pages are generated; `datakit input sample NAME` prints the sample.",
		name: "Input", what: "What it collects", runs: "Instances", once: "one", many: "several",
		places: "Stores",
		placesIntro: "Where the configuration can live, and what each kind of store can do. This page is generated; " +
			"[stores](../stores.md) has the figures, the versions and how to choose.",
		placesHead: "| Store | Changes are | Our commands write | Compare-and-set | A change costs a read | All keys at one instant | Largest value |",
		watched:    "told", polled: "looked for every `circle_interval`", readOnce: "not seen: read once",
		yes: "yes", no: "no", noLimit: "1 MiB",
	}, {
		dir: "zh/", lang: "zh",
		conf:      "datakit.conf",
		confIntro: "主配置文件是工作目录下的 `conf.d/datakit.conf`，TOML 格式。本页自动生成。",
		sample:    "示例", stores: "各配置中心使用的键",
		storesIntro: "配置中心不使用的键只会产生一条告警，没有其他影响。",
		uses:        "使用",
		env:         "环境变量", envIntro: "用于容器。设置了的变量优先于文件；`ENV_CONFD_BACKEND` 会增加一个 `[[confds]]`。",
		envName: "变量", envKey: "对应的键",
		inputs: "采集器", inputsIntro: "Agent 能采集什么。以下页面自动生成；`datakit input sample NAME` 打印配置示例。",
		name: "采集器", what: "采集内容", runs: "实例数", once: "单个", many: "多个",
		places:      "配置中心",
		placesIntro: "配置可以放在哪里，各种配置中心分别能做什么。本页自动生成；实测数据、版本与选型见[配置中心](../stores.md)。",
		placesHead:  "| 配置中心 | 变更的感知方式 | 可用我们的命令写入 | 比较并交换 | 每次变更需要重读 | 一次读取是同一时刻 | 单个值上限 |",
		watched:     "主动通知", polled: "每隔 `circle_interval` 轮询", readOnce: "不感知：只读一次",
		yes: "是", no: "否", noLimit: "1 MiB",
	}}
}

// reference returns the generated pages by their path below docs.
func reference() map[string]string {
	pages := map[string]string{}
	for _, w := range pageTexts() {
		pages[w.dir+"configuration.md"] = w.configuration()
		pages[w.dir+"inputs/README.md"] = w.index()
		pages[w.dir+"stores/README.md"] = w.storeIndex()
		pages[w.dir+"http-api.md"] = w.httpAPI()
		pages[w.dir+"metrics.md"] = w.metricsPage()
		pages[w.dir+"pipeline/functions.md"] = functions().Reference(w.lang)
		for _, p := range catalog() {
			pages[w.dir+"inputs/"+p.Name+".md"] = p.Reference(w.lang)
		}
	}
	return pages
}

func (w pageText) pick(en, zh string) string {
	if w.lang == "zh" {
		return zh
	}
	return en
}

func (w pageText) index() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n| %s | %s | %s |\n|---|---|---|\n", w.inputs, w.inputsIntro, w.name, w.what, w.runs)
	for _, p := range catalog() {
		n := w.many
		if p.Singleton {
			n = w.once
		}
		fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s |\n", p.Name, p.Name, spec.Cell(w.pick(p.Doc, p.DocZH)), n)
	}
	return b.String()
}

// storeIndex is the table of what each store can do, as the suite holds it to.
func (w pageText) storeIndex() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n%s\n|---|---|---|---|---|---|---|\n", w.places, w.placesIntro, w.placesHead)
	says := map[bool]string{true: w.yes, false: w.no}
	for _, s := range parts().Backends {
		_, polls := s.Spec.Field("circle_interval")
		changes, size := w.readOnce, w.noLimit
		switch {
		case s.Traits.Watches:
			changes = w.watched
		case polls:
			changes = w.polled
		}
		if n := s.Traits.MaxValue; n > 0 && n < store.MaxValue {
			size = fmt.Sprintf("%d KiB", n>>10)
		}
		fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s | %s | %s | %s | %s |\n", s.Name, s.Name, changes,
			says[s.Traits.Writes], says[s.Traits.CompareAndSet], says[!s.Traits.Mirrors && (s.Traits.Watches || polls)], says[s.Traits.OneInstant], size)
	}
	fmt.Fprintln(&b)
	for _, s := range parts().Backends {
		fmt.Fprintf(&b, "- `%s`: %s\n", s.Name, w.pick(s.Doc, s.DocZH))
	}
	return b.String()
}

func (w pageText) configuration() string {
	schema := parts().Schema()
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n%s", w.conf, w.confIntro, schema.Reference(w.lang))
	fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", w.stores, w.storesIntro)
	for _, s := range parts().Backends {
		names := make([]string, 0, len(s.Spec.Fields))
		for _, f := range s.Spec.Fields {
			names = append(names, "`"+f.Name+"`")
		}
		fmt.Fprintf(&b, "- `%s`: %s %s %s\n", s.Name, w.pick(s.Doc, s.DocZH), w.uses, strings.Join(names, " "))
	}
	fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| %s | %s |\n|---|---|\n", w.env, w.envIntro, w.envName, w.envKey)
	env := map[string]string{
		"ENV_HOSTNAME": "hostname", "ENV_HTTP_LISTEN": "http_api.listen", "ENV_LOG": "logging.log",
		"ENV_LOG_LEVEL": "logging.level", "ENV_DEFAULT_ENABLED_INPUTS": "default_enabled_inputs",
		"ENV_GLOBAL_HOST_TAGS": "global_host_tags", "ENV_DATAWAY": "dataway.urls",
	}
	for _, f := range store.Fields() {
		switch f.Name {
		case "enable":
		case "nodes":
			env["ENV_CONFD_BACKEND_NODES"] = "confds.nodes"
		default:
			env["ENV_CONFD_"+strings.ToUpper(f.Name)] = "confds." + f.Name
		}
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		fmt.Fprintf(&b, "| `%s` | `%s` |\n", name, env[name])
	}
	fmt.Fprintf(&b, "\n## %s\n\n```toml\n%s```\n", w.sample, schema.Sample())
	return b.String()
}
