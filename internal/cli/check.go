package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"datakit.dev/internal/config"
	"datakit.dev/internal/diag"
	"datakit.dev/internal/store"
	"datakit.dev/internal/workdir"
)

func (p program) checkCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Validate the whole work directory",
		Long: `Validate datakit.conf, every file below conf.d and every script below pipeline.
Keys that datakit.conf does not know are errors here: an agent only warns.`,
		Example: "  datakit check\n  datakit check --dir ./datakit",
		Args:    want(0, 0),
		RunE:    run(func(context.Context, []string) error { return p.check(workdir.Dir(dir)) }),
	}
	dirFlag(cmd, &dir)
	return cmd
}

// checker counts what it prints.
type checker struct {
	program
	files int
	bad   problems
}

func (p program) check(dir workdir.Dir) error {
	if info, err := os.Stat(string(dir)); err != nil || !info.IsDir() {
		return fmt.Errorf("%s is no work directory: give --dir", dir)
	}
	c := &checker{program: p}
	if err := errors.Join(c.main(dir), c.inputs(dir), c.scripts(dir)); err != nil {
		return err
	}
	if err := c.bad.err(); err != nil {
		return err
	}
	c.say("%s: %d files are valid", dir, c.files)
	return nil
}

func (c *checker) report(list diag.List, origin string) {
	if len(list) > 0 {
		list = list.Within(origin)
		fmt.Fprintln(c.Stdout, list.Text())
		c.bad.add(list)
	}
}

// main checks datakit.conf, and that each of its stores can be opened.
func (c *checker) main(dir workdir.Dir) error {
	text, err := os.ReadFile(dir.Main())
	switch {
	case err == nil:
		c.files++
	case !errors.Is(err, fs.ErrNotExist): // without a file there may be variables
		return err //nolint:wrapcheck // a PathError says it all
	}
	m, bad, warnings := config.ParseMain(string(text), c.Env, c.Parts)
	c.report(bad, dir.Main())
	c.report(warnings, dir.Main())
	if len(bad) > 0 {
		return nil
	}
	for _, s := range m.Stores {
		if !s.Enabled {
			continue
		}
		st, err := s.Backend.Open(store.Options{Root: s.Root, Values: s.Values, Log: slog.New(slog.DiscardHandler)})
		if err == nil {
			err = st.Close()
		}
		if err != nil {
			c.report(diag.List{{Message: fmt.Sprintf("[[confds]] %s: %v", s.ID, err)}}, dir.Main())
		}
	}
	return nil
}

// inputs checks what conf.d asks for.
func (c *checker) inputs(dir workdir.Dir) error {
	entries, err := dir.ReadConf()
	for _, e := range entries {
		c.files++
		path := filepath.Join(dir.Conf(), filepath.FromSlash(strings.TrimPrefix(e.Key, confdFolder)))
		if e.TooLarge > 0 {
			c.report(diag.List{{Message: fmt.Sprintf("the file has %d bytes, at most %d are taken", e.TooLarge, store.MaxValue)}}, path)
			continue
		}
		c.report(c.validate(e, ""), path)
	}
	return err //nolint:wrapcheck // the work directory says what it could not read
}

// scripts checks the scripts of the namespace default.
func (c *checker) scripts(dir workdir.Dir) error {
	root := dir.Scripts()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path == root:
			return nil
		case err != nil:
			return err
		case d.IsDir() || !strings.HasSuffix(path, scriptSuffix) || strings.HasPrefix(d.Name(), "."):
			return nil
		}
		c.files++
		value, err := c.readValue(path)
		if err != nil {
			c.report(diag.List{{Message: err.Error()}}, "")
		} else {
			c.report(c.validate(store.Entry{Key: keyOfFile(path), Value: value}, ""), path)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("check the scripts: %w", err)
	}
	return nil
}
