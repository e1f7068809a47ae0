package formats_test

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/funcs/all"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/scripttest"
	"datakit.dev/internal/point"
)

func TestKVSplit(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	for _, test := range []struct {
		name, args, in string
		want           scripttest.Fields // besides message; nil: it returns false
	}{
		{"defaults", `include_keys=["a", "b"]`, "a=1, b=2 c=3", scripttest.Fields{"a": "1,", "b": "2"}},
		{"no list", ``, "a=1", nil},
		{"an empty list", `include_keys=[]`, "a=1", nil},
		{"a list in a variable", `include_keys=ks`, "a=1 b=2 c=3", scripttest.Fields{"a": "1", "c": "3"}},
		{"what is no list", `include_keys=message`, "a=1", nil},
		{"an undefined list", `include_keys=nope`, "a=1", nil},
		{"what is no string in the list", `include_keys=[1, "a", nil]`, "a=1 1=2", scripttest.Fields{"a": "1"}},
		{"the last of a name", `include_keys=["a"]`, "a=1 a=2", scripttest.Fields{"a": "2"}},
		{"a value with the divider", `include_keys=["a"]`, "a=1=2", scripttest.Fields{"a": "1=2"}},
		{"an empty value", `include_keys=["a"]`, "a= b", scripttest.Fields{"a": ""}},
		{"an empty name", `include_keys=[""]`, "=1", nil},
		{"trimmed to an empty name", `trim_key="a", include_keys=["a", ""]`, "a=1", nil},
		{"trimmed", `trim_key="\"", trim_value="'", include_keys=["a"]`, `"a"='1'`, scripttest.Fields{"a": "1"}},
		{"a prefix", `include_keys=["a"], prefix="p_"`, "a=1", scripttest.Fields{"p_a": "1"}},
		{
			"expressions", `field_split_pattern=",\\s*|;", value_split_pattern="[:]{2}|=>", include_keys=["a", "b", "c"]`,
			"a::1,  b=>2;c=3",
			scripttest.Fields{"a": "1", "b": "2"},
		},
		{"an expression that matches nothing", `field_split_pattern="x*", include_keys=["a"]`, "a=1", nil},
		{"by position", `";", ":", " ", "'", ["a"], "p_"`, " a :'1';b:2", scripttest.Fields{"p_a": "1"}},
		{"over the text itself", `include_keys=["message"]`, "message=1 a=2", scripttest.Fields{"message": "1"}},
		{"nothing", `include_keys=["a"]`, "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			script := "ks = [\"a\", \"c\"]\nr = kv_split(_, " + test.args + ")\nadd_key(r)"
			got, err := engine.Run(t, strings.Replace(script, ", )", ")", 1), scripttest.Fields{"message": test.in})
			if err != nil {
				t.Fatal(err)
			}
			want := scripttest.Fields{"message": test.in, "r": len(test.want) > 0}
			maps.Copy(want, test.want)
			for k, v := range want {
				if got[k] != v {
					t.Errorf("%s: got %v, want %v", k, got[k], v)
				}
			}
			if len(got) != len(want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestKVSplitIsRefused(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	for _, test := range []struct{ script, says string }{
		{`kv_split()`, "missing"},
		{`kv_split(1)`, "expected a key"},
		{`kv_split(_, b)`, "string in quotes"},
		{`kv_split(_, field_split_pattern="[")`, "missing closing ]"},
		{`kv_split(_, value_split_pattern="(")`, "missing closing )"},
		{`kv_split(_, trim_key=1)`, "string in quotes"},
		{`kv_split(_, include_keys="a")`, "a list or a name"},
		{`kv_split(_, prefix=nil)`, "string in quotes"},
		{`kv_split(_, b=2)`, "no parameter"},
		{`kv_split(_, "", "", "", "", [], "", [])`, "at most 7"},
	} {
		if says := engine.Refused(t, test.script); !strings.Contains(says, test.says) {
			t.Errorf("%s: refused with %q, want %q", test.script, says, test.says)
		}
	}
}

// A plain divider is found without its regular expression; that must not show.
func TestAPlainDividerDividesAsItsExpression(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("ab=,; "))).Draw(rt, "text")
		field := rapid.SampledFrom([]string{" ", ",", ", ", ";;"}).Draw(rt, "field")
		value := rapid.SampledFrom([]string{"=", "==", "a"}).Draw(rt, "value")
		run := func(field, value string) scripttest.Fields {
			got, err := engine.Run(t, `kv_split(k, "`+field+`", "`+value+`", include_keys=["a", "b", "ab", "b;"])`,
				scripttest.Fields{"k": text})
			if err != nil {
				rt.Fatal(err)
			}
			return got
		}
		plain := run(field, value)
		expr := run("(?:"+regexp.QuoteMeta(field)+"|\\\\x00)", "(?:"+regexp.QuoteMeta(value)+"|\\\\x00)")
		for k, v := range expr {
			if plain[k] != v || len(plain) != len(expr) {
				rt.Fatalf("plain %v, expression %v", plain, expr)
			}
		}
	})
}

func TestALoopOfSplitsRunsIntoTheLimit(t *testing.T) {
	engine := scripttest.New(t, all.Table)
	for _, body := range []string{
		`kv_split(k, include_keys=["a"])`,
		`kv_split(k, "a?", "b?", include_keys=["a"])`,
		`kv_split(k, include_keys=k2)`,
	} {
		_, err := engine.RunIn(t, limited(), "k2 = [\"a\", \"b\"]\nfor ;; { "+body+" }", scripttest.Fields{"k": strings.Repeat("a=1 ", 1<<12)})
		if !fn.IsLimit(err) {
			t.Errorf("%s for ever: %v", body, err)
		}
	}
}

func BenchmarkKVSplit(b *testing.B) {
	line := `time=2024-05-01T12:00:00Z level=info msg=done path=/v1/write status=200 bytes=5120 took=12ms user=ann`
	for name, script := range map[string]string{
		"plain":      `kv_split(_, include_keys=["level", "path", "status", "bytes"])`,
		"expression": `kv_split(_, " +", "[=:]", include_keys=["level", "path", "status", "bytes"])`,
	} {
		b.Run(name, func(b *testing.B) {
			program := scripttest.New(b, all.Table).Compile(b, script)
			env := &pipeline.Env{Category: point.Metric}
			p := scripttest.Point(b, scripttest.Fields{"message": line})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := program.Run(&p, env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
