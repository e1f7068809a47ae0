package kubernetes

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"datakit.dev/internal/config"
	"datakit.dev/internal/inputs/all"
	"datakit.dev/internal/store"
	stores "datakit.dev/internal/stores/all"
	"datakit.dev/internal/testserver"
)

const chart = "../helm/datakit"

func manifest(t *testing.T) []object {
	t.Helper()
	text, err := os.ReadFile("datakit.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return documents(t, string(text))
}

// at returns what is at a path of names and numbers in o, nil where nothing is.
func at(v any, path ...any) any {
	for _, p := range path {
		switch step := p.(type) {
		case string:
			o, _ := v.(object)
			v = o[step]
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return nil
			}
			v = list[step]
		}
	}
	return v
}

func find(t *testing.T, list []object, kind string) object {
	t.Helper()
	i := slices.IndexFunc(list, func(o object) bool { return o["kind"] == kind })
	if i < 0 {
		t.Fatalf("there is no %s", kind)
	}
	return list[i]
}

// container returns the agent's container and the pod that it is in.
func container(t *testing.T, list []object) (c, pod object) {
	t.Helper()
	pod = at(find(t, list, "DaemonSet"), "spec", "template", "spec").(object)
	return at(pod, "containers", 0).(object), pod
}

// environment returns the variables of the agent; those from a Secret have the
// name and the entry as their value.
func environment(t *testing.T, list []object) map[string]string {
	t.Helper()
	c, _ := container(t, list)
	env := map[string]string{}
	for _, e := range c["env"].([]any) {
		name := at(e, "name").(string)
		if _, twice := env[name]; twice {
			t.Errorf("%s is there twice", name)
		}
		switch ref := at(e, "valueFrom", "secretKeyRef"); {
		case ref != nil:
			env[name] = fmt.Sprintf("secret %v/%v", at(ref, "name"), at(ref, "key"))
		case at(e, "value") != nil:
			env[name] = at(e, "value").(string)
		}
	}
	return env
}

func TestManifestIsValid(t *testing.T) {
	j := newJudge(t)
	list := manifest(t)
	for _, o := range list {
		if err := j.check(o); err != nil {
			t.Errorf("%v: %v", o["kind"], err)
		}
	}
	if len(list) != 5 {
		t.Errorf("%d objects", len(list))
	}
	// The judge finds what it is there for.
	c, _ := container(t, list)
	for field, value := range map[string]any{"imagee": "x", "image": 3, "ports": []any{object{"containerPort": "http"}}, "resources": object{"limits": "1"}} {
		was := c[field]
		c[field] = value
		if err := j.check(find(t, list, "DaemonSet")); err == nil {
			t.Errorf("%s: %v was taken", field, value)
		}
		if c[field] = was; was == nil {
			delete(c, field)
		}
	}
}

// agentParts is what the agent decodes its variables with.
func agentParts() config.Parts {
	return config.Parts{Backends: stores.All(), Catalog: config.NewCatalog(all.All())}
}

// Every variable is one that the agent reads, and all together are taken.
func TestAgentTakesItsEnvironment(t *testing.T) {
	env := environment(t, manifest(t))
	checkEnvironment(t, env)
	m, problems, warnings := config.ParseMain("", env, agentParts())
	if len(problems)+len(warnings) > 0 {
		t.Fatal(problems, warnings)
	}
	if len(m.Stores) != 1 || m.Stores[0].Backend.Name != "kubernetes" || m.Listen != "127.0.0.1:9529" || m.LogPath != "stdout" {
		t.Errorf("%+v", m)
	}
}

func checkEnvironment(t *testing.T, env map[string]string) {
	t.Helper()
	known := strings.Fields("ENV_HOSTNAME ENV_HTTP_LISTEN ENV_LOG ENV_LOG_LEVEL ENV_DEFAULT_ENABLED_INPUTS ENV_GLOBAL_HOST_TAGS ENV_DATAWAY ENV_CONFD_BACKEND_NODES")
	for _, f := range store.Fields() {
		known = append(known, "ENV_CONFD_"+strings.ToUpper(f.Name))
	}
	for name := range env {
		if !slices.Contains(known, name) && !strings.HasPrefix(name, "HOST_") {
			t.Errorf("the agent reads no %s", name)
		}
	}
}

// What the agent may do, to the node and to the cluster, is the least.
func TestLeastPrivilege(t *testing.T) {
	list := manifest(t)
	c, pod := container(t, list)
	for _, want := range []struct {
		of   any
		path []any
		is   any
	}{
		{pod, []any{"securityContext", "runAsNonRoot"}, true},
		{pod, []any{"securityContext", "seccompProfile", "type"}, "RuntimeDefault"},
		{pod, []any{"hostPID"}, nil},
		{pod, []any{"hostIPC"}, nil},
		{c, []any{"securityContext", "allowPrivilegeEscalation"}, false},
		{c, []any{"securityContext", "readOnlyRootFilesystem"}, true},
		{c, []any{"securityContext", "privileged"}, nil},
		{c, []any{"securityContext", "capabilities", "drop", 0}, "ALL"},
		{c, []any{"securityContext", "capabilities", "add"}, nil},
		{find(t, list, "ServiceAccount"), []any{"automountServiceAccountToken"}, false},
		{find(t, list, "Role"), []any{"rules"}, []any{object{"apiGroups": []any{""}, "resources": []any{"configmaps"}, "verbs": []any{"list", "watch"}}}},
	} {
		if got := at(want.of, want.path...); !reflect.DeepEqual(got, want.is) {
			t.Errorf("%v is %v, want %v", want.path, got, want.is)
		}
	}
	host := map[string]bool{}
	for _, v := range pod["volumes"].([]any) {
		if at(v, "hostPath") != nil {
			host[at(v, "name").(string)] = true
		}
	}
	for _, m := range c["volumeMounts"].([]any) {
		if host[at(m, "name").(string)] && at(m, "readOnly") != true {
			t.Errorf("a folder of the node is mounted to be written: %v", m)
		}
	}
	for _, o := range list {
		if kind := o["kind"].(string); strings.HasPrefix(kind, "ClusterRole") {
			t.Errorf("a %s reaches beyond the namespace", kind)
		}
	}
	for _, probe := range []string{"startupProbe", "livenessProbe", "readinessProbe"} {
		if at(c, probe, "httpGet", "path") != "/v1/ping" || at(c, probe, "httpGet", "port") != 9529 {
			t.Errorf("%s asks %v", probe, at(c, probe))
		}
	}
	if at(c, "resources", "limits", "memory") == nil || at(c, "resources", "requests", "cpu") == nil {
		t.Errorf("resources %v", c["resources"])
	}
}

// The options that the chart takes are those of [[confds]]; a secret one is not
// taken where everybody could read it.
func TestChartTakesEveryOption(t *testing.T) {
	text, err := os.ReadFile(chart + "/values.schema.json")
	var schema object
	if err == nil {
		err = json.Unmarshal(text, &schema)
	}
	if err != nil {
		t.Fatal(err)
	}
	confd := at(schema, "properties", "confd", "properties")
	var secret, plain []string
	for _, f := range store.Fields() {
		if f.Name == "enable" || f.Name == "backend" || f.Name == "nodes" {
			continue
		}
		secret = append(secret, f.Name)
		if !f.Secret || f.Name == "client_key" { // mostly a path
			plain = append(plain, f.Name)
		}
	}
	slices.Sort(secret)
	slices.Sort(plain)
	names := func(path ...any) (out []string) {
		for _, n := range at(confd, path...).([]any) {
			out = append(out, n.(string))
		}
		slices.Sort(out)
		return out
	}
	if got := slices.Sorted(maps.Keys(at(confd, "options", "properties").(object))); !slices.Equal(got, plain) {
		t.Errorf("options: %q, want %q", got, plain)
	}
	for _, place := range []string{"secretRefs", "secretValues"} {
		if got := names(place, "propertyNames", "enum"); !slices.Equal(got, secret) {
			t.Errorf("%s: %q, want %q", place, got, secret)
		}
	}
	backends := []string{""}
	for _, b := range stores.All() {
		backends = append(backends, b.Name)
	}
	slices.Sort(backends)
	if got := names("backend", "enum"); !slices.Equal(got, backends) {
		t.Errorf("backends: %q, want %q", got, backends)
	}
}

// render renders the chart.
func render(t *testing.T, args ...string) []object {
	t.Helper()
	out, err := testserver.Helm(t, append([]string{"template", "datakit", chart, "--namespace", "datakit"}, args...)...)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return documents(t, out)
}

// plain takes away what only Helm writes.
func plain(o object) object {
	labels, _ := at(o, "metadata", "labels").(object)
	for _, l := range []string{"app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart"} {
		delete(labels, l)
	}
	return o
}

// The manifest and the chart are one.
func TestChartMakesTheManifest(t *testing.T) {
	want := slices.DeleteFunc(manifest(t), func(o object) bool { return o["kind"] == "Namespace" })
	got := render(t)
	if len(got) != len(want) {
		t.Errorf("the chart makes %d objects, the manifest has %d", len(got), len(want))
	}
	for _, o := range want {
		kind := o["kind"].(string)
		ours := plain(find(t, got, kind))
		if !reflect.DeepEqual(ours, o) {
			a, _ := json.MarshalIndent(ours, "", " ")
			b, _ := json.MarshalIndent(o, "", " ")
			t.Errorf("%s: the chart makes\n%s\nand the manifest has\n%s", kind, a, b)
		}
	}
}

func TestChartPassesLint(t *testing.T) {
	if out, err := testserver.Helm(t, "lint", "--strict", chart); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// settings are values that a user may set, by what they are for.
var settings = map[string][]string{
	"etcd with a login": {
		"--set", "confd.backend=etcdv3", "--set", "confd.nodes={http://a:2379,http://b:2379}", "--set-string", "confd.options.prefix=/web",
		"--set", "confd.secretRefs.username.name=etcd", "--set", "confd.secretRefs.username.key=user", "--set-string", `confd.secretValues.password=a"b$(c)`,
		"--set-json", `globalHostTags={"env":"prod","zone":"x"}`,
	},
	"files of certificates": {
		"--set", "confd.backend=consul", "--set", "confd.nodes={a:8501}", "--set", "confd.secretFiles={consul-tls}",
		"--set", "confd.options.client_ca_keys=/etc/datakit/consul-tls/ca.crt", "--set", "confd.options.circle_interval=3600",
	},
	"no store": {"--set", "confd.backend="},
	"Secrets as configuration, in another namespace": {
		"--set", "confd.kubernetes.secrets=true", "--set", "confd.options.confd_namespace=web", "--set", "fullnameOverride=agent",
	},
	"a first configuration": {
		"--set-json", `config={"confd":{"cpu.conf":"[[inputs.cpu]]\n  percpu = true\n"},"pipeline/custom_object":{"a.p":"x = 1"}}`,
	},
	"its own network": {
		"--set", "hostNetwork=false", "--set", "http.listen=0.0.0.0:9529", "--set", "hostMounts=false", "--set", "workDir.hostPath=/var/lib/datakit",
		"--set", "image.digest=sha256:" + strings.Repeat("0a", 32), "--set", "dataway.existingSecret=gate", "--set", "dataway.key=address", "--set", "serviceAccount.create=false",
	},
	"a dataway": {"--set", "dataway.url=https://gate.example.com?token=t", "--set-json", `podAnnotations={"a":"b"}`, "--set", "priorityClassName=system-node-critical"},
}

// With every setting the objects are valid, and the agent takes its variables.
func TestChartWithSettings(t *testing.T) {
	j := newJudge(t)
	for name, args := range settings {
		t.Run(name, func(t *testing.T) {
			list := render(t, args...)
			for _, o := range list {
				if err := j.check(o); err != nil {
					t.Errorf("%v: %v", o["kind"], err)
				}
			}
			env := environment(t, list)
			checkEnvironment(t, env)
			m, problems, _ := config.ParseMain("", env, agentParts())
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			if want := env["ENV_CONFD_BACKEND"]; want != "" && (len(m.Stores) != 1 || m.Stores[0].Backend.Name != want) {
				t.Errorf("stores %+v", m.Stores)
			}
			for _, secret := range []string{`a"b$(c)`, "token=t"} {
				text, _ := json.Marshal(find(t, list, "DaemonSet"))
				if strings.Contains(string(text), strings.ReplaceAll(secret, `"`, `\"`)) {
					t.Errorf("the DaemonSet shows %s", secret)
				}
			}
			_, pod := container(t, list)
			inCluster := env["ENV_CONFD_BACKEND"] == "kubernetes"
			if pod["automountServiceAccountToken"] != inCluster {
				t.Errorf("automountServiceAccountToken is %v", pod["automountServiceAccountToken"])
			}
			if hasRole := slices.ContainsFunc(list, func(o object) bool { return o["kind"] == "Role" }); hasRole != inCluster {
				t.Errorf("there is a Role: %v", hasRole)
			}
		})
	}
}

func TestWrongValuesAreRefused(t *testing.T) {
	for _, set := range []string{
		"confd.options.nope=1", "confd.options.password=x", "confd.backend=mysql", "confd.secretRefs.password.name=x", "logLevel=loud", "http.listen=9529",
		"image.digest=latest", "nonsense=1", "workDir.hostPath=relative", "dataway.url=ftp://x",
	} {
		if out, err := testserver.Helm(t, "template", "datakit", chart, "--set", set); err == nil || !strings.Contains(out, "values don't meet") {
			t.Errorf("%s: %v: %.300s", set, err, out)
		}
	}
}

// A real API server takes all of it, and its rules let the agent's account do what
// the agent does, and no more.
func TestClusterTakesTheObjects(t *testing.T) {
	k := testserver.StartKubernetes(t)
	text, err := os.ReadFile("datakit.yaml")
	if err != nil {
		t.Fatal(err)
	}
	k.Namespace(t, "datakit")
	k.Kubectl(t, string(text), "apply", "--dry-run=server", "--validate=strict", "-f", "-")
	for name, args := range settings {
		namespaced := append([]string{"template", "datakit", chart, "--namespace", "datakit"}, args...)
		out, err := testserver.Helm(t, namespaced...)
		if err != nil {
			t.Fatalf("%s: %v: %s", name, err, out)
		}
		k.Namespace(t, "web")
		k.Kubectl(t, out, "apply", "--dry-run=server", "--validate=strict", "-f", "-")
	}
	k.Kubectl(t, string(text), "apply", "--validate=strict", "-f", "-")
	for question, want := range map[string]bool{
		"list configmaps datakit": true, "watch configmaps datakit": true, "list secrets datakit": false, "list configmaps default": false,
		"create configmaps datakit": false, "get nodes datakit": false, "create pods datakit": false,
	} {
		q := strings.Fields(question)
		if got := k.May(t, "system:serviceaccount:datakit:datakit", q[0], q[1], q[2]); got != want {
			t.Errorf("may the agent %s? %v", question, got)
		}
	}
}
