package install

import (
	"testing"

	"datakit.dev/internal/config"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// parts is a build with small backends and one input: what datakit.conf is
// checked against does not matter for how it is edited.
func parts() config.Parts {
	field := func(name string, t spec.Type) spec.Field {
		return spec.Field{Name: name, Type: t, Doc: "x.", DocZH: "x。"}
	}
	var backends []store.Backend
	for _, name := range []string{"etcdv3", "redis", "file"} {
		backends = append(backends, store.Backend{Name: name, Spec: spec.Schema{Fields: store.Fields()}})
	}
	backends[0].Aliases = []string{"etcd"}
	return config.Parts{
		Backends: backends, Catalog: config.NewCatalog(nil),
		Dataway: []spec.Field{field("urls", spec.Strings), field("gzip", spec.Bool)},
		IO:      []spec.Field{field("output_file", spec.String)},
	}
}

// read reads settings from an environment: pairs of name and value.
func read(t *testing.T, pairs ...string) Settings {
	t.Helper()
	s, err := Read(nil, environment(pairs))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func environment(pairs []string) map[string]string {
	env := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		env["DK_"+pairs[i]] = pairs[i+1]
	}
	return env
}
