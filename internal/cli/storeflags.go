package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// storeFlags say which store to work on.
type storeFlags struct {
	dir     string
	id      string
	timeout time.Duration

	backend string
	options map[string]*string // of the store, by their names in [[confds]]
	secrets map[string]*string // files that hold options
	nodes   []string
	files   []string
	more    []string // name=value
	insec   bool
	own     []string // flags that mean nothing without --backend
}

// flagOf returns the flag that stands for a key of [[confds]], "" where it has
// one of another kind or none.
func flagOf(field string) string {
	switch field {
	case "enable", "backend", "nodes", "file", "client_insecure":
		return ""
	case "auth_token":
		return "token"
	case "client_ca_keys":
		return "ca"
	case "client_cert":
		return "cert"
	case "client_key":
		return "key"
	}
	return strings.ReplaceAll(field, "_", "-")
}

func (f *storeFlags) add(cmd *cobra.Command) {
	dirFlag(cmd, &f.dir)
	fs := cmd.PersistentFlags()
	fs.StringVar(&f.id, "store", "", "`ID` of the store in datakit.conf: its backend, with #2 … behind further ones (default: the first that is enabled)")
	fs.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long to wait for the store or the agent")
	fs.StringVar(&f.backend, "backend", "", "kind of the store, instead of those in datakit.conf")
	fs.StringArrayVar(&f.nodes, "node", nil, "`host:port` of the store; may be repeated")
	fs.StringArrayVar(&f.files, "file", nil, "`path` for the backend file; may be repeated")
	fs.StringArrayVar(&f.more, "option", nil, "any `name=value` of [[confds]]; may be repeated")
	fs.BoolVar(&f.insec, "insecure", false, "take any certificate of the store")
	f.own = []string{"node", "file", "option", "insecure"}
	f.options, f.secrets = map[string]*string{}, map[string]*string{}
	for _, field := range store.Fields() {
		f.addField(fs, field)
	}
	fs.SortFlags = false
}

// addField adds the flag of one key of [[confds]]. What is secret can be in a
// file, where `ps` and the shell's history do not show it.
func (f *storeFlags) addField(fs *pflag.FlagSet, field spec.Field) {
	name := flagOf(field.Name)
	if name == "" {
		return
	}
	doc := field.Phrase()
	f.own = append(f.own, name)
	if field.Secret && field.Name != "client_key" {
		f.secrets[field.Name] = fs.String(name+"-file", "", "`file` that holds the "+doc)
		f.own = append(f.own, name+"-file")
		doc += "; ps shows it: better --" + name + "-file or ENV_CONFD_" + strings.ToUpper(field.Name)
	}
	f.options[field.Name] = fs.String(name, "", doc)
	if field.Type == spec.Bool {
		fs.Lookup(name).NoOptDefVal = "true"
	}
}

// alone returns an error where a flag is given that only means something
// together with --backend.
func (f *storeFlags) alone(fs *pflag.FlagSet) error {
	if f.backend != "" {
		return nil
	}
	for _, name := range f.own {
		if fl := fs.Lookup(name); fl != nil && fl.Changed {
			return usage("--%s needs --backend: without it the stores in datakit.conf are used", name)
		}
	}
	return nil
}

// environment writes the flags as the variables that name a store in a
// container, over those that the user has set for what is secret.
func (f *storeFlags) environment(env map[string]string) (map[string]string, error) {
	out := map[string]string{"ENV_CONFD_BACKEND": f.backend}
	for _, field := range store.Fields() {
		if v := env[variableOf(field.Name)]; field.Secret && v != "" {
			out[variableOf(field.Name)] = v
		}
	}
	for field, path := range f.secrets {
		if *path == "" {
			continue
		}
		text, err := readSecret(*path)
		if err != nil {
			return nil, fmt.Errorf("--%s-file: %w", flagOf(field), err)
		}
		out[variableOf(field)] = text
	}
	for field, v := range f.options {
		if *v != "" {
			out[variableOf(field)] = *v
		}
	}
	if f.insec {
		out[variableOf("client_insecure")] = "true"
	}
	for variable, list := range map[string][]string{variableOf("nodes"): f.nodes, variableOf("file"): f.files} {
		if len(list) > 0 {
			text, err := json.Marshal(list)
			if err != nil {
				return nil, fmt.Errorf("encode the nodes: %w", err)
			}
			out[variable] = string(text)
		}
	}
	return out, named(f.more, "option", func(field, value string) error {
		out[variableOf(field)] = value
		return nil
	})
}

// variableOf returns the variable that holds a key of [[confds]] in a container.
func variableOf(field string) string {
	if field == "nodes" {
		return "ENV_CONFD_BACKEND_NODES"
	}
	return "ENV_CONFD_" + strings.ToUpper(field)
}

// named hands each name=value to take; the names are those of [[confds]].
func named(pairs []string, flag string, take func(field, value string) error) error {
	for _, pair := range pairs {
		k, v, ok := strings.Cut(pair, "=")
		if !ok || !slices.ContainsFunc(store.Fields(), func(f spec.Field) bool { return f.Name == k }) {
			return usage("--%s %s: expected name=value with a name that [[confds]] has, such as region=eu-west-1", flag, k)
		}
		if err := take(k, v); err != nil {
			return err
		}
	}
	return nil
}

// maxSecret is the size of a file that holds a password or a token.
const maxSecret = 64 << 10

// readSecret returns what a file holds, without the line end that editors add.
func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err //nolint:wrapcheck // a PathError says it all
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	switch err := errors.Join(err, f.Close()); {
	case err != nil:
		return "", fmt.Errorf("read %s: %w", path, err)
	case len(text) > maxSecret:
		return "", fmt.Errorf("%s has more than %d bytes: is it the right file?", path, maxSecret)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}
