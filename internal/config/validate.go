package config

import (
	"fmt"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/point"
	"datakit.dev/internal/store"
)

// A ScriptCheck says what is wrong with a script.
type ScriptCheck func(category point.Category, name, text string) diag.List

// Validate says what an agent would refuse in value under key, below the root.
// A nil check takes every script.
func Validate(cat *Catalog, check ScriptCheck, key, value string) diag.List {
	if err := store.CheckPut(key, value); err != nil {
		return diag.List{{Message: err.Error()}}
	}
	kind, why := classify(key)
	switch kind {
	case notOurs, refusedKey:
		return diag.List{{Message: fmt.Sprintf("key %q: %s", clip(key), why)}}
	case scriptKey:
		if check == nil {
			return nil
		}
	case inputKey:
	}
	_, bad := decode(cat, check, Ref{}, store.Entry{Key: key, Value: value})
	if kind == scriptKey {
		return bad.In("", Normalize(value))
	}
	return bad // its snippets hide what is secret
}

// Instances returns the inputs that value asks for.
func (c *Catalog) Instances(value string) ([]*Instance, diag.List) {
	return c.parseValue(store.Entry{Value: value})
}
