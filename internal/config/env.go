package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// environment puts the ENV_ variables over m: a container has no file to edit.
func (p Parts) environment(env map[string]string, m *Main) (problems diag.List) {
	set := func(name string, put func(string)) {
		if v := strings.TrimSpace(env[name]); v != "" {
			put(v)
		}
	}
	set("ENV_HOSTNAME", func(v string) { m.Hostname = v })
	set("ENV_HTTP_LISTEN", func(v string) { m.Listen = v })
	set("ENV_LOG", func(v string) { m.LogPath = v })
	set("ENV_DEFAULT_ENABLED_INPUTS", func(v string) { m.Defaults = SplitList(v) })
	set("ENV_LOG_LEVEL", func(v string) {
		if !slices.Contains([]string{"debug", "info", "warn", "error"}, v) {
			problems = append(problems, diag.Diagnostic{Origin: "ENV_LOG_LEVEL", Message: fmt.Sprintf("expected debug, info, warn or error, got %q", clip(v))})
			return
		}
		m.LogLevel = v
	})
	set("ENV_DATAWAY", func(v string) {
		m.Dataway = maps.Clone(m.Dataway)
		m.Dataway["urls"] = SplitList(v)
	})
	set("ENV_GLOBAL_HOST_TAGS", func(v string) {
		tags, err := SplitTags(v)
		if err != nil {
			problems = append(problems, diag.Diagnostic{Origin: "ENV_GLOBAL_HOST_TAGS", Message: err.Error()})
		}
		m.HostTags = maps.Clone(m.HostTags)
		if m.HostTags == nil {
			m.HostTags = map[string]string{}
		}
		maps.Copy(m.HostTags, tags)
	})
	set("ENV_CONFD_BACKEND", func(string) {
		st, bad := p.envStore(env)
		if problems = append(problems, bad...); bad == nil {
			m.Stores = append(m.Stores, st)
		}
	})
	return problems
}

// envStore returns the store that the ENV_CONFD_ variables name.
func (p Parts) envStore(env map[string]string) (Store, diag.List) {
	var b strings.Builder
	b.WriteString("[[confds]]\n")
	for _, f := range store.Fields() {
		name := "ENV_CONFD_" + strings.ToUpper(f.Name)
		if f.Name == "nodes" {
			name = "ENV_CONFD_BACKEND_NODES"
		}
		v := strings.TrimSpace(env[name])
		if v == "" || f.Name == "enable" {
			continue
		}
		literal, err := Literal(f, v)
		if err != nil {
			return Store{}, diag.List{{Origin: name, Message: err.Error()}}
		}
		fmt.Fprintf(&b, "%s = %s\n", f.Name, literal)
	}
	root, bad := spec.Parse(b.String())
	if bad != nil {
		return Store{}, inEnvironment(bad)
	}
	k, _ := root.Get("confds")
	st, bad, _ := p.store(&k.Node.Items[0])
	return st, inEnvironment(bad)
}

// Variables is where the diagnostics about a store of the environment stand that
// name no single variable.
const Variables = "ENV_CONFD_*"

// inEnvironment takes the positions away: they are of a text nobody wrote.
func inEnvironment(list diag.List) diag.List {
	for i := range list {
		list[i].Pos, list[i].Origin = diag.Position{}, Variables
	}
	return list
}

// Literal writes the text of a variable or a flag as the TOML that a field of
// [[confds]] takes.
func Literal(f spec.Field, v string) (string, error) {
	switch f.Type { //nolint:exhaustive // [[confds]] has no other types
	case spec.Bool:
		b, err := strconv.ParseBool(v)
		if err != nil {
			return "", fmt.Errorf("expected true or false, got %q", clip(v))
		}
		return strconv.FormatBool(b), nil
	case spec.Int:
		n, err := strconv.ParseInt(strings.TrimSuffix(v, "s"), 10, 64)
		if err != nil {
			return "", fmt.Errorf("expected an integer, got %q", clip(v))
		}
		return strconv.FormatInt(n, 10), nil
	case spec.Strings:
		return spec.TOMLValue(SplitList(v)), nil
	}
	return spec.TOMLString(v), nil
}

// SplitList reads a list as people write it in a variable or a flag: a JSON
// list, [a,b] without quotes, or a,b.
func SplitList(v string) []string {
	v = strings.TrimSpace(v)
	var list []string
	if strings.HasPrefix(v, "[") && json.Unmarshal([]byte(v), &list) == nil {
		return list
	}
	if strings.HasPrefix(v, "[") && strings.HasSuffix(v, "]") { // and not [::1]:2379
		v = v[1 : len(v)-1]
	}
	for part := range strings.SplitSeq(v, ",") {
		if part = strings.Trim(strings.TrimSpace(part), `"'`); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// SplitTags reads tags as people write them in a variable: a list, as
// [SplitList] reads it, of key=value.
func SplitTags(v string) (map[string]string, error) {
	tags := map[string]string{}
	for _, pair := range SplitList(v) {
		k, val, ok := strings.Cut(pair, "=")
		if !ok || strings.TrimSpace(k) == "" {
			return nil, fmt.Errorf("expected key=value pairs, got %q", clip(pair))
		}
		tags[strings.TrimSpace(k)] = strings.TrimSpace(val)
	}
	return tags, nil
}
