package spec

import (
	"encoding/json"
	"fmt"
	"time"
)

// JSONSchema returns s as a JSON Schema (draft 2020-12) of the table's content,
// for editors and for the console's form.
func (s Schema) JSONSchema() ([]byte, error) {
	doc := objectSchema(s.Fields, s.Open)
	doc["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	doc["title"] = s.Name
	doc["description"] = s.Doc
	out, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("schema of [%s]: %w", s.Name, err)
	}
	return out, nil
}

func objectSchema(fields []Field, open bool) map[string]any {
	properties := make(map[string]any, len(fields))
	var required []string
	for _, f := range fields {
		properties[f.Name] = f.jsonSchema(open)
		if f.Required {
			required = append(required, f.Name)
		}
	}
	out := map[string]any{"type": "object", "properties": properties, "additionalProperties": open}
	if required != nil {
		out["required"] = required
	}
	return out
}

// durationPattern is what [ParseDuration] takes.
const durationPattern = `^[+-]?(\d+d)?((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))*$|^0$`

func (f Field) jsonSchema(open bool) map[string]any {
	var out map[string]any
	text := map[string]any{"type": "string"}
	switch f.Type {
	case Bool:
		out = map[string]any{"type": "boolean"}
	case Int:
		out = map[string]any{"type": "integer"}
	case Float:
		out = map[string]any{"type": "number"}
	case String:
		out = text
	case Duration:
		out = map[string]any{"type": "string", "pattern": durationPattern}
	case Strings:
		out = map[string]any{"oneOf": []any{text, map[string]any{"type": "array", "items": text}}}
	case StringMap:
		out = map[string]any{"type": "object", "additionalProperties": map[string]any{"type": []string{"string", "number", "boolean"}}}
	case Table:
		out = objectSchema(f.Fields, open)
	case Tables:
		out = map[string]any{"type": "array", "items": objectSchema(f.Fields, open)}
	}
	f.annotate(out)
	return out
}

// annotate adds what holds for a field of any type. A duration's bounds are not
// expressible: they compare as text.
func (f Field) annotate(out map[string]any) {
	out["description"] = f.Doc
	if f.Default != nil && !f.Secret {
		out["default"] = jsonValue(f.Default)
	}
	if f.Example != nil {
		out["examples"] = []any{jsonValue(f.Example)}
	}
	if f.OneOf != nil {
		out["enum"] = f.OneOf
	}
	if f.Secret {
		out["writeOnly"] = true
		out["format"] = "password"
	}
	if f.Type == Int || f.Type == Float {
		if f.Min != nil {
			out["minimum"] = f.Min
		}
		if f.Max != nil {
			out["maximum"] = f.Max
		}
	}
}

func jsonValue(v any) any {
	if d, ok := v.(time.Duration); ok {
		return formatDuration(d)
	}
	return v
}
