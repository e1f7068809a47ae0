package input

import (
	"fmt"
	"strings"

	"datakit.dev/internal/point"
	"datakit.dev/internal/spec"
)

// Reference returns the plugin's page, Markdown, in English ("en") or Chinese
// ("zh"): what it collects, its options, a sample, and what it emits.
func (p Plugin) Reference(lang string) string {
	w := pageWords(lang)
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n", p.Name, w.pick(p.Doc, p.DocZH))
	if len(p.Aliases) > 0 {
		fmt.Fprintf(&b, "\n%s`%s`%s\n", w.aliases, strings.Join(p.Aliases, "`, `"), w.stop)
	}
	if p.Singleton {
		fmt.Fprintf(&b, "\n%s\n", w.singleton)
	}
	fmt.Fprintf(&b, "\n## %s\n\n%s", w.options, p.Schema().Reference(lang))
	fmt.Fprintf(&b, "\n```toml\n%s```\n", p.Schema().Sample())
	fmt.Fprintf(&b, "\n## %s\n", w.measurements)
	for _, m := range p.Measurements {
		m.reference(&b, w)
	}
	return b.String()
}

func (m Measurement) reference(b *strings.Builder, w words) {
	category := m.Category
	if category == "" {
		category = point.Metric
	}
	fmt.Fprintf(b, "\n### %s (%s)\n\n%s\n", m.Name, category, w.pick(m.Doc, m.DocZH))
	if len(m.Tags) > 0 {
		fmt.Fprintf(b, "\n| %s | %s |\n|---|---|\n", w.tag, w.meaning)
		for _, t := range m.Tags {
			fmt.Fprintf(b, "| `%s` | %s |\n", spec.Cell(t.Name), spec.Cell(w.pick(t.Doc, t.DocZH)))
		}
	}
	fmt.Fprintf(b, "\n| %s | %s | %s | %s |\n|---|---|---|---|\n", w.field, w.kind, w.unit, w.meaning)
	for _, f := range m.Fields {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", spec.Cell(f.Name), f.Kind, f.Unit, spec.Cell(w.pick(f.Doc, f.DocZH)))
	}
}

// words are the fixed texts of a page in one language.
type words struct {
	zh                              bool
	aliases, stop, singleton        string
	options, measurements           string
	tag, field, kind, unit, meaning string
}

func (w words) pick(en, zh string) string {
	if w.zh {
		return zh
	}
	return en
}

func pageWords(lang string) words {
	if lang == "zh" {
		return words{
			zh: true, aliases: "别名：", stop: "。", singleton: "多个实例中只运行第一个。",
			options: "配置", measurements: "指标集",
			tag: "标签", field: "字段", kind: "类型", unit: "单位", meaning: "说明",
		}
	}
	return words{
		aliases: "Also known as ", stop: ".", singleton: "Of several instances only the first runs.",
		options: "Options", measurements: "Measurements",
		tag: "Tag", field: "Field", kind: "Type", unit: "Unit", meaning: "Meaning",
	}
}
