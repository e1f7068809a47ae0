package config_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/config"
	"datakit.dev/internal/input"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// secretive has secrets of every shape.
func secretive() *config.Catalog {
	return config.NewCatalog([]input.Plugin{{
		Name: "web", Options: []spec.Field{
			{Name: "url", Type: spec.String},
			{Name: "query", Type: spec.String},
			{Name: "pin", Type: spec.String, Secret: true},
			{Name: "headers", Type: spec.StringMap, Secret: true},
			{Name: "codes", Type: spec.Strings, Secret: true},
			{Name: "logins", Type: spec.Tables, Fields: []spec.Field{{Name: "user", Type: spec.String}, {Name: "word", Type: spec.String, Secret: true}}},
		},
	}})
}

// diffOf returns the difference that a change of one key from before to after
// would be told with.
func diffOf(cat *config.Catalog, key, before, after string) string {
	compile := func(prev *config.State, value string) (config.Result, *config.State) {
		return config.Compile(prev, config.Request{Catalog: cat, Stores: []config.Source{{
			ID: "s", Backend: "s", Root: "/datakit", Entries: []store.Entry{{Key: key, Value: value}},
		}}})
	}
	was, prev := compile(nil, before)
	is, next := compile(prev, after)
	for _, k := range config.Changed(prev, next, was, is) {
		return k.Diff(cat)
	}
	return ""
}

func TestDiffShowsWhatChangedAndNoSecret(t *testing.T) {
	for name, c := range map[string]struct{ before, after, want string }{
		"one line": {
			"[[inputs.web]]\nurl = \"a\"\n", "[[inputs.web]]\nurl = \"b\"\n",
			"@@ -1,2 +1,2 @@\n [[inputs.web]]\n-url = \"a\"\n+url = \"b\"\n",
		},
		"a secret": {
			"[[inputs.web]]\npin = \"hunter1\"", "[[inputs.web]]\npin = \"hunter2\"",
			"@@ -1,2 +1,2 @@\n [[inputs.web]]\n-pin = ******\n+pin = ******\n",
		},
		"below a secret header": {
			"", "[[inputs.web]]\n[inputs.web.headers]\nX-Any = \"hunter1\"\n",
			"@@ -0,0 +1,3 @@\n+[[inputs.web]]\n+[inputs.web.headers]\n+X-Any = ******\n",
		},
		"behind a secret header": {
			"", "[[inputs.web]]\n[inputs.web.headers]\nX = \"hunter1\"\n[[inputs.web]]\nurl = \"a\"\n",
			"@@ -0,0 +1,5 @@\n+[[inputs.web]]\n+[inputs.web.headers]\n+X = ******\n+[[inputs.web]]\n+url = \"a\"\n",
		},
		"over lines": {
			"", "[[inputs.web]]\npin = \"\"\"\nhunter1\nurl = hunter2\n\"\"\"\nurl = \"a\"\n",
			"@@ -0,0 +1,6 @@\n+[[inputs.web]]\n+pin = ******\n+******\n+******\n+******\n+url = \"a\"\n",
		},
		"over lines, broken": {
			"", "[[inputs.web]]\npin = '''\nurl = hunter2\n'''\nurl = \n",
			"@@ -0,0 +1,5 @@\n+[[inputs.web]]\n+pin = ******\n+******\n+******\n+url = \n",
		},
		"the layout alone": {"`[[inputs.web]]`\r\n", " [[inputs.web]]", ""},
	} {
		if got := diffOf(secretive(), "confd/x", c.before, c.after); got != c.want {
			t.Errorf("%s: got\n%s\nexpected\n%s", name, got, c.want)
		}
	}
}

// However a value holds a secret, no difference of it does.
func TestNoDiffHoldsASecret(t *testing.T) {
	cat := secretive()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Custom(func(t *rapid.T) string {
			var b strings.Builder
			for range rapid.IntRange(1, 4).Draw(t, "tables") {
				b.WriteString("[[inputs.web]]\n")
				for _, line := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
					"url = \"http://me:hunter1@host/?token=hunter2\"\n", "pin = \"hunter3\"\n", "pin='hunter4' # pin hunter4\n",
					"  codes = [\"hunter5\",\n\"hunter6\"\n,'hunter7']\n", "headers = {a = \"hunter8\", b = 'hunter9'}\n",
					"query = \"select\"\n", "query = '''\n[x]\na = 1\n'''\n", "pin = '''\n[[inputs.web]]\nurl = \"hunter10\"\n'''\n",
					"[inputs.web.headers]\na = \"hunter11\"\n", "[[inputs.web.logins]]\nuser = \"me\"\nword = \"hunter12\"\n",
					"pin = \"\"\"hunter13 \\\"\"\" \nurl = hunter14\"\"\"\n", "password hunter15\n", "x = [\n", "'pin' = \"hunter16\"\n",
				}), 0, 5, rapid.ID).Draw(t, "lines") {
					b.WriteString(line)
				}
			}
			return b.String()
		})
		before, after := value.Draw(t, "before"), value.Draw(t, "after")
		if got := diffOf(cat, "confd/x", before, after); strings.Contains(got, "hunter") {
			t.Fatalf("a secret is shown:\n%s", got)
		}
	})
}

func TestAHugeChangeIsBounded(t *testing.T) {
	long := strings.Repeat("[[inputs.web]]\n", store.MaxValue/16)
	if got := diffOf(secretive(), "confd/x", "", long); strings.Count(got, "\n") > 20_001 {
		t.Errorf("%d lines", strings.Count(got, "\n"))
	}
}
