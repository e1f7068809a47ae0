package spec

// A FieldDescription is a field as a program reads it: an editor that completes and
// explains. Values are written as in TOML.
type FieldDescription struct {
	Name     string             `json:"name"`
	Type     string             `json:"type"`
	Unit     string             `json:"unit,omitempty"`
	Default  string             `json:"default,omitempty"`
	Example  string             `json:"example,omitempty"`
	Min      string             `json:"min,omitempty"`
	Max      string             `json:"max,omitempty"`
	Allowed  []string           `json:"allowed,omitempty"` // texts, without quotes
	Required bool               `json:"required,omitempty"`
	Live     bool               `json:"live,omitempty"` // takes effect in place
	Secret   bool               `json:"secret,omitempty"`
	Doc      string             `json:"doc"`
	DocZH    string             `json:"doc_zh"`
	Fields   []FieldDescription `json:"fields,omitempty"` // of a table, or of each of a list of tables
}

// Describe returns the descriptions of the fields of s, in their order.
func (s Schema) Describe() []FieldDescription { return describe(s.Fields) }

func describe(fields []Field) []FieldDescription {
	out := make([]FieldDescription, len(fields))
	for i, f := range fields {
		out[i] = FieldDescription{
			Name: f.Name, Type: f.Type.String(), Unit: f.Unit, Example: written(f.Example), Min: written(f.Min), Max: written(f.Max),
			Allowed: f.OneOf, Required: f.Required, Live: f.Live, Secret: f.Secret, Doc: f.Doc, DocZH: f.DocZH, Fields: describe(f.Fields),
		}
		if f.Type != Table && f.Type != Tables && !f.Secret {
			out[i].Default = written(f.Default)
		}
	}
	return out
}

func written(v any) string {
	if v == nil {
		return ""
	}
	return TOMLValue(v)
}
