package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"datakit.dev/internal/atomicfile"
	"datakit.dev/internal/diag"
	"datakit.dev/internal/pipeline"
	layout "datakit.dev/internal/pipeline/printer"
	"datakit.dev/internal/pipeline/trial"
	"datakit.dev/internal/point"
)

func (s *scripting) checkScriptCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "check FILE.p...",
		Short:   "Say what is wrong with scripts",
		Example: "  datakit pipeline check *.p",
		Args:    want(1, 1<<20),
		RunE: run(func(_ context.Context, args []string) error {
			var bad problems
			for _, path := range args {
				_, errs, err := s.compile(path)
				if err != nil {
					return err
				}
				if bad.add(errs); len(errs) > 0 {
					fmt.Fprintln(s.Stdout, errs.Text())
				} else {
					s.say("%s: valid", path)
				}
			}
			return bad.err()
		}),
	}
}

func (s *scripting) formatCommand() *cobra.Command {
	var write, check bool
	cmd := &cobra.Command{
		Use:   "fmt FILE.p...",
		Short: "Lay scripts out",
		Long: `Lay scripts out: one statement a line, blocks indented by four spaces. Comments,
strings and line breaks inside of an expression stay. Without -w the result goes
to standard output.`,
		Example: "  datakit pipeline fmt nginx.p\n  datakit pipeline fmt -w *.p\n  datakit pipeline fmt --check *.p",
		Args:    want(1, 1<<20),
		RunE: run(func(_ context.Context, args []string) error {
			changed, bad := 0, problems{}
			for _, path := range args {
				differs, errs, err := s.format(path, write, check)
				if err != nil {
					return err
				}
				if bad.add(errs); len(errs) > 0 {
					fmt.Fprintln(s.Stdout, errs.Text())
				}
				if differs {
					changed++
				}
			}
			if check && changed > 0 {
				return errors.Join(bad.err(), fmt.Errorf("%d of %d scripts are not laid out: datakit pipeline fmt -w does it", changed, len(args)))
			}
			return bad.err()
		}),
	}
	cmd.Flags().BoolVarP(&write, "write", "w", false, "write the files that change, and name them")
	cmd.Flags().BoolVar(&check, "check", false, "only name the files that would change, and fail if there are any")
	cmd.MarkFlagsMutuallyExclusive("write", "check")
	return cmd
}

// format lays out one file, and reports whether that changes it.
func (s *scripting) format(path string, write, check bool) (differs bool, errs diag.List, err error) {
	if path == fromStdin && write {
		return false, nil, usage("pipeline fmt -w: standard input cannot be written")
	}
	text, err := s.readValue(path)
	if err != nil {
		return false, nil, err
	}
	out, errs := layout.Format(strings.TrimPrefix(text, "\ufeff"))
	if len(errs) > 0 {
		return false, errs.In(path, text), nil
	}
	differs = out != text
	switch {
	case !write && !check:
		_, err = fmt.Fprint(s.Stdout, out)
	case differs && write:
		err = rewrite(path, out)
	}
	if err == nil && differs && (write || check) {
		s.say("%s", path)
	}
	return differs, nil, err
}

// rewrite replaces the content of the file at path, or that a link at path leads
// to; its permissions stay.
func rewrite(path, text string) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err //nolint:wrapcheck // a PathError says it all
	}
	stat, err := os.Stat(path)
	if err != nil {
		return err //nolint:wrapcheck // a PathError says it all
	}
	return atomicfile.Write(path, []byte(text), stat.Mode().Perm()) //nolint:wrapcheck // it names the file
}

// The points that a script is measured on where none are given.
const (
	benchText  = `127.0.0.1 - - [24/Mar/2024:13:00:00 +0800] "GET /index.html HTTP/1.1" 200 612 "-" "Mozilla/5.0 (X11; Linux x86_64)"`
	benchPoint = `cpu,host=web-1,cpu=cpu-total usage_idle=97.5,usage_system=1.25,load=3i`
)

func (s *scripting) benchCommand() *cobra.Command {
	var sample sampleFlags
	var d time.Duration
	cmd := &cobra.Command{
		Use:   "bench FILE.p",
		Short: "Measure what a script costs a point",
		Long: `Run a script over and over, on one core, and print what a point costs. Without a
sample, a line of an nginx access log is used, and a cpu point for other
categories than logging: then most scripts do little.`,
		Example: "  datakit pipeline bench nginx.p --file access.log",
		Args:    want(1, 1),
		RunE: run(func(ctx context.Context, args []string) error {
			return s.bench(ctx, args[0], sample, d)
		}),
	}
	sample.add(cmd)
	cmd.Flags().DurationVar(&d, "time", time.Second, "how long to run")
	return cmd
}

// maxBenchPoints is how many points are run in turn: more would measure the
// memory, not the script.
const maxBenchPoints = 1000

func (s *scripting) bench(ctx context.Context, path string, f sampleFlags, d time.Duration) error {
	category, err := f.categoryOf(path)
	if err != nil {
		return err
	}
	program, errs, err := s.compile(path)
	if err != nil {
		return err
	}
	if len(errs) > 0 {
		return s.refused(errs)
	}
	if f.file == "" && f.texts == nil && f.records == nil {
		f.texts = []string{benchText}
		if category != point.Logging {
			f.texts, f.records = nil, []string{benchPoint}
		}
	}
	var pts []point.Point
	for pt, err := range f.points(s.program, path, category) {
		if err != nil {
			return err
		}
		if pts = append(pts, pt); len(pts) == maxBenchPoints {
			break
		}
	}
	if len(pts) == 0 {
		return errors.New("there is no point to run the script on: is the file empty?")
	}
	c := trial.Measure(ctx, program, pts, &pipeline.Env{Category: category}, d)
	s.say("%d ns, %.1f allocations, %.0f bytes a point; %d runs over %d points", c.Time.Nanoseconds(), c.Allocs, c.Bytes, c.Runs, len(pts))
	if c.Errors > 0 {
		return fmt.Errorf("the script failed on %d of %d points, which is what was measured", c.Errors, len(pts))
	}
	return nil
}

func (s *scripting) functionsCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "functions [NAME]",
		Short:   "List the functions of the script language, or explain one",
		Example: "  datakit pipeline functions\n  datakit pipeline functions grok",
		Args:    want(0, 1),
		RunE: run(func(_ context.Context, args []string) error {
			if len(args) > 0 {
				return s.explain(args[0])
			}
			w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
			for _, name := range s.Funcs.Names() {
				f, _ := s.Funcs.Lookup(name)
				first, _, _ := strings.Cut(f.Doc.En, ". ")
				fmt.Fprintf(w, "%s\t%s\n", f.Declaration(), strings.TrimSuffix(first, ".")+".")
			}
			if err := w.Flush(); err != nil {
				return fmt.Errorf("print the functions: %w", err)
			}
			return nil
		}),
	}
}

// explain prints all that is known of one function.
func (s *scripting) explain(name string) error {
	f, ok := s.Funcs.Lookup(name)
	if !ok {
		return usage("there is no function %q%s", name, s.Funcs.Suggest(name))
	}
	fmt.Fprintf(s.Stdout, "%s\n\n%s\n", f.Declaration(), f.Doc.En)
	for _, e := range f.Examples {
		fmt.Fprintf(s.Stdout, "\n    %s\n", strings.ReplaceAll(strings.TrimRight(e.Explain(), "\n"), "\n", "\n    "))
	}
	return nil
}
