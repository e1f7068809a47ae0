package kubernetes

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"datakit.dev/internal/config"
	"datakit.dev/internal/testserver"
)

var fenced = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```")

// examples returns the examples of a page that are in lang.
func examples(t *testing.T, page, lang string) (out []string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range fenced.FindAllStringSubmatch(string(text), -1) {
		if m[1] == lang {
			out = append(out, m[2])
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s has no example in %s", page, lang)
	}
	return out
}

// Every command of the manuals works on a real API server, in their order.
func TestCommandsOfTheManuals(t *testing.T) {
	dir := t.TempDir()
	for name, from := range map[string]string{"datakit.yaml": "datakit.yaml", "datakit": chart} {
		to, err := filepath.Abs(from)
		if err == nil {
			err = os.Symlink(to, filepath.Join(dir, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"cpu.conf": "[[inputs.cpu]]\n", "cpu.p": "x = 1\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k := testserver.StartKubernetes(t)
	for _, page := range []string{"../deploy/helm/datakit/README.md", "datakit-daemonset-deploy.md", "stores/kubernetes.md"} {
		for _, text := range examples(t, page, "sh") {
			k.Shell(t, dir, text)
		}
	}
}

// The YAML of the manuals is what a cluster, the chart and the agent take.
func TestYAMLOfTheManuals(t *testing.T) {
	j := newJudge(t)
	for _, text := range examples(t, "stores/kubernetes.md", "yaml") {
		for _, o := range documents(t, text) {
			if err := j.check(o); err != nil {
				t.Error(err)
			}
		}
	}
	both := examples(t, "datakit-daemonset-deploy.md", "yaml")
	list := manifest(t)
	c, _ := container(t, list)
	var more []any
	if err := yaml.Unmarshal([]byte(both[0]), &more); err != nil {
		t.Fatal(err)
	}
	c["env"] = slices.Concat(slices.DeleteFunc(c["env"].([]any), func(e any) bool { return strings.HasPrefix(at(e, "name").(string), "ENV_CONFD_") }), more)
	if err := j.check(find(t, list, "DaemonSet")); err != nil {
		t.Error(err)
	}
	env := environment(t, list)
	checkEnvironment(t, env)
	m, problems, _ := config.ParseMain("", env, agentParts())
	if len(problems) > 0 || len(m.Stores) != 1 || m.Stores[0].Backend.Name != "etcdv3" || len(m.Stores[0].Nodes) != 2 {
		t.Errorf("%+v, %v", m.Stores, problems)
	}
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte(both[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	rendered := render(t, "-f", file)
	ours := environment(t, rendered)
	for name, want := range map[string]string{
		"ENV_CONFD_BACKEND": "etcdv3", "ENV_CONFD_BACKEND_NODES": `["https://etcd-1:2379","https://etcd-2:2379"]`,
		"ENV_CONFD_PASSWORD": "secret etcd-login/password", "ENV_CONFD_CLIENT_CA_KEYS": "/etc/datakit/etcd-tls/ca.crt",
	} {
		if ours[name] != want {
			t.Errorf("%s is %q, want %q", name, ours[name], want)
		}
	}
}
