package env

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/point"
	"datakit.dev/internal/store"
)

func TestKeysOfVariables(t *testing.T) {
	const input = "[[inputs.cpu]]\n"
	for name, c := range map[string]struct{ variable, want string }{
		"an input":                        {"DATAKIT_CONFD_CPU=" + input, "confd/cpu"},
		"a name of several words":         {"DATAKIT_CONFD_NVIDIA_SMI=x", "confd/nvidia_smi"},
		"a dot, as containers allow":      {"DATAKIT_CONFD_CPU.CONF=x", "confd/cpu.conf"},
		"an empty value":                  {"DATAKIT_CONFD_CPU=", "confd/cpu"},
		"a value with equals signs":       {"DATAKIT_CONFD_CPU=a=b=c", "confd/cpu"},
		"no name":                         {"DATAKIT_CONFD_=x", ""},
		"the folder itself":               {"DATAKIT_CONFD=" + input, ""},
		"a script":                        {"DATAKIT_PIPELINE_METRIC_CPU_P=x", "pipeline/metric/cpu.p"},
		"a script with a real dot":        {"DATAKIT_PIPELINE_METRIC_CPU.P=x", "pipeline/metric/cpu.p"},
		"a script of several words":       {"DATAKIT_PIPELINE_LOGGING_NGINX_ACCESS_P=x", "pipeline/logging/nginx_access.p"},
		"a category of two words":         {"DATAKIT_PIPELINE_CUSTOM_OBJECT_HOST_P=x", "pipeline/custom_object/host.p"},
		"a category beside that":          {"DATAKIT_PIPELINE_OBJECT_HOST_P=x", "pipeline/object/host.p"},
		"a script without its ending":     {"DATAKIT_PIPELINE_METRIC_CPU=x", "pipeline/metric/cpu"},
		"a script that is named p":        {"DATAKIT_PIPELINE_METRIC_P=x", "pipeline/metric/p"},
		"an unknown category":             {"DATAKIT_PIPELINE_METRICS_CPU_P=x", "pipeline/metrics_cpu_p"},
		"a category without a script":     {"DATAKIT_PIPELINE_METRIC=x", "pipeline/metric"},
		"the folder of scripts":           {"DATAKIT_PIPELINE=" + input, ""},
		"one part with an input":          {"DATAKIT_CPU=" + input, "cpu"},
		"one part with an indented one":   {"DATAKIT_CPU=# mine\n  [inputs.cpu]", "cpu"},
		"one part in backticks":           {"DATAKIT_CPU=\ufeff`\n[[ inputs.cpu ]]`", "cpu"},
		"somebody's folder":               {"DATAKIT_HOME=/usr/local/datakit", ""},
		"somebody's switch":               {"DATAKIT_DEBUG=1", ""},
		"somebody's text":                 {"DATAKIT_NOTE=see [[inputs.cpu]]", ""},
		"the prefix alone":                {"DATAKIT_=" + input, ""},
		"lower case":                      {"DATAKIT_CONFD_cpu=" + input, ""},
		"a prefix in lower case":          {"datakit_confd_cpu=" + input, ""},
		"our options in a container":      {"ENV_CONFD_BACKEND=env", ""},
		"the installer's":                 {"DK_CONFD_BACKEND=env", ""},
		"a name that only begins like it": {"DATAKITCONFD_CPU=" + input, ""},
		"a control character":             {"DATAKIT_CONFD_A\nB=x", ""},
		"no UTF-8":                        {"DATAKIT_CONFD_\xff=x", ""},
		"a way out":                       {"DATAKIT_CONFD_../X=x", ""},
		"a variable without a value":      {"DATAKIT_CONFD_CPU", "confd/cpu"},
	} {
		t.Run(name, func(t *testing.T) {
			got := slices.Collect(maps.Keys(keys("DATAKIT_", []string{c.variable}, false)))
			if strings.Join(got, " ") != c.want {
				t.Errorf("%.60q is %q, want %q", c.variable, got, c.want)
			}
		})
	}
}

func TestWindowsTakesAnyCase(t *testing.T) {
	got := keys("DATAKIT_", []string{"Datakit_Confd_Cpu=1", "DATAKIT_CONFD_CPU=0"}, true)
	if want := map[string]string{"confd/cpu": "0"}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Two variables for one key: the same one counts at every start.
func TestTwoVariablesForOneKey(t *testing.T) {
	for _, environ := range [][]string{
		{"DATAKIT_PIPELINE_METRIC_CPU_P=second", "DATAKIT_PIPELINE_METRIC_CPU.P=first"},
		{"DATAKIT_PIPELINE_METRIC_CPU.P=first", "DATAKIT_PIPELINE_METRIC_CPU_P=second"},
	} {
		if got := keys("DATAKIT_", environ, false); len(got) != 1 || got["pipeline/metric/cpu.p"] != "first" {
			t.Errorf("%v", got)
		}
	}
}

// Whatever key made of simple names is written as a variable is read back.
func TestVariableOfAnyKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z0-9]{1,8}(_[a-z0-9]{1,8}){0,3}`).Draw(t, "name")
		key := "confd/" + name
		if rapid.Bool().Draw(t, "script") {
			category := rapid.SampledFrom(point.Categories()).Draw(t, "category")
			key = "pipeline/" + string(category) + "/" + name + ".p"
		}
		prefix, err := variableOf("/datakit")
		if err != nil {
			t.Fatal(err)
		}
		variable := prefix + strings.ToUpper(strings.NewReplacer("/", "_", ".", "_").Replace(key))
		if got := keys(prefix, []string{variable + "=v"}, false); len(got) != 1 || got[key] != "v" {
			t.Fatalf("%s is %v, want %s", variable, got, key)
		}
	})
}

// Whatever is in the environment, what is taken for a key is one.
func FuzzKeys(f *testing.F) {
	for _, v := range []string{"DATAKIT_CONFD_A=1", "DATAKIT_PIPELINE_METRIC_A_P=1", "DATAKIT_X=[[inputs.a]]", "DATAKIT_CONFD_../A=1", "DATAKIT_\x00=[inputs.a]", "="} {
		f.Add(v, true)
	}
	f.Fuzz(func(t *testing.T, variable string, anyCase bool) {
		_, value, _ := strings.Cut(variable, "=")
		for key, got := range keys("DATAKIT_", []string{variable}, anyCase) {
			if err := store.CheckKey(key); err != nil || got != value {
				t.Errorf("%q is the key %q (%v) with %q", variable, key, err, got)
			}
		}
	})
}
