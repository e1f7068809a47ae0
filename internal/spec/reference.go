package spec

import (
	"fmt"
	"strings"
)

// Reference returns the fields of s as Markdown tables, one a table level, in
// English ("en") or Chinese ("zh").
func (s Schema) Reference(lang string) string {
	var b strings.Builder
	w := wordsOf(lang)
	referenceFields(&b, w, s.header(), s.Fields)
	return b.String()
}

// words are the fixed texts of a page in one language.
type words struct {
	zh                                      bool
	option, kind, value, meaning            string
	required, allowed, example, unit, stays string
	between, least, most, stop              string
	kinds                                   map[Type]string
}

func wordsOf(lang string) words {
	if lang == "zh" {
		return words{
			zh: true, option: "选项", kind: "类型", value: "默认值", meaning: "说明",
			required: "必填。", allowed: "取值：", example: "示例：", unit: "单位：", stays: "修改后立即生效，无需重启该实例。",
			between: " 到 ", least: "不小于 ", most: "不大于 ", stop: "。",
			kinds: map[Type]string{
				Bool: "布尔", Int: "整数", Float: "浮点数", String: "字符串", Duration: "时长",
				Strings: "字符串列表", StringMap: "字符串表", Table: "表", Tables: "表的列表",
			},
		}
	}
	return words{
		option: "Option", kind: "Type", value: "Default", meaning: "Meaning",
		required: "Required.", allowed: "Allowed: ", example: "Example: ", unit: "Unit: ",
		stays:   "Changes in place, without a restart.",
		between: " to ", least: "at least ", most: "at most ", stop: ".",
	}
}

func (w words) typeName(t Type) string {
	if name, ok := w.kinds[t]; ok {
		return name
	}
	return t.String()
}

func referenceFields(b *strings.Builder, w words, header string, fields []Field) {
	if header != "" {
		fmt.Fprintf(b, "`%s`\n\n", header)
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s |\n|---|---|---|---|\n", w.option, w.kind, w.value, w.meaning)
	for _, f := range fields {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", Cell(f.Name), w.typeName(f.Type), f.defaultCell(), Cell(f.meaning(w)))
	}
	for _, f := range fields {
		if len(f.Fields) == 0 {
			continue
		}
		name := below(strings.Trim(header, "[]"), f.Name)
		header := "[" + name + "]"
		if f.Type == Tables {
			header = "[" + header + "]"
		}
		b.WriteByte('\n')
		referenceFields(b, w, header, f.Fields)
	}
}

func (f Field) defaultCell() string {
	if f.Default == nil || f.Default == "" || f.Type == Table || f.Type == Tables {
		return ""
	}
	return "`" + Cell(TOMLValue(f.Default)) + "`"
}

func (f Field) meaning(w words) string {
	parts := []string{f.Doc}
	if w.zh {
		parts[0] = f.DocZH
	}
	if f.Required {
		parts = append(parts, w.required)
	}
	if f.Unit != "" {
		parts = append(parts, w.unit+f.Unit+w.stop)
	}
	if bounds := f.bounds(w); bounds != "" {
		parts = append(parts, w.allowed+bounds+w.stop)
	}
	if f.Example != nil {
		parts = append(parts, w.example+"`"+TOMLValue(f.Example)+"`"+w.stop)
	}
	if f.Live {
		parts = append(parts, w.stays)
	}
	return strings.Join(parts, " ")
}

// bounds returns what values f takes, or "" where its type says it all.
func (f Field) bounds(w words) string {
	switch {
	case len(f.OneOf) > 0:
		quoted := make([]string, len(f.OneOf))
		for i, v := range f.OneOf {
			quoted[i] = TOMLValue(v)
		}
		return strings.Join(quoted, ", ")
	case f.Min != nil && f.Max != nil:
		return TOMLValue(f.Min) + w.between + TOMLValue(f.Max)
	case f.Min != nil:
		return w.least + TOMLValue(f.Min)
	case f.Max != nil:
		return w.most + TOMLValue(f.Max)
	}
	return ""
}

// Cell returns text as one cell of a Markdown table.
func Cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(strings.TrimSpace(text))
}
