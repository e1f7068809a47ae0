// Package app is the composition root: the one place that knows every plugin,
// builds the agent from its rooms, and lets it go when it is told to.
package app

import (
	"slices"

	"datakit.dev/internal/config"
	funcs "datakit.dev/internal/funcs/all"
	"datakit.dev/internal/input"
	inputs "datakit.dev/internal/inputs/all"
	"datakit.dev/internal/output"
	outputs "datakit.dev/internal/outputs/all"
	"datakit.dev/internal/pipeline/fn"
	stores "datakit.dev/internal/stores/all"
)

// parts returns what this build is made of.
func parts() config.Parts {
	plugins := map[string]output.Plugin{}
	for _, p := range outputs.All() {
		plugins[p.Name] = p
	}
	return config.Parts{
		Backends: stores.All(),
		Catalog:  config.NewCatalog(catalog()),
		IO:       plugins[fileOutput].Spec.Fields,
		Dataway:  plugins[datawayOutput].Spec.Fields,
	}
}

func catalog() []input.Plugin { return inputs.All() }

// functions returns what scripts may call.
func functions() fn.Table {
	t, err := funcs.Table()
	if err != nil {
		panic(err) // two functions of one name: no test passes then
	}
	return t
}

// The outputs that datakit.conf configures.
const (
	fileOutput    = "file"
	datawayOutput = "dataway"
)

func outputPlugin(name string) (output.Plugin, bool) {
	all := outputs.All()
	i := slices.IndexFunc(all, func(p output.Plugin) bool { return p.Name == name })
	if i < 0 {
		return output.Plugin{}, false
	}
	return all[i], true
}
