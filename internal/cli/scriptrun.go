package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/spf13/cobra"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/compile"
	"datakit.dev/internal/pipeline/trial"
	"datakit.dev/internal/point"
)

// runFlags say how `pipeline FILE` shows what a script does.
type runFlags struct {
	sample      sampleFlags
	watch, json bool
}

func (s *scripting) runScriptCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "pipeline FILE.p",
		Short: "Run a script on sample points; check, format, measure scripts",
		Long: `Run a pipeline script on a text, on points or on the lines of a file, and print
each point before and after it. Nothing is sent anywhere. The scripts in the
folder of FILE are there for use("other.p").`,
		Example: `  datakit pipeline nginx.p --text '127.0.0.1 - - [24/Mar/2024:13:00:00 +0800] "GET / HTTP/1.1" 200 612'
  datakit pipeline metric/cpu.p --point 'cpu,host=a usage=1.5'
  datakit pipeline nginx.p --file access.log --json
  datakit pipeline nginx.p --file access.log --watch`,
		Args: want(1, 1),
		RunE: run(func(ctx context.Context, args []string) error {
			if f.watch {
				return s.watchScript(ctx, args[0], f)
			}
			return s.tryScript(ctx, args[0], f)
		}),
	}
	f.sample.add(cmd)
	cmd.Flags().BoolVar(&f.json, "json", false, "print a JSON object a point")
	cmd.Flags().BoolVarP(&f.watch, "watch", "w", false, "run again each time FILE, or a script beside it, is saved")
	cmd.MarkFlagsOneRequired("text", "point", "file")
	return cmd
}

// tryScript compiles the script at path and runs it on the sample points.
func (s *scripting) tryScript(ctx context.Context, path string, f runFlags) error {
	category, err := f.sample.categoryOf(path)
	if err != nil {
		return err
	}
	program, errs, err := s.compile(path)
	switch {
	case err != nil:
		return err
	case len(errs) > 0 && f.json:
		return errs
	case len(errs) > 0:
		return s.refused(errs)
	}
	n, failed := 0, 0
	show := s.showOutcome
	if f.json {
		show = s.encodeOutcome
	}
	for pt, err := range f.sample.points(s.program, path, category) {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err() //nolint:wrapcheck // the user interrupted
		}
		out := trial.Run(program, pt, &pipeline.Env{Category: category})
		if n++; out.Err != nil {
			failed++
		}
		if err := show(n, category, &out); err != nil {
			return err
		}
	}
	switch {
	case n == 0:
		return errors.New("there is no point to run the script on: is the file empty?")
	case failed > 0:
		return fmt.Errorf("the script failed on %d of %d points: what it did before stays, the rest of it was skipped", failed, n)
	}
	return nil
}

// showOutcome prints an outcome for people.
func (s *scripting) showOutcome(n int, category point.Category, out *trial.Outcome) error {
	if n > 1 {
		fmt.Fprintln(s.Stdout)
	}
	out.Diff(s.Stdout, category)
	if out.Err != nil {
		fmt.Fprintln(s.Stdout, "error:", errorText(out.Err))
	}
	return nil
}

// errorText returns err with the line that it happened on, where that is known.
func errorText(err error) string {
	if r, ok := errors.AsType[*compile.RunError](err); ok {
		return r.Text()
	}
	return diag.OneLine(err.Error())
}

// An outcomeJSON is an outcome as --json prints it.
type outcomeJSON struct {
	Category point.Category `json:"category"`
	Before   trial.Record   `json:"before"`
	After    trial.Record   `json:"after"`
	Dropped  bool           `json:"dropped"`
	Created  []createdJSON  `json:"created"`
	Error    *errorJSON     `json:"error"`
}

type createdJSON struct {
	Category point.Category `json:"category"`
	trial.Record
}

type errorJSON struct {
	Script  string `json:"script"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// maxOutcome bounds what is printed of one point.
const maxOutcome = 64 << 20

// encodeOutcome prints an outcome as one line of JSON.
func (s *scripting) encodeOutcome(_ int, category point.Category, out *trial.Outcome) error {
	b := trial.Budget{Left: maxOutcome}
	o := outcomeJSON{Category: category, Before: b.Record(&out.Before), After: b.Record(&out.After), Dropped: out.Dropped, Created: []createdJSON{}}
	for _, c := range out.Created {
		o.Created = append(o.Created, createdJSON{c.Category, b.Record(c.Point)})
	}
	if r, ok := errors.AsType[*compile.RunError](out.Err); ok {
		o.Error = &errorJSON{r.Origin, r.Pos.Line, r.Pos.Column, r.Message}
	}
	if err := json.NewEncoder(s.Stdout).Encode(o); err != nil {
		return fmt.Errorf("print the point: %w", err)
	}
	return nil
}

// watchPoll is how often the scripts are looked at: files on every kind of disk
// and saved by every kind of editor change when they are read again.
const watchPoll = 200 * time.Millisecond

// watchScript runs the script again each time that it, or one beside it,
// changes, until ctx ends.
func (s *scripting) watchScript(ctx context.Context, path string, f runFlags) error {
	if path == fromStdin || f.sample.file == fromStdin {
		return usage("pipeline --watch: standard input is read once: name files")
	}
	if _, err := f.sample.categoryOf(path); err != nil {
		return err
	}
	fmt.Fprintf(s.Stderr, "watching %s; interrupt to end\n", diag.OneLine(path))
	var last map[string]string
	for ; ctx.Err() == nil; pause(ctx, watchPoll) {
		_, now, err := s.sources(path)
		if err != nil && last == nil {
			return err
		}
		if err != nil || last != nil && maps.Equal(now, last) { // an editor may be between two files
			continue
		}
		last = now
		fmt.Fprintf(s.Stdout, "=== %s %s\n", time.Now().Format(time.TimeOnly), diag.OneLine(path))
		if err := s.tryScript(ctx, path, f); err != nil && ctx.Err() == nil {
			fmt.Fprintln(s.Stdout, "datakit:", diag.OneLine(err.Error()))
		}
	}
	return nil
}
