package app

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// consoleTypes is what the pages of the console know of our answers.
const consoleTypes = "../../web/src/api/types.ts"

// The pages are compiled against what the routes say: one that reads a field which
// is no longer there does not build.
func TestReferenceOfTheConsoleIsCurrent(t *testing.T) {
	want := typeScript(openAPI(t))
	if *update {
		if err := os.WriteFile(consoleTypes, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if have, err := os.ReadFile(consoleTypes); err != nil || string(have) != want {
		t.Errorf("%s is not current: run `make docs` (%v)", consoleTypes, err)
	}
}

// description is what we read of the OpenAPI document.
type description struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	Summary     string            `json:"summary"`
	RequestBody body              `json:"requestBody"`
	Responses   map[string]body   `json:"responses"`
	Events      map[string]schema `json:"x-events"`
}

type body struct {
	Content map[string]struct {
		Schema schema `json:"schema"`
	} `json:"content"`
}

type schema struct {
	Ref        string            `json:"$ref"`
	Type       string            `json:"type"`
	Enum       []string          `json:"enum"`
	AnyOf      []schema          `json:"anyOf"`
	Items      *schema           `json:"items"`
	Properties map[string]schema `json:"properties"`
	Required   []string          `json:"required"`
	Additional json.RawMessage   `json:"additionalProperties"`
}

func openAPI(t *testing.T) (d description) {
	t.Helper()
	rec := httptest.NewRecorder()
	server().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "http://localhost/v1/openapi.json", http.NoBody))
	if err := json.Unmarshal(rec.Body.Bytes(), &d); err != nil || len(d.Paths) == 0 {
		t.Fatalf("%d paths, %v", len(d.Paths), err)
	}
	return d
}

// typeScript writes the types of a description: one for each schema, one for the
// calls, and one for the events.
func typeScript(d description) string {
	var b strings.Builder
	b.WriteString("// Generated from the agent's description of its routes by `make docs`: do not edit.\n")
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		fmt.Fprintf(&b, "\nexport interface %s %s\n", name, d.Components.Schemas[name].fields(""))
	}
	b.WriteString("\n/** What each route takes and answers. */\nexport interface Calls {\n")
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			o := d.Paths[path][method]
			fmt.Fprintf(&b, "  /** %s */\n  %q: { body: %s; answer: %s };\n", o.Summary, strings.ToUpper(method)+" "+path,
				o.RequestBody.typeScript("never"), o.Responses["200"].typeScript("unknown"))
		}
	}
	b.WriteString("}\n\n/** The data of each event. */\nexport interface Events {\n")
	events := d.Paths["/v1/events"]["get"].Events
	for _, name := range slices.Sorted(maps.Keys(events)) {
		fmt.Fprintf(&b, "  %s: %s;\n", name, events[name].typeScript("  "))
	}
	b.WriteString("}\n")
	return b.String()
}

func (b body) typeScript(none string) string {
	for _, media := range slices.Sorted(maps.Keys(b.Content)) {
		return b.Content[media].Schema.typeScript("  ")
	}
	return none
}

func (s schema) typeScript(indent string) string {
	switch {
	case s.Ref != "":
		return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
	case len(s.Enum) > 0:
		quoted := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			quoted[i] = strconv.Quote(v)
		}
		return strings.Join(quoted, " | ")
	case len(s.AnyOf) > 0:
		parts := make([]string, len(s.AnyOf))
		for i, v := range s.AnyOf {
			parts[i] = v.typeScript(indent)
		}
		return strings.Join(parts, " | ")
	case s.Items != nil && (len(s.Items.AnyOf) > 0 || len(s.Items.Enum) > 0):
		return "(" + s.Items.typeScript(indent) + ")[]"
	case s.Items != nil:
		return s.Items.typeScript(indent) + "[]"
	case s.Properties != nil:
		return s.fields(indent)
	case s.Type == "object":
		var values schema
		if json.Unmarshal(s.Additional, &values) != nil {
			return "Record<string, unknown>"
		}
		return "Record<string, " + values.typeScript(indent) + ">"
	case s.Type == "integer":
		return "number"
	}
	return cmp.Or(s.Type, "unknown")
}

func (s schema) fields(indent string) string {
	var b strings.Builder
	b.WriteString("{\n")
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		optional := "?"
		if slices.Contains(s.Required, name) {
			optional = ""
		}
		fmt.Fprintf(&b, "%s  %s%s: %s;\n", indent, name, optional, s.Properties[name].typeScript(indent+"  "))
	}
	b.WriteString(indent + "}")
	return b.String()
}
