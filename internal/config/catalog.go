// Package config turns texts into what is desired: datakit.conf into settings,
// and conf.d with the stores' snapshots into units and diagnostics. It is pure:
// it reads no file, no environment and no clock, and starts nothing.
package config

import (
	"maps"
	"slices"
	"strings"

	"datakit.dev/internal/input"
	"datakit.dev/internal/spec"
)

// A Catalog finds inputs by the names that configuration uses.
type Catalog struct {
	plugins map[string]*kind
	names   []string
	secrets []string // names of the fields that no diagnostic may show
}

// kind is a plugin with its description, made once.
type kind struct {
	plugin input.Plugin
	schema spec.Schema
}

// NewCatalog returns a catalog of plugins.
func NewCatalog(plugins []input.Plugin) *Catalog {
	c := &Catalog{plugins: map[string]*kind{}}
	for _, p := range plugins {
		k := &kind{p, p.Schema()}
		for _, name := range append([]string{p.Name}, p.Aliases...) {
			c.plugins[name] = k
		}
		c.names = append(c.names, p.Name)
		c.secrets = append(c.secrets, k.schema.Secrets()...)
	}
	slices.Sort(c.names)
	return c
}

// Find returns the plugin that name or alias names.
func (c *Catalog) Find(name string) (input.Plugin, bool) {
	k, ok := c.plugins[name]
	if !ok {
		return input.Plugin{}, false
	}
	return k.plugin, true
}

// Redact hides what may be secret in one line of a value: see [spec.RedactLine].
func (c *Catalog) Redact(line string) string { return spec.RedactLine(line, c.secrets...) }

// Names returns the names of all plugins, sorted.
func (c *Catalog) Names() []string { return c.names }

// similar returns names that share the beginning of name, for an error.
func (c *Catalog) similar(name string) string {
	var near []string
	for _, n := range slices.Sorted(maps.Keys(c.plugins)) {
		if len(name) >= 2 && (strings.HasPrefix(n, name[:2]) || strings.Contains(n, name)) {
			near = append(near, n)
		}
	}
	if len(near) == 0 {
		near = c.names
	}
	return strings.Join(near, ", ")
}
