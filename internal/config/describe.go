package config

import "datakit.dev/internal/spec"

// A InputDescription is an input as a program reads it: an editor that completes,
// explains and begins with a sample.
type InputDescription struct {
	Name      string                  `json:"name"`
	Aliases   []string                `json:"aliases,omitempty"`
	Singleton bool                    `json:"singleton,omitempty"` // of several instances only the first runs
	Doc       string                  `json:"doc"`
	DocZH     string                  `json:"doc_zh"`
	Fields    []spec.FieldDescription `json:"fields"`
	Sample    string                  `json:"sample"` // a value with every field, commented out
}

// Describe returns the description of every input, by name.
func (c *Catalog) Describe() []InputDescription {
	out := make([]InputDescription, len(c.names))
	for i, name := range c.names {
		k := c.plugins[name]
		out[i] = InputDescription{
			Name: name, Aliases: k.plugin.Aliases, Singleton: k.plugin.Singleton, Doc: k.plugin.Doc, DocZH: k.plugin.DocZH,
			Fields: k.schema.Describe(), Sample: k.schema.Sample(),
		}
	}
	return out
}
