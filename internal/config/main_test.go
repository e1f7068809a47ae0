package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// example is datakit.conf as the documentation shows it.
const example = `
hostname = ""                       # default: the system's
default_enabled_inputs = ["cpu", "mem"]
[global_host_tags]                  # added to every point
  env = "prod"
[http_api]
  listen = "localhost:9529"         # host:port, or the path of a unix socket
[dataway]
  urls = ["https://openway.guance.com?token=tkn_x"]
[io]
  output_file = ""
[logging]
  level = "info"                    # log = path or "stdout"
[confd]
  debounce     = "2s"
  debounce_max = "10s"
  timeout      = "60s"
  resync       = "5m"
  hold         = "30s"
  authoritative = false
[[confds]]
  enable  = true
  backend = "etcdv3"
  nodes   = ["127.0.0.1:2379"]
  # prefix = "/datakit"
`

// parts describes a file with two backends that take every key, and one that
// takes none of its own.
func parts() Parts {
	all := spec.Schema{Fields: store.Fields()}
	return Parts{
		Catalog:  catalog(),
		Backends: []store.Backend{{Name: "etcdv3", Aliases: []string{"etcd"}, Spec: all}, {Name: "consul", Spec: all}, {Name: "env"}},
		IO:       []spec.Field{{Name: "output_file", Type: spec.String}},
		Dataway:  []spec.Field{{Name: "urls", Type: spec.Strings, Secret: true}},
	}
}

func parse(t *testing.T, text string, env map[string]string) Main {
	t.Helper()
	m, problems, warnings := ParseMain(text, env, parts())
	if len(problems)+len(warnings) > 0 {
		t.Errorf("problems %v, warnings %v", problems, warnings)
	}
	return m
}

func TestExampleOfTheDocumentationParses(t *testing.T) {
	m := parse(t, example, nil)
	want := Confd{Debounce: 2 * time.Second, DebounceMax: 10 * time.Second, Timeout: time.Minute, Resync: 5 * time.Minute, Hold: 30 * time.Second}
	if m.Confd != want || m.Listen != "localhost:9529" || m.LogLevel != "info" || m.HostTags["env"] != "prod" || !slices.Equal(m.Defaults, []string{"cpu", "mem"}) {
		t.Errorf("%+v", m)
	}
	if len(m.Stores) != 1 || m.Stores[0].ID != "etcdv3" || m.Stores[0].Root != "/datakit" || !m.Stores[0].Enabled || !slices.Equal(m.Stores[0].Nodes, []string{"127.0.0.1:2379"}) {
		t.Errorf("%+v", m.Stores)
	}
	if !slices.Equal(m.Dataway.Strings("urls"), []string{"https://openway.guance.com?token=tkn_x"}) {
		t.Errorf("%v", m.Dataway)
	}
}

func TestEmptyFileHasTheDefaultsOfTheExample(t *testing.T) {
	got, _, _ := ParseMain("", nil, parts())
	want := parse(t, example, nil)
	if got.Confd != want.Confd || got.Listen != want.Listen || got.LogLevel != want.LogLevel || len(got.Stores) != 0 {
		t.Errorf("%+v", got)
	}
	if !slices.Equal(got.Defaults, strings.Fields("cpu disk diskio mem swap system net processes")) {
		t.Errorf("%q", got.Defaults)
	}
}

func TestSeveralStoresHaveTheirOwnIDs(t *testing.T) {
	m := parse(t, `
[[confds]]
backend = "etcdv3"
[[confds]]
backend = "consul"
enable = false
[[confds]]
backend = "etcd"
prefix = "other/place/"
nodes = ["http://me:hunter2@a:1"]
[[confds]]
backend = "ETCDV3"
prefix = "/"
[[confds]]
backend = "consul"
file = "/etc/x"
`, map[string]string{"ENV_CONFD_BACKEND": "consul"})
	var ids, roots []string
	for _, s := range m.Stores {
		ids, roots = append(ids, s.ID), append(roots, s.Root)
	}
	if got := strings.Join(ids, " "); got != "etcdv3 consul etcdv3#2 etcdv3#3 consul#2 consul#3" {
		t.Errorf("IDs %s", got)
	}
	if got := strings.Join(roots, " "); got != "/datakit /datakit /other/place /datakit /datakit /datakit" {
		t.Errorf("roots %s", got)
	}
	if m.Stores[1].Enabled || !m.Stores[0].Enabled || m.Stores[2].Nodes[0] != "http://me:******@a:1" || m.Stores[4].Nodes[0] != "/etc/x" {
		t.Errorf("%+v", m.Stores)
	}
}

func TestUnknownKeysAreWarnings(t *testing.T) {
	_, problems, warnings := ParseMain("enable_pprof = true\n[io]\nflush_interval = \"10s\"\n[election]\nx = 1\n[[confds]]\nbackend = \"env\"\nnodes = [\"x\"]\n", nil, parts())
	var got []string
	for _, w := range warnings {
		got = append(got, w.Pos.String()+" "+w.Message)
	}
	want := []string{
		"1:1 unknown field \"enable_pprof\"", "3:1 unknown field \"flush_interval\" in [io]",
		"4:2 unknown field \"election\"", `8:1 [[confds]]: backend "env" does not use nodes`,
	}
	if len(problems) > 0 || len(got) != len(want) {
		t.Fatalf("problems %v, warnings %q", problems, got)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
}

func TestProblemsNamePlaceAndExpectation(t *testing.T) {
	for text, want := range map[string]string{
		"hostname = 3":                              "1:12: hostname: expected a string, got an integer",
		"\n[confd]\n  debounce = true":              `3:14: debounce: expected a duration such as "10s", got a bool`,
		"[confd]\ntimeout = \"1ms\"":                "2:11: timeout: expected at least 100ms",
		"[logging]\nlevel = \"loud\"":               "2:9: level: expected one of debug, info, warn, error",
		"[confds]\nbackend = \"etcd\"":              "1:2: expected [[confds]], got a table",
		"[[confds]]\nnodes = [\"x\"]":               `1:3: [[confds]] needs backend, such as backend = "etcdv3"`,
		"[[confds]]\nbackend = \"con\"":             `2:11: no backend "con"; there are etcdv3, consul, env`,
		"[[confds]]\nbackend = \"\"":                `2:11: [[confds]] needs backend`,
		"[[confds]]\nbackend = \"etcd\"\nnodez = 1": `3:1: unknown field "nodez" in [confds], did you mean "nodes"?`,
		"[[confds]]\nbackend = \"etcd\"\nnodes = 1": "3:9: nodes: expected a list of strings, got an integer",
		"hostname = \"a":                            "1:",
		"x = 1\nx = 2":                              "2:1: not valid TOML",
	} {
		_, problems, _ := ParseMain(text, nil, parts())
		if len(problems) == 0 || !strings.HasPrefix(problems[0].Error(), want) {
			t.Errorf("%q: %v, want %s", text, problems, want)
		}
	}
}

func TestUnknownDefaultIsAWarning(t *testing.T) {
	_, problems, warnings := ParseMain(`default_enabled_inputs = ["cpu", "-host_cpu", "-mme"]`, nil, parts())
	if len(problems) > 0 || len(warnings) != 1 || !strings.Contains(warnings[0].Message, `unknown input "mme"`) {
		t.Errorf("%v %v", problems, warnings)
	}
}

// Each secret of [[confds]], ill-typed, unclosed, and beside a mistake.
func TestSecretsOfStoresAreInNoDiagnostic(t *testing.T) {
	for _, f := range store.Fields() {
		if !f.Secret {
			continue
		}
		for _, line := range []string{"%s = [\"hunter2\"]", "%s = \"hunter2", "%s = \"hunter2\" x", "%s = \"hunter2\"\n%[1]s = \"hunter2\""} {
			_, problems, warnings := ParseMain("[[confds]]\nbackend = \"etcd\"\n"+fmt.Sprintf(line, f.Name)+"\n", nil, parts())
			if told := problems.Text() + warnings.Text(); len(problems) == 0 || strings.Contains(told, "hunter2") {
				t.Errorf("%s: %s", f.Name, told)
			}
		}
		env := map[string]string{"ENV_CONFD_BACKEND": "etcd", "ENV_CONFD_CIRCLE_INTERVAL": "soon", "ENV_CONFD_" + strings.ToUpper(f.Name): "hunter2"}
		_, problems, _ := ParseMain("", env, parts())
		if told := problems.Text(); told == "" || strings.Contains(told, "hunter2") {
			t.Errorf("%s in the environment: %s", f.Name, told)
		}
	}
	_, problems, _ := ParseMain("[dataway]\nurls = {a = \"https://x?token=hunter2\"}\n", nil, parts())
	if told := problems.Text(); told == "" || strings.Contains(told, "hunter2") {
		t.Errorf("dataway: %s", told)
	}
}

// contractEnv are the names that the documentation gives behind ENV_CONFD_.
const contractEnv = "AUTH_TOKEN AUTH_TYPE BASIC_AUTH CLIENT_CA_KEYS CLIENT_CERT CLIENT_KEY CLIENT_INSECURE PASSWORD " +
	"SCHEME TABLE SEPARATOR USERNAME APP_ID USER_ID ROLE_ID SECRET_ID FILTER PATH ROLE FILE PREFIX ACCESS_KEY SECRET_KEY " +
	"CIRCLE_INTERVAL CONFD_NAMESPACE PIPELINE_NAMESPACE REGION"

func TestEveryVariableOfAStore(t *testing.T) {
	names := strings.Fields(contractEnv)
	env := map[string]string{"ENV_CONFD_BACKEND": "etcdv3", "ENV_CONFD_BACKEND_NODES": `["a:1","b:2"]`}
	want := map[string]any{"nodes": []string{"a:1", "b:2"}}
	for _, n := range names {
		value, decoded := "v\"\\é'\t"+n, any("v\"\\é'\t"+n)
		switch n {
		case "BASIC_AUTH", "CLIENT_INSECURE":
			value, decoded = "true", true
		case "CIRCLE_INTERVAL":
			value, decoded = "30", int64(30)
		case "SCHEME":
			value, decoded = "https", "https"
		case "FILE":
			value, decoded = "/a,/b", []string{"/a", "/b"}
		}
		env["ENV_CONFD_"+n] = value
		want[strings.ToLower(n)] = decoded
	}
	m := parse(t, "", env)
	for name, v := range want {
		if got := m.Stores[0].Values[name]; fmt.Sprint(got) != fmt.Sprint(v) {
			t.Errorf("%s is %q, want %q", name, got, v)
		}
	}
	for _, f := range store.Fields() {
		if _, ok := want[f.Name]; !ok && f.Name != "enable" && f.Name != "backend" {
			t.Errorf("%s has no variable", f.Name)
		}
	}
}

func TestNodesAsPeopleWriteThem(t *testing.T) {
	for _, v := range []string{`["a:1","b:2"]`, `["a:1", "b:2"]`, "[a:1,b:2]", "[ a:1 , b:2 ]", "a:1,b:2", "a:1, b:2,", `"a:1","b:2"`, "['a:1','b:2']"} {
		m := parse(t, "", map[string]string{"ENV_CONFD_BACKEND": "etcdv3", "ENV_CONFD_BACKEND_NODES": v})
		if !slices.Equal(m.Stores[0].Nodes, []string{"a:1", "b:2"}) {
			t.Errorf("%s is %q", v, m.Stores[0].Nodes)
		}
	}
}

func TestVariablesGoOverTheFile(t *testing.T) {
	m := parse(t, example, map[string]string{
		"ENV_HOSTNAME": " web-1 ", "ENV_HTTP_LISTEN": "0.0.0.0:1", "ENV_LOG": "stdout", "ENV_LOG_LEVEL": "debug",
		"ENV_DEFAULT_ENABLED_INPUTS": "cpu,-mem", "ENV_DATAWAY": "https://a?token=t,https://b", "ENV_GLOBAL_HOST_TAGS": "env=test, zone = x=y",
	})
	if m.Hostname != "web-1" || m.Listen != "0.0.0.0:1" || m.LogPath != "stdout" || m.LogLevel != "debug" || !slices.Equal(m.Defaults, []string{"cpu", "-mem"}) {
		t.Errorf("%+v", m)
	}
	if !slices.Equal(m.Dataway.Strings("urls"), []string{"https://a?token=t", "https://b"}) || !maps.Equal(m.HostTags, map[string]string{"env": "test", "zone": "x=y"}) {
		t.Errorf("%v %v", m.Dataway, m.HostTags)
	}
}

func TestBadVariableIsNamed(t *testing.T) {
	for name, value := range map[string]string{
		"ENV_LOG_LEVEL": "loud", "ENV_GLOBAL_HOST_TAGS": "novalue", "ENV_CONFD_BACKEND": "con",
		"ENV_CONFD_BASIC_AUTH": "perhaps", "ENV_CONFD_CIRCLE_INTERVAL": "soon", "ENV_CONFD_SCHEME": "ftp",
	} {
		env := map[string]string{"ENV_CONFD_BACKEND": "etcdv3"}
		env[name] = value
		_, problems, _ := ParseMain("", env, parts())
		name = strings.Replace(name, "ENV_CONFD_SCHEME", "ENV_CONFD_*: scheme", 1)
		name = strings.Replace(name, "ENV_CONFD_BACKEND", `ENV_CONFD_*: no backend "con"`, 1)
		if len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), name) {
			t.Errorf("%s=%s: %v", name, value, problems)
		}
	}
}

func TestHostTagsAreFilledIn(t *testing.T) {
	got := HostTags(map[string]string{"ip": "$datakit_ip", "name": "x-$datakit_hostname", "none": ""}, "web-1", "")
	if want := map[string]string{"host": "web-1", "name": "x-web-1"}; !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func FuzzParseMain(f *testing.F) {
	f.Add(example, "etcd", "[a,b]")
	f.Add("[[confds]]\nbackend = \"etcd\"\npassword = 1\n", "", "")
	f.Add("[dataway]\nurls = 3\n[confds]\n", "con", `["`)
	f.Add("confds = [{backend = \"consul\"}, 3]", "env", ",")
	p := parts()
	f.Fuzz(func(t *testing.T, text, backend, value string) {
		env := map[string]string{"ENV_CONFD_BACKEND": backend}
		for name := range strings.FieldsSeq(contractEnv + " BACKEND_NODES") {
			env["ENV_CONFD_"+name] = value
		}
		env["ENV_DATAWAY"], env["ENV_GLOBAL_HOST_TAGS"], env["ENV_LOG_LEVEL"] = value, value, value
		m, problems, warnings := ParseMain(text, env, p)
		for _, d := range slices.Concat(problems, warnings, diag.List{}) {
			if strings.ContainsAny(d.Error(), "\n\x1b") {
				t.Fatalf("%q", d.Error())
			}
		}
		if len(problems) > 0 {
			return
		}
		ids := map[string]bool{}
		for _, s := range m.Stores {
			if s.ID == "" || ids[s.ID] || !strings.HasPrefix(s.Root, "/") || strings.HasSuffix(s.Root, "/") {
				t.Fatalf("%+v", s)
			}
			ids[s.ID] = true
		}
	})
}
