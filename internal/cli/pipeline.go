package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"datakit.dev/internal/config"
	"datakit.dev/internal/diag"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/grok"
	"datakit.dev/internal/workdir"
)

// scripting is the commands that work on pipeline scripts.
type scripting struct {
	program
	patterns string // the folder of pattern files
}

func (p program) pipelineCommand() *cobra.Command {
	s := &scripting{program: p}
	cmd := s.runScriptCommand()
	cmd.PersistentFlags().StringVar(&s.patterns, "patterns", workdir.Default().Patterns(), "`folder` of grok pattern files, beside those that are built in")
	cmd.AddCommand(s.checkScriptCommand(), s.formatCommand(), s.benchCommand(), s.functionsCommand())
	return cmd
}

// fromStdin is how a script is called that comes in on standard input.
const fromStdin = "-"

// sources reads the script at path, and those beside it.
func (s *scripting) sources(path string) (name string, sources map[string]string, err error) {
	text, err := s.readValue(path)
	if err != nil {
		return "", nil, err
	}
	if path == fromStdin {
		return path, map[string]string{path: config.Normalize(text)}, nil
	}
	dir, name := filepath.Split(path)
	sources = map[string]string{name: config.Normalize(text)}
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", nil, err //nolint:wrapcheck // a PathError says it all
	}
	for _, e := range entries {
		if e.Name() == name || !strings.HasSuffix(e.Name(), scriptSuffix) || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		// One that cannot be read is missed by the scripts that use it.
		if text, err := s.readValue(filepath.Join(dir, e.Name())); err == nil {
			sources[e.Name()] = config.Normalize(text)
		}
	}
	return name, sources, nil
}

// options returns what scripts are compiled against.
func (s *scripting) options() (pipeline.Options, error) {
	files, err := grok.ReadPatterns(os.DirFS(s.patterns))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return pipeline.Options{}, fmt.Errorf("--patterns %s: %w", s.patterns, err)
	}
	set, err := grok.NewSet(files)
	if err != nil {
		return pipeline.Options{}, fmt.Errorf("--patterns %s: %w", s.patterns, err)
	}
	return pipeline.Options{Funcs: s.Funcs, Patterns: set}, nil
}

// compile compiles the script at path. What is wrong with it is a list.
func (s *scripting) compile(path string) (*pipeline.Program, diag.List, error) {
	name, sources, err := s.sources(path)
	if err != nil {
		return nil, nil, err
	}
	opts, err := s.options()
	if err != nil {
		return nil, nil, err
	}
	programs, errs := pipeline.CompileAll(sources, opts, nil)
	return programs[name], errs[name].In(path, sources[name]), nil
}

// refused prints what is wrong with scripts, and returns the error that says so.
func (s *scripting) refused(errs diag.List) error {
	if len(errs) > 0 {
		fmt.Fprintln(s.Stdout, errs.Text())
	}
	var wrong problems
	wrong.add(errs)
	return wrong.err()
}
