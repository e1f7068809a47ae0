package kubernetes

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"datakit.dev/internal/testserver"
)

var update = flag.Bool("update", false, "write testdata/schema.json as the API server publishes it")

const schemaFile = "testdata/schema.json"

// kinds are the objects that a cluster is asked to make, and where the API server
// describes them.
var kinds = map[string]string{
	"io.k8s.api.core.v1.Namespace": "api/v1", "io.k8s.api.core.v1.ServiceAccount": "api/v1",
	"io.k8s.api.core.v1.ConfigMap": "api/v1", "io.k8s.api.core.v1.Secret": "api/v1",
	"io.k8s.api.rbac.v1.Role": "apis/rbac.authorization.k8s.io/v1", "io.k8s.api.rbac.v1.RoleBinding": "apis/rbac.authorization.k8s.io/v1",
	"io.k8s.api.apps.v1.DaemonSet": "apis/apps/v1",
}

// An object is a manifest as YAML gives it.
type object = map[string]any

// schemaOf makes a strict JSON schema of the API description that get returns: an
// unknown field is an error, as it is a mistake in a manifest.
func schemaOf(t *testing.T, get func(path string) []byte) object {
	t.Helper()
	all := object{}
	for _, path := range slices.Compact(slices.Sorted(maps.Values(kinds))) {
		var d struct {
			Components struct{ Schemas object }
		}
		if err := json.Unmarshal(get("/openapi/v3/"+path), &d); err != nil {
			t.Fatal(err)
		}
		maps.Copy(all, d.Components.Schemas)
	}
	defs := object{}
	var take func(name string)
	var tidy func(v any) any
	tidy = func(v any) any {
		switch v := v.(type) {
		case []any:
			for i := range v {
				v[i] = tidy(v[i])
			}
			return v
		case object:
			out := object{}
			for key, value := range v {
				switch {
				case key == "properties":
					fields := object{}
					for name, field := range value.(object) {
						fields[name] = tidy(field)
					}
					out[key] = fields
					out["additionalProperties"] = false
				case key == "$ref":
					name := strings.TrimPrefix(value.(string), "#/components/schemas/")
					take(name)
					out[key] = "#/$defs/" + name
				case key == "description", key == "default", key == "format", strings.HasPrefix(key, "x-kubernetes-"):
				default:
					out[key] = tidy(value)
				}
			}
			return out
		}
		return v
	}
	take = func(name string) {
		if _, ok := defs[name]; ok {
			return
		}
		defs[name] = true // stands for itself while it is taken apart
		def, ok := all[name]
		if !ok {
			t.Fatalf("the API server does not describe %s", name)
		}
		defs[name] = tidy(def)
	}
	for name := range kinds {
		take(name)
	}
	return object{"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": defs}
}

// In `make test-all` the schemas are held against those that a real API server
// publishes; -update writes them.
func TestSchemasAreThosePublished(t *testing.T) {
	k := testserver.StartKubernetes(t)
	text, err := json.Marshal(schemaOf(t, func(path string) []byte { return k.Get(t, path) }))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaFile, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var have, want any
	stored, err := os.ReadFile(schemaFile)
	if err = errors.Join(err, json.Unmarshal(stored, &have), json.Unmarshal(text, &want)); err != nil || !reflect.DeepEqual(have, want) {
		t.Errorf("%s is not what the API server publishes: run this test with -update (%v)", schemaFile, err)
	}
}

// A judge validates manifests.
type judge struct{ compiler *jsonschema.Compiler }

func newJudge(t *testing.T) judge {
	t.Helper()
	f, err := os.Open(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	c := jsonschema.NewCompiler()
	if err = errors.Join(err, c.AddResource("kubernetes.json", doc)); err != nil {
		t.Fatal(err)
	}
	return judge{c}
}

// check returns what is wrong with o.
func (j judge) check(o object) error {
	kind := fmt.Sprint(o["kind"])
	name := ""
	for n := range kinds {
		if strings.HasSuffix(n, "."+kind) {
			name = n
		}
	}
	if name == "" {
		return fmt.Errorf("no schema for kind %s", kind)
	}
	s, err := j.compiler.Compile("kubernetes.json#/$defs/" + name)
	if err != nil {
		return err
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return s.Validate(value)
}

// documents returns the objects of a YAML text.
func documents(t *testing.T, text string) (out []object) {
	t.Helper()
	for d := yaml.NewDecoder(strings.NewReader(text)); ; {
		var o object
		switch err := d.Decode(&o); {
		case errors.Is(err, io.EOF):
			return out
		case err != nil:
			t.Fatalf("%v in:\n%s", err, text)
		case len(o) > 0:
			out = append(out, o)
		}
	}
}
