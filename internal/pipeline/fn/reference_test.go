package fn_test

import (
	"strings"
	"testing"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func described() fn.Func {
	return fn.Func{
		Name: "pick", Result: "str",
		Params: []fn.Param{
			{Name: "key", Types: fn.OneOf(point.String, point.Nil)},
			{Name: "at", Optional: true},
			{Name: "loud", Optional: true, Named: true},
			{Name: "more", Rest: true},
		},
		Doc: fn.Text{En: "Picks one. And so on.", Zh: "取一个。"},
		Examples: []fn.Example{{
			Script: `pick(a)`, In: map[string]any{"b": int64(1), "a": 2.0}, Tags: map[string]string{"t": "x"},
			Out: map[string]any{"c": "q\"", "a": nil}, OutTag: map[string]string{"t": "y"},
		}},
	}
}

func TestDeclarationShowsHowToCall(t *testing.T) {
	f := described()
	if got, want := f.Declaration(), "pick(key, [at], [loud=], more…) -> str"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	f.Result = ""
	if got := f.Declaration(); strings.Contains(got, "->") {
		t.Errorf("a function without a result: %s", got)
	}
}

func TestExampleExplainsItself(t *testing.T) {
	f := described()
	want := "# before: tag t = \"x\"\n# before: a = 2.0\n# before: b = 1\npick(a)\n" +
		"# after: tag t = \"y\"\n# after: a = (removed)\n# after: c = \"q\\\"\"\n"
	if got := f.Examples[0].Explain(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestReferenceHasEachFunctionInBothLanguages(t *testing.T) {
	table, err := fn.NewTable([]fn.Func{described(), {Name: "also", Doc: fn.Text{En: "Too.", Zh: "也。"}}})
	if err != nil {
		t.Fatal(err)
	}
	for lang, parts := range map[string][]string{
		"en": {"# Functions\n", "## also\n\n`also()`\n\nToo.\n", "## pick\n", "And so on.\n", "- `key`: `nil|str`\n", "```python\n# before:"},
		"zh": {"# 函数\n", "也。\n", "取一个。\n"},
	} {
		page := table.Reference(lang)
		for _, part := range parts {
			if !strings.Contains(page, part) {
				t.Errorf("the page in %s lacks %q:\n%s", lang, part, page)
			}
		}
		if strings.Index(page, "## also") > strings.Index(page, "## pick") {
			t.Errorf("%s: the functions are not in order", lang)
		}
	}
}
