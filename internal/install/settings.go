package install

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"unicode/utf8"

	"datakit.dev/internal/config"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// Settings is what an installation is told to put into datakit.conf; what is
// empty is left as it is.
type Settings struct {
	Hostname string
	Listen   string
	Log      string
	Dataway  []string
	Inputs   []string // default_enabled_inputs
	Tags     map[string]string
	Backend  string            // of the store
	Options  map[string]string // of the store, by their names in [[confds]], as they were typed
}

// A Variable is one thing that an installation may be told, by --flag or by
// DK_NAME in the environment.
type Variable struct {
	Name   string // without DK_
	Field  string // the key of [[confds]], "" where it is none
	Doc    string
	Bool   bool
	Secret bool
	put    func(*Settings, string) error
}

// Flag returns the name of the flag.
func (v Variable) Flag() string { return strings.ToLower(strings.ReplaceAll(v.Name, "_", "-")) }

// Variables returns everything that an installation may be told about
// datakit.conf: one for each key of [[confds]], and those of the agent.
func Variables() []Variable {
	vars := []Variable{
		{Name: "DATAWAY", Doc: "address of the data gateway with its token, or several with commas", Secret: true, put: func(s *Settings, v string) error {
			s.Dataway = config.SplitList(v)
			return nil
		}},
		{Name: "DEF_INPUTS", Doc: "inputs that run without a file of their own, with commas", put: func(s *Settings, v string) error {
			s.Inputs = config.SplitList(v)
			return nil
		}},
		{Name: "GLOBAL_HOST_TAGS", Doc: "tags of every point: key=value, with commas", put: func(s *Settings, v string) (err error) {
			s.Tags, err = config.SplitTags(v)
			return err //nolint:wrapcheck // Read wraps it
		}},
		{Name: "HTTP_LISTEN", Doc: "where the agent answers: host, host:port or the path of a unix socket", put: func(s *Settings, v string) error {
			s.Listen = listen(v)
			return nil
		}},
		{Name: "HOSTNAME", Doc: "name of this host", put: func(s *Settings, v string) error {
			s.Hostname = v
			return nil
		}},
	}
	for _, f := range store.Fields() {
		if f.Name != "enable" {
			vars = append(vars, option(f))
		}
	}
	return vars
}

// option returns the variable of one key of [[confds]].
func option(f spec.Field) Variable {
	v := Variable{
		Name: "CONFD_" + strings.ToUpper(f.Name), Field: f.Name, Bool: f.Type == spec.Bool, Secret: f.Secret,
		Doc: "of the store: " + f.Phrase(),
		put: func(s *Settings, text string) error {
			s.Options[f.Name] = text
			_, err := literal(f, text)
			return err
		},
	}
	switch f.Name {
	case "backend":
		v.put = func(s *Settings, text string) error {
			s.Backend = strings.TrimSpace(text)
			return nil
		}
	case "nodes":
		v.Name = "CONFD_BACKEND_NODES"
	}
	return v
}

// Read returns the settings that flags (by the variables' names) and the
// environment hold; a flag goes first. The variables of the store are taken
// without DK_, too, as upstream's first scripts had them.
func Read(flags, env map[string]string) (Settings, error) {
	s := Settings{Options: map[string]string{}}
	for _, v := range Variables() {
		text, from := flags[v.Name], "--"+v.Flag()
		if text == "" {
			text, from = env["DK_"+v.Name], "DK_"+v.Name
		}
		if text == "" && v.Field != "" {
			text, from = env[v.Name], v.Name
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
			return s, fmt.Errorf("%s: the value is not valid UTF-8", from)
		}
		if err := v.put(&s, text); err != nil {
			return s, fmt.Errorf("%s: %w", from, err)
		}
	}
	if s.Backend == "" && len(s.Options) > 0 {
		return s, fmt.Errorf("%s is given without a store: set DK_CONFD_BACKEND, such as etcdv3", slices.Sorted(maps.Keys(s.Options))[0])
	}
	return s, nil
}

// Empty reports whether there is nothing to put into datakit.conf.
func (s Settings) Empty() bool { return len(s.plain()) == 0 && s.Backend == "" }

// defaultPort is that of http_api.listen.
const defaultPort = "9529"

// listen returns v with a port: upstream's variable held a host alone.
func listen(v string) string {
	v = strings.TrimSpace(v)
	if _, _, err := net.SplitHostPort(v); err == nil || config.IsSocket(v) {
		return v
	}
	return net.JoinHostPort(strings.Trim(v, "[]"), defaultPort)
}

// plain returns the settings that are not about a store.
func (s Settings) plain() (out []setting) {
	text := func(v string, path ...string) {
		if v != "" {
			out = append(out, setting{path, spec.TOMLString(v)})
		}
	}
	list := func(v []string, path ...string) {
		if len(v) > 0 {
			out = append(out, setting{path, spec.TOMLValue(v)})
		}
	}
	text(s.Hostname, "hostname")
	list(s.Inputs, "default_enabled_inputs")
	for _, k := range slices.Sorted(maps.Keys(s.Tags)) {
		text(s.Tags[k], "global_host_tags", k)
	}
	text(s.Listen, "http_api", "listen")
	text(s.Log, "logging", "log")
	list(s.Dataway, "dataway", "urls")
	return out
}

// store returns the settings of the nth table of [[confds]]. One that is there
// keeps the name that it has for its backend; one that is switched off comes on.
func (s Settings) store(root *spec.Node, n int) (out []setting) {
	var table *spec.Node
	if k, ok := root.Get("confds"); ok && n < len(k.Node.Items) {
		table = &k.Node.Items[n]
	}
	for _, f := range store.Fields() {
		text := s.Options[f.Name]
		switch f.Name {
		case "enable":
			if table == nil || off(table) {
				out = append(out, setting{[]string{f.Name}, "true"})
			}
			continue
		case "backend":
			if table != nil {
				continue
			}
			text = s.Backend
		}
		if text == "" {
			continue
		}
		if v, err := literal(f, text); err == nil { // Read has refused the others
			out = append(out, setting{[]string{f.Name}, v})
		}
	}
	return out
}

func off(table *spec.Node) bool {
	k, ok := table.Get("enable")
	return scalar(k, ok) == false
}

// sameNodes reports whether a table of [[confds]] has the nodes of s.
func (s Settings) sameNodes(table *spec.Node) bool {
	k, ok := table.Get("nodes")
	if !ok {
		return s.Options["nodes"] == ""
	}
	var have []string
	for i := range k.Node.Items {
		have = append(have, fmt.Sprint(k.Node.Items[i].Scalar))
	}
	return slices.Equal(have, config.SplitList(s.Options["nodes"]))
}

// literal writes what was typed for a key of [[confds]] as TOML. A string stays
// as it is, blanks included; what is no string may have some around it.
func literal(f spec.Field, text string) (string, error) {
	if f.Type != spec.String {
		text = strings.TrimSpace(text)
	}
	return config.Literal(f, text) //nolint:wrapcheck // Read wraps it
}
