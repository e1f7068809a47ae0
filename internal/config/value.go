package config

import (
	"fmt"
	"strings"
	"time"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/input"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// An Instance is one [[inputs.NAME]] table, decoded: what a unit starts with.
type Instance struct {
	Plugin   input.Plugin
	Values   spec.Values
	Interval time.Duration
	Tags     map[string]string
	hash     string
	fixed    string
}

// maxTables bounds the inputs of one value: a megabyte of headers must not start
// thirty thousand collectors.
const maxTables = 1000

// newInstance returns the instance of plugin k with values v.
func newInstance(k *kind, v spec.Values) *Instance {
	live := input.LiveFields()
	return &Instance{
		Plugin: k.plugin, Values: v,
		Interval: v.Duration(input.IntervalField), Tags: v.Map(input.TagsField),
		hash:  k.plugin.Name + ":" + v.Hash(),
		fixed: k.plugin.Name + ":" + v.Hash(live...),
	}
}

// Normalize returns the text that a value stands for: without a byte-order
// mark, carriage returns, and one pair of backticks around it. The text keeps
// its line numbers.
func Normalize(value string) string {
	text := strings.TrimPrefix(value, "\ufeff")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	trimmed := strings.TrimSpace(text)
	if len(trimmed) < 2 || trimmed[0] != '`' || trimmed[len(trimmed)-1] != '`' {
		return text
	}
	open, shut := strings.IndexByte(text, '`'), strings.LastIndexByte(text, '`')
	inner := strings.TrimPrefix(text[open+1:shut], "\ufeff")
	// A blank in the opening backtick's place keeps the columns of its line.
	return text[:open] + " " + inner
}

// parseValue decodes the inputs of one value. It is taken whole or not at all:
// with any diagnostic there are no instances.
func (c *Catalog) parseValue(e store.Entry) ([]*Instance, diag.List) {
	if e.TooLarge > 0 {
		return nil, diag.List{{Message: fmt.Sprintf("the value has %d bytes, at most %d are taken", e.TooLarge, store.MaxValue)}}
	}
	text := Normalize(e.Value)
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	root, list := spec.Parse(text)
	if list != nil {
		return nil, c.show(list, text)
	}
	var out []*Instance
	for _, k := range root.Keys {
		if k.Name != "inputs" || !k.Node.IsTable() {
			list.Add(k.Pos, "expected [[inputs.NAME]] tables, got %q", clip(k.Name))
			continue
		}
		for _, in := range k.Node.Keys {
			out = append(out, c.tables(in, &list)...)
		}
	}
	if len(out) > maxTables {
		list.Add(diag.Position{}, "the value holds %d tables, at most %d are taken", len(out), maxTables)
	}
	if len(list) > 0 {
		return nil, c.show(list, text)
	}
	return out, nil
}

// maxDiagnostics bounds what is told of one text: a hostile megabyte holds a
// hundred thousand mistakes, and each costs a search for its line.
const maxDiagnostics = 20

// show bounds list and gives each diagnostic the line of text that it is about.
func (c *Catalog) show(list diag.List, text string) diag.List {
	if more := len(list) - maxDiagnostics; more > 0 {
		list = list[:maxDiagnostics]
		list.Add(diag.Position{}, "and %d more", more)
	}
	for i := range list {
		if list[i].Pos.Line > 0 {
			list[i].Snippet = spec.RedactLine(diag.Line(text, list[i].Pos.Line), c.secrets...)
		}
	}
	return list
}

// tables decodes every table of one name.
func (c *Catalog) tables(in spec.Key, list *diag.List) []*Instance {
	k, ok := c.plugins[in.Name]
	if !ok {
		list.Add(in.Pos, "unknown input %q; there is %s", clip(in.Name), c.similar(in.Name))
		return nil
	}
	nodes := in.Node.Items
	if in.Node.IsTable() { // [inputs.cpu] is taken as one instance
		nodes = []spec.Node{*in.Node}
	} else if !in.Node.IsArray() {
		list.Add(in.Pos, "expected [[inputs.%s]], got %s", in.Name, in.Node.Describe())
	}
	var out []*Instance
	for i := range nodes {
		if !nodes[i].IsTable() {
			list.Add(nodes[i].Pos, "expected [[inputs.%s]], got %s", in.Name, nodes[i].Describe())
			continue
		}
		v, bad := k.schema.Decode(&nodes[i])
		*list = append(*list, bad...)
		out = append(out, newInstance(k, v))
	}
	return out
}

// clip bounds a name that goes into an error.
func clip(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}

// Make implements the job of a unit: it returns a new instance of the plugin.
func (in *Instance) Make(env input.Env) (input.Gatherer, input.Runner, error) {
	if in.Plugin.NewRunner != nil {
		r, err := in.Plugin.NewRunner(env, in.Values)
		return nil, r, err
	}
	g, err := in.Plugin.NewGatherer(env, in.Values)
	return g, nil, err
}

// Baseline reports whether the first collection only takes a sample.
func (in *Instance) Baseline() bool { return in.Plugin.Baseline }

// Pace returns the time between two collections.
func (in *Instance) Pace() time.Duration { return in.Interval }

// Labels returns the tags of the instance's points.
func (in *Instance) Labels() map[string]string { return in.Tags }
