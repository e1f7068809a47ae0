package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"datakit.dev/internal/config"
	"datakit.dev/internal/diag"
	"datakit.dev/internal/point"
	"datakit.dev/internal/store"
)

// The two folders below the root, and what files for them are called.
const (
	confdFolder    = "confd/"
	pipelineFolder = "pipeline/"
	confSuffix     = ".conf"
	scriptSuffix   = ".p"
)

// keyForms is told by every command that takes a KEY.
const keyForms = `
A KEY is written whole (/datakit/confd/cpu), below the root (confd/cpu,
pipeline/metric/cpu.p), or as its name alone (cpu), which means confd/cpu, or
confd/cpu.conf where only that is there.`

// keyOf returns the key below root that arg means.
func keyOf(root, arg string) (string, error) {
	key := arg
	below, whole := strings.CutPrefix("/"+strings.TrimPrefix(arg, "/"), root+"/")
	switch {
	case whole:
		key = below
	case strings.HasPrefix(arg, "/"):
		key = strings.TrimPrefix(arg, "/")
		if !ours(key) {
			return "", usage("key %s is not below %s: write confd/NAME, pipeline/CATEGORY/NAME.p or NAME", arg, root)
		}
	case !ours(key):
		key = confdFolder + key
	}
	if err := store.CheckKey(key); err != nil {
		return "", misuse{err}
	}
	return key, nil
}

func ours(key string) bool {
	return strings.HasPrefix(key, confdFolder) || strings.HasPrefix(key, pipelineFolder)
}

// fileArg reads an argument that is FILE or KEY=FILE. Without a key the file's
// name gives it: cpu.conf is confd/cpu, metric/cpu.p is pipeline/metric/cpu.p.
func (p program) fileArg(root, arg string) (store.Entry, error) {
	path, key := arg, ""
	if name, file, ok := strings.Cut(arg, "="); ok {
		if _, err := os.Stat(arg); err != nil { // a file may have = in its name
			var kerr error
			if key, kerr = keyOf(root, name); kerr != nil {
				return store.Entry{}, kerr
			}
			path = file
		}
	}
	if key == "" {
		key = keyOfFile(path)
	}
	value, err := p.readValue(path)
	return store.Entry{Key: key, Value: value}, err
}

func keyOfFile(path string) string {
	base := filepath.Base(path)
	if !strings.HasSuffix(base, scriptSuffix) {
		return confdFolder + strings.TrimSuffix(base, confSuffix)
	}
	folder := filepath.Base(filepath.Dir(path))
	if _, ok := point.ParseCategory(folder); !ok {
		folder = string(point.Logging) // as for a script at the top of the work directory's folder
	}
	return pipelineFolder + folder + "/" + base
}

// readValue reads a file, or standard input where path is "-".
func (p program) readValue(path string) (string, error) {
	in := io.NopCloser(p.Stdin)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", err //nolint:wrapcheck // a PathError says it all
		}
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, store.MaxValue+1))
	switch err := errors.Join(err, in.Close()); {
	case err != nil:
		return "", fmt.Errorf("read %s: %w", path, err)
	case len(text) > store.MaxValue:
		return "", fmt.Errorf("%s has more than %d bytes, which is all that a value may have: split it into several keys", path, store.MaxValue)
	}
	return string(text), nil
}

// validate says what an agent would refuse in e, which came from the file or
// key called origin.
func (p program) validate(e store.Entry, origin string) diag.List {
	return config.Validate(p.Parts.Catalog, p.CheckScript, e.Key, e.Value).In(origin, "")
}

// problems counts what is printed to standard output as wrong, and keeps the
// first: who sees only the error has to find the place.
type problems struct {
	n     int
	first string
}

func (p *problems) add(list diag.List) {
	for _, d := range list {
		p.tell(d.Error())
	}
}

func (p *problems) tell(what string) {
	if p.n++; p.n == 1 {
		p.first = what
	}
}

// err returns the problems as an error, nil where there is none.
func (p *problems) err() error {
	switch p.n {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("1 problem: put it right, and run this again: %s", p.first)
	}
	return fmt.Errorf("%d problems: put them right, and run this again: the first is %s", p.n, p.first)
}
