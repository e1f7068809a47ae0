package fn

// A FuncDescription is a function as a program reads it: an editor that completes
// and explains.
type FuncDescription struct {
	Name      string      `json:"name"`
	Signature string      `json:"signature"` // [x] may be left out, x= goes by name, x… is any number
	Result    string      `json:"result,omitempty"`
	Params    []Parameter `json:"params"`
	Doc       string      `json:"doc"`
	DocZH     string      `json:"doc_zh"`
	Examples  []string    `json:"examples"` // scripts, with the point before and after in comments
}

// A Parameter is one parameter of a described function.
type Parameter struct {
	Name     string `json:"name"`
	Types    string `json:"types"` // "any", or kinds with | between them
	Optional bool   `json:"optional,omitempty"`
	Named    bool   `json:"named,omitempty"`
	Rest     bool   `json:"rest,omitempty"`
}

// Describe returns the description of every function, by name.
func (t Table) Describe() []FuncDescription {
	out := make([]FuncDescription, 0, len(t.funcs))
	for _, name := range t.Names() {
		f := t.funcs[name]
		d := FuncDescription{
			Name: f.Name, Signature: f.Signature(), Result: f.Result, Params: make([]Parameter, len(f.Params)),
			Doc: f.Doc.En, DocZH: f.Doc.Zh, Examples: make([]string, len(f.Examples)),
		}
		for i, p := range f.Params {
			d.Params[i] = Parameter{p.Name, p.Types.String(), p.Optional, p.Named, p.Rest}
		}
		for i, e := range f.Examples {
			d.Examples[i] = e.Explain()
		}
		out = append(out, d)
	}
	return out
}
