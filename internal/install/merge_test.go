package install

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"pgregory.net/rapid"

	"datakit.dev/internal/config"
	"datakit.dev/internal/spec"
)

// Each case of testdata/merge holds the variables, datakit.conf before, and what
// it is to be after.
func TestMergeCases(t *testing.T) {
	paths, err := filepath.Glob("testdata/merge/*.txtar")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d cases, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files := map[string]string{}
			for _, f := range txtar.Parse(text).Files {
				files[f.Name] = string(f.Data)
			}
			env := map[string]string{}
			for line := range strings.Lines(files["env"]) {
				k, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
				env[k] = v
			}
			s, err := Read(nil, env)
			if err != nil {
				t.Fatal(err)
			}
			// The three line ends and marks that editors leave.
			for name, as := range map[string]func(string) string{
				"plain": func(s string) string { return s },
				"CRLF":  func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
				"BOM":   func(s string) string { return "\ufeff" + s },
			} {
				if name == "CRLF" && files["before"] == "" {
					continue // it has no line that could end so
				}
				got, _, err := Merge(as(files["before"]), s, parts())
				if want, bad := files["error"]; bad {
					if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
						t.Errorf("%s: error %v, want %q in it", name, err, want)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(as(files["after"]), got); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
				again, changed, err := Merge(got, s, parts())
				if err != nil || again != got || len(changed) > 0 {
					t.Errorf("%s: a second time: %v %v\n%s", name, err, changed, again)
				}
			}
		})
	}
}

// The text that an agent writes for itself takes every setting, and loses no
// line.
func TestSampleTakesEverySetting(t *testing.T) {
	sample := parts().Schema().Sample()
	got, changed, err := Merge(sample, everySetting(t), parts())
	if err != nil || !strings.HasPrefix(got, sample) {
		t.Fatalf("%v\n%s", err, got)
	}
	if len(changed) < 25 {
		t.Errorf("only %v", changed)
	}
}

func everySetting(t *testing.T) Settings {
	t.Helper()
	var pairs []string
	for _, v := range Variables() {
		value := "x"
		switch v.Name {
		case "CONFD_BACKEND":
			value = "etcdv3"
		case "CONFD_SCHEME":
			value = "https"
		case "GLOBAL_HOST_TAGS":
			value = "a=b"
		case "CONFD_CIRCLE_INTERVAL":
			value = "5"
		}
		if v.Bool {
			value = "true"
		}
		pairs = append(pairs, v.Name, value)
	}
	return read(t, pairs...)
}

func TestErrorsOfABrokenFileHideItsSecrets(t *testing.T) {
	for _, text := range []string{"password = \"hush\"\n[x\n", "[[confds]]\n  backend = \"nope\"\n  password = \"hush\"\n", "auth_token = hush\n"} {
		_, _, err := Merge(text, read(t, "HOSTNAME", "x"), parts())
		if err == nil || !strings.Contains(err.Error(), "correct them first") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Names of what changed are told; values are not.
func TestChangesAreNamed(t *testing.T) {
	_, changed, err := Merge("[[confds]]\nbackend = \"redis\"\npassword = \"old\"\n", read(t, "CONFD_BACKEND", "redis", "CONFD_PASSWORD", "hush", "HOSTNAME", "h"), parts())
	if err != nil || !slices.Equal(changed, []string{"hostname", "confds.0.password"}) {
		t.Errorf("%v, %q", err, changed)
	}
}

// pieces are what a datakit.conf of somebody may be made of, each with comments
// and a taste of its own. Those of one group exclude each other.
var pieces = [][]string{
	{"", "# mine\n\n", "## Local settings, see the wiki\n"},
	{"", "hostname = 'old' # the old one\n", "\"hostname\" = \"\"\"\nlong\"\"\"\n", "  hostname=\"x\"\n"},
	{"", "default_enabled_inputs = [ \"cpu\", # one\n  \"mem\", ] # two\n", "default_enabled_inputs=[]\n"},
	{"", "http_api.listen = \"localhost:1\" # l\n", "http_api = { listen = 'localhost:1' }\n", "http_api = {}\n"},
	{"", "other = { a = 1, b = [ { c = 2 }, 3 ] }\n", "when = 1979-05-27 07:32:00\n", "x.y.z = '''a\n[b]\n# c\n'''\n"},
	{"", "global_host_tags = { team = \"a\" }\n", "global_host_tags.dc = \"b\"\n"},
	{"", "confds = [ { backend = \"etcd\", nodes = [\"a:1\"] }, # first\n  { backend = 'redis' } ]\n", "confds = []\n"},
	{"", "\n# the gateway\n[dataway] # g\n    urls = [\"http://x?token=1\"]\n    # urls = []\n", "[dataway]\n", "[dataway]\ngzip = true # z\n"},
	{"", "[confd]\n  debounce = \"1s\"\n# end\n"},
	{"", "[[confds]] # one\n  backend = \"etcdv3\" # e\n  nodes = [\"a:1\"]\n  # password = \"\"\n\n[[confds]]\nenable = false\nbackend = 'redis'\n", "[[confds]]\nbackend = \"file\"\nfile = [\"/x\"]\n"},
	{"", "[io]\n  output_file = \"/x\"", "\n\n# the end"},
}

func drawConf(t *rapid.T) string {
	var b strings.Builder
	inline, dotted := false, false
	for i, group := range pieces {
		p := rapid.SampledFrom(group).Draw(t, fmt.Sprint("piece", i))
		inline = inline || strings.HasPrefix(p, "confds =")
		dotted = dotted || strings.HasPrefix(p, "http_api")
		if inline && strings.HasPrefix(p, "[[confds]]") {
			continue
		}
		b.WriteString(p)
	}
	text := b.String()
	if rapid.Bool().Draw(t, "CRLF") {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return text
}

func drawSettings(t *rapid.T) Settings {
	value := rapid.OneOf(rapid.StringN(1, 12, -1), rapid.SampledFrom([]string{`a "b" 'c' \d`, "$x [y], {z}", "#no", "\t\n", "中文"}))
	env := map[string]string{}
	put := func(name string, g *rapid.Generator[string]) {
		if rapid.Bool().Draw(t, name) {
			env["DK_"+name] = g.Draw(t, name+" value")
		}
	}
	put("HOSTNAME", value)
	put("HTTP_LISTEN", rapid.SampledFrom([]string{"localhost:2", "0.0.0.0", "::1", "/run/x.sock"}))
	put("DEF_INPUTS", rapid.SampledFrom([]string{"cpu,mem", "[disk]", `["a b"]`}))
	put("GLOBAL_HOST_TAGS", rapid.SampledFrom([]string{"team=b", "dc=x,a.b=c", `["k=a,b"]`}))
	put("DATAWAY", rapid.SampledFrom([]string{"http://x?token=1", "http://y?token=a&b=[c]"}))
	if rapid.Bool().Draw(t, "store") {
		env["DK_CONFD_BACKEND"] = rapid.SampledFrom([]string{"etcd", "etcdv3", "redis", "file"}).Draw(t, "backend")
		put("CONFD_BACKEND_NODES", rapid.SampledFrom([]string{"[a:1]", `["a:1","b:2"]`, "[::1]:3"}))
		put("CONFD_PASSWORD", value)
		put("CONFD_CLIENT_INSECURE", rapid.SampledFrom([]string{"true", "0"}))
		put("CONFD_CIRCLE_INTERVAL", rapid.SampledFrom([]string{"5", "60"}))
	}
	s, err := Read(nil, env)
	if err != nil {
		t.Skip(err)
	}
	return s
}

// Whatever the file looks like and whatever is set: every key has its value,
// every other key keeps its own, every comment is there in its order, and a
// second time changes nothing.
func TestMergeKeepsTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, s := drawConf(t), drawSettings(t)
		after, _, err := Merge(before, s, parts())
		if err != nil {
			t.Fatalf("%v\n%s", err, before)
		}
		again, changed, err := Merge(after, s, parts())
		if err != nil || again != after || len(changed) > 0 {
			t.Fatalf("a second time: %v %v\n%s\n---\n%s", err, changed, after, again)
		}
		if was, is := comments(before), comments(after); !slices.Equal(was, is) {
			t.Fatalf("comments %q became %q", was, is)
		}
		m, bad, _ := config.ParseMain(after, nil, parts())
		if bad != nil {
			t.Fatalf("%s\n%s", bad.Text(), after)
		}
		check(t, m, s)
		rest(t, before, after, s)
		if strings.Contains(before, "\r\n") && strings.Count(after, "\n") != strings.Count(after, "\r\n") {
			t.Fatalf("mixed line ends: %q", after)
		}
	})
}

// check holds what an agent would read against the settings.
func check(t *rapid.T, m config.Main, s Settings) {
	if s.Hostname != "" && m.Hostname != s.Hostname || s.Listen != "" && m.Listen != s.Listen {
		t.Fatalf("hostname %q, listen %q", m.Hostname, m.Listen)
	}
	if len(s.Inputs) > 0 && !slices.Equal(m.Defaults, s.Inputs) || len(s.Dataway) > 0 && !slices.Equal(m.Dataway.Strings("urls"), s.Dataway) {
		t.Fatalf("inputs %q, dataway %q", m.Defaults, m.Dataway)
	}
	for k, v := range s.Tags {
		if m.HostTags[k] != v {
			t.Fatalf("tag %s = %q, want %q", k, m.HostTags[k], v)
		}
	}
	if s.Backend == "" {
		return
	}
	if !slices.ContainsFunc(m.Stores, func(st config.Store) bool {
		return st.Backend.Is(s.Backend) && st.Enabled &&
			(s.Options["password"] == "" || strings.TrimSpace(s.Options["password"]) == "" || st.Values.String("password") == s.Options["password"]) &&
			(s.Options["nodes"] == "" || slices.Equal(st.Values.Strings("nodes"), config.SplitList(s.Options["nodes"])))
	}) {
		t.Fatalf("no such store: %+v", m.Stores)
	}
}

// rest holds the keys that no setting is about against those before.
func rest(t *rapid.T, before, after string, s Settings) {
	x, _ := spec.Parse(before)
	y, _ := spec.Parse(after)
	a, b := flat(x), flat(y)
	for _, one := range s.plain() {
		take(a, one.path)
		take(b, one.path)
	}
	if s.Backend != "" {
		n := storeOf(x, s, parts().Backends)
		for _, one := range s.store(x, n) {
			path := slices.Concat([]string{"confds", fmt.Sprint(n)}, one.path)
			take(a, path)
			take(b, path)
		}
		take(a, []string{"confds", ""})
		take(b, []string{"confds", ""})
	}
	if !maps.Equal(a, b) {
		t.Fatalf("other keys changed: %s", cmp.Diff(a, b))
	}
}

// comments returns the comments of the pieces that a text has, in order.
func comments(text string) (out []string) {
	for line := range strings.Lines(text) {
		if i := strings.LastIndex(line, "# "); i >= 0 && !strings.Contains(line[i:], "\"\n") && strings.Trim(strings.TrimSpace(line[i:]), "# abcdefghijklmnopqrstuvwxyz,ELTS") == "" {
			out = append(out, strings.TrimSpace(line[i:]))
		}
	}
	return out
}

func FuzzMerge(f *testing.F) {
	for _, group := range pieces {
		for _, p := range group {
			f.Add(p, "127.0.0.1:1", "secret")
		}
	}
	f.Fuzz(func(t *testing.T, text, nodes, password string) {
		s, err := Read(nil, map[string]string{"DK_CONFD_BACKEND": "etcdv3", "DK_CONFD_BACKEND_NODES": nodes, "DK_CONFD_PASSWORD": password, "DK_HOSTNAME": "h"})
		if err != nil {
			return
		}
		after, _, err := Merge(text, s, parts())
		if err != nil {
			return
		}
		if again, changed, err := Merge(after, s, parts()); err != nil || again != after || len(changed) > 0 {
			t.Fatalf("a second time: %v %v\n%q\n%q", err, changed, after, again)
		}
	})
}
