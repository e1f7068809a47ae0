package pipeline_test

import (
	"errors"
	"strings"
	"testing"

	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// A witness tells what it saw at the end of a run.
type witness struct{ saw *[]string }

func (w witness) End(r *fn.Run) {
	status, _ := r.Load("status")
	*w.saw = append(*w.saw, status.Text())
	if r.Dropped {
		*w.saw = append(*w.saw, "dropped")
	}
	_ = r.Create(point.Metric, point.New("late", 0), nil)
}

func TestWhatARunKeepsIsToldItsEnd(t *testing.T) {
	var saw []string
	keep := fn.Func{
		Name: "keep",
		Bind: func(*fn.Call) (fn.Eval, error) {
			return func(r *fn.Run) (point.Value, error) {
				if r.Kept("k") == nil {
					r.Keep("k", witness{&saw})
				}
				return point.NilOf(), nil
			}, nil
		},
	}
	drop := fn.Func{
		Name: "drop",
		Bind: func(*fn.Call) (fn.Eval, error) {
			return func(r *fn.Run) (point.Value, error) {
				r.Dropped = true
				return point.NilOf(), nil
			}, nil
		},
	}
	crash := fn.Func{
		Name: "crash",
		Bind: func(*fn.Call) (fn.Eval, error) {
			return func(*fn.Run) (point.Value, error) { panic("boom") }, nil
		},
	}
	funcs, err := fn.NewTable([]fn.Func{keep, drop, crash})
	if err != nil {
		t.Fatal(err)
	}
	run := func(script string) (string, pipeline.Result, error) {
		program, errs := pipeline.Compile("p.p", script, pipeline.Options{Funcs: funcs})
		if errs != nil {
			t.Fatal(errs)
		}
		saw = nil
		p := point.New("m", 1)
		p.Set("status", point.StringOf("W"))
		result, err := program.Run(&p, &pipeline.Env{Category: point.Logging})
		return strings.Join(saw, " "), result, err
	}
	for script, want := range map[string]string{
		"keep()":             "warning",         // after the final steps
		"keep()\nkeep()":     "warning",         // once
		"keep()\ndrop()":     "warning dropped", // whenever it was dropped
		"keep()\nx = 1 + []": "W",               // after an error too
		"drop()":             "",
	} {
		got, result, _ := run(script)
		if got != want || (want != "") != (len(result.Created) == 1) {
			t.Errorf("%q: saw %q, want %q; %d points made", script, got, want, len(result.Created))
		}
	}
	if _, _, err := run("keep()\ncrash()"); !errors.Is(err, pipeline.ErrPanic) {
		t.Errorf("error %v", err)
	}
	if got, _, _ := run("drop()"); got != "" {
		t.Errorf("what a run that crashed kept was told the end of the next: %q", got)
	}
}
