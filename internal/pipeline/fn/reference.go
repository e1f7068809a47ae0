package fn

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"datakit.dev/internal/point"
)

// Signature returns how the function is called: slice(x, start, [end], opt=, more…).
func (f *Func) Signature() string {
	parts := make([]string, len(f.Params))
	for i, p := range f.Params {
		name := p.Name
		if p.Named {
			name += "="
		}
		switch {
		case p.Rest:
			parts[i] = name + "…"
		case p.Optional:
			parts[i] = "[" + name + "]"
		default:
			parts[i] = name
		}
	}
	return f.Name + "(" + strings.Join(parts, ", ") + ")"
}

// Declaration returns the signature with what the function returns.
func (f *Func) Declaration() string {
	if f.Result == "" {
		return f.Signature()
	}
	return f.Signature() + " -> " + f.Result
}

// In returns the text in a language of the documentation: "en" or "zh".
func (t Text) In(lang string) string {
	if lang == "zh" {
		return t.Zh
	}
	return t.En
}

// String returns the kinds of the set, "any" for the empty one.
func (t Types) String() string {
	var names []string
	for k := point.Nil; k <= point.Map; k++ {
		if t != 0 && t.Has(k) {
			names = append(names, k.String())
		}
	}
	if names == nil {
		return "any"
	}
	return strings.Join(names, "|")
}

// Explain returns an example as text: the script, with the point before and
// after it in comments.
func (e Example) Explain() string {
	var b strings.Builder
	point := func(when string, tags map[string]string, fields map[string]any) {
		for _, k := range slices.Sorted(maps.Keys(tags)) {
			fmt.Fprintf(&b, "# %s: tag %s = %s\n", when, k, strconv.Quote(tags[k]))
		}
		for _, k := range slices.Sorted(maps.Keys(fields)) {
			fmt.Fprintf(&b, "# %s: %s = %s\n", when, k, literal(fields[k]))
		}
	}
	point("before", e.Tags, e.In)
	b.WriteString(strings.TrimRight(e.Script, "\n") + "\n")
	point("after", e.OutTag, e.Out)
	return b.String()
}

// literal returns a value of an example as a script spells it.
func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "(removed)"
	case string:
		return strconv.Quote(v)
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(s, ".eIN") {
			s += ".0"
		}
		return s
	}
	return fmt.Sprint(v)
}

// Reference returns the functions as a page of documentation, in Markdown, in
// the language "en" or "zh".
func (t Table) Reference(lang string) string {
	title := Text{
		"# Functions\n\nWhat a pipeline script can call. This page is generated; `datakit pipeline functions NAME` prints one entry.\n" +
			"`[x]` may be left out, `x=` is given by its name, `x…` takes any number of arguments.\n",
		"# 函数\n\nPipeline 脚本可以调用的函数。本页自动生成；`datakit pipeline functions NAME` 打印其中一项。\n" +
			"`[x]` 可以省略，`x=` 须以名称给出，`x…` 接受任意多个参数。\n",
	}
	var b strings.Builder
	b.WriteString(title.In(lang))
	for _, name := range t.Names() {
		f := t.funcs[name]
		fmt.Fprintf(&b, "\n## %s\n\n`%s`\n\n%s\n", f.Name, f.Declaration(), f.Doc.In(lang))
		if typed := f.typed(); typed != "" {
			b.WriteString("\n" + typed)
		}
		for _, e := range f.Examples {
			b.WriteString("\n```python\n" + e.Explain() + "```\n")
		}
	}
	return b.String()
}

// typed lists the parameters that take only some kinds of value.
func (f *Func) typed() string {
	var b strings.Builder
	for _, p := range f.Params {
		if p.Types != 0 {
			fmt.Fprintf(&b, "- `%s`: `%s`\n", p.Name, p.Types)
		}
	}
	return b.String()
}
