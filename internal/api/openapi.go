package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"datakit.dev/internal/status"
)

// object is one JSON object of the document.
type object = map[string]any

func (s *Server) openapi(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, document(s.table(), s.opts.Agent.Info().Version))
}

// document returns the OpenAPI 3.1 description of routes. Its schemas come from
// the Go types that the handlers encode.
func document(routes []Route, version string) object {
	c := schemas{defs: object{}}
	paths := object{}
	for _, r := range routes {
		path := strings.ReplaceAll(r.Path, "...}", "}")
		item, ok := paths[path].(object)
		if !ok {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(r.Method)] = c.operation(r)
	}
	return object{
		"openapi": "3.1.0",
		"info": object{
			"title": "DataKit agent", "version": version, "license": object{"name": "MIT", "identifier": "MIT"},
			"description": "The HTTP interface of one agent.",
		},
		"servers": []object{{"url": "/"}},
		"paths":   paths,
		"components": object{
			"schemas": c.defs,
			"securitySchemes": object{
				"token":   object{"type": "http", "scheme": "bearer", "description": "The token of `datakit console token`."},
				"session": object{"type": "apiKey", "in": "cookie", "name": sessionCookie, "description": "What POST /v1/console/login sets."},
			},
		},
	}
}

// operation describes one route.
func (c *schemas) operation(r Route) object {
	code := r.Code
	if code == 0 {
		code = http.StatusOK
	}
	out := object{
		"operationId": operationID(r), "summary": r.Summary, "x-access": r.Access,
		"responses": c.responses(r, code),
	}
	if r.Access != Anyone {
		out["security"] = []object{{}, {"token": []string{}}, {"session": []string{}}} // {}: from this machine
	}
	if len(r.Params) > 0 {
		params := make([]object, len(r.Params))
		for i, p := range r.Params {
			schema := object{"type": p.Type}
			if p.Allowed != nil {
				schema["enum"] = p.Allowed
			}
			params[i] = object{"name": p.Name, "in": p.In, "required": p.Required, "description": p.Doc, "schema": schema}
		}
		out["parameters"] = params
	}
	if len(r.Events) > 0 {
		events := object{}
		for _, e := range r.Events {
			events[e.Name] = c.of(reflect.TypeOf(e.Of))
		}
		out["x-events"] = events
	}
	if r.Body != (Body{}) {
		out["requestBody"] = object{"required": true, "content": c.content(r.Body)}
	}
	return out
}

func (c *schemas) responses(r Route, code int) object {
	out := object{strconv.Itoa(code): object{"description": "Done.", "content": c.content(r.Answer)}}
	for _, e := range r.Failures() {
		key := strconv.Itoa(e.Code)
		text := "`datakit." + e.Name + "`: " + e.Doc + "."
		if have, ok := out[key].(object); ok {
			have["description"] = fmt.Sprint(have["description"], " ", text)
			continue
		}
		out[key] = object{"description": text, "content": c.content(Body{Of: failure{}})}
	}
	if !r.direct {
		out["default"] = object{"description": "Any other error.", "content": c.content(Body{Of: failure{}})}
	}
	return out
}

func (c *schemas) content(b Body) object {
	if b.Of == nil {
		return object{b.Type: object{"schema": object{"type": "string"}}}
	}
	return object{"application/json": object{"schema": c.of(reflect.TypeOf(b.Of))}}
}

// operationID makes a name of a route: getKeysStoreKey.
func operationID(r Route) string {
	var b strings.Builder
	b.WriteString(strings.ToLower(r.Method))
	for part := range strings.FieldsFuncSeq(strings.TrimPrefix(r.Path, "/v1"), func(c rune) bool { return strings.ContainsRune("/{}._", c) }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// schemas makes JSON Schemas of Go types, each named type once.
type schemas struct{ defs object }

// of returns the schema of what encoding/json makes of t.
func (c *schemas) of(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[status.Time]():
		return object{"type": "string", "description": "RFC 3339 in UTC; empty where it has not come yet."}
	case reflect.TypeFor[json.RawMessage]():
		return object{}
	}
	if values := valuesOf(t); values != nil {
		return object{"type": "string", "enum": values}
	}
	switch t.Kind() { //nolint:exhaustive // no answer holds a channel or a function
	case reflect.Pointer:
		return object{"anyOf": []object{c.of(t.Elem()), {"type": "null"}}}
	case reflect.Struct:
		return c.named(t)
	case reflect.Slice, reflect.Array:
		return object{"type": "array", "items": c.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": c.of(t.Elem())}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Interface:
		return object{}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer", "minimum": 0}
	}
	return object{"type": "integer"}
}

// named returns a reference to the schema of a struct, and makes it the first time.
func (c *schemas) named(t reflect.Type) object {
	name := schemaName(t)
	ref := object{"$ref": "#/components/schemas/" + name}
	if _, ok := c.defs[name]; ok {
		return ref
	}
	out := object{"type": "object", "additionalProperties": false}
	c.defs[name] = out // first: a type may hold itself
	properties, required := object{}, []string{}
	c.fields(t, properties, &required)
	out["properties"] = properties
	if len(required) > 0 {
		out["required"] = required
	}
	return ref
}

func (c *schemas) fields(t reflect.Type, properties object, required *[]string) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			c.fields(f.Type, properties, required)
			continue
		case name == "-" || !f.IsExported():
			continue
		case name == "":
			name = f.Name
		}
		properties[name] = c.of(f.Type)
		if !strings.Contains(options, "omit") {
			*required = append(*required, name)
		}
	}
}

// schemaName names a type: "Status", "PongAnswer" for contentOf[pong].
func schemaName(t reflect.Type) string {
	name := t.Name()
	if inner, ok := strings.CutPrefix(name, "contentOf["); ok {
		inner = strings.TrimSuffix(inner[strings.LastIndexByte(inner, '.')+1:], "]")
		name = inner + "Answer"
	}
	return strings.ToUpper(name[:1]) + name[1:]
}
