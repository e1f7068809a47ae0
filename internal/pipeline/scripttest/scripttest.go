// Package scripttest runs scripts in the tests of functions.
package scripttest

import (
	"maps"
	"slices"
	"testing"
	"time"

	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/grok"
	"datakit.dev/internal/point"
)

// An Engine compiles and runs scripts that may call the functions of a table.
type Engine struct{ opts pipeline.Options }

// New returns an engine with the functions of a table.
func New(t testing.TB, table func() (fn.Table, error)) Engine {
	t.Helper()
	funcs, err := table()
	if err != nil {
		t.Fatal(err)
	}
	patterns, err := grok.NewSet(nil)
	if err != nil {
		t.Fatal(err)
	}
	return Engine{pipeline.Options{Funcs: funcs, Patterns: patterns}}
}

// Compile returns the program of a script, which must compile.
func (e Engine) Compile(t testing.TB, script string) *pipeline.Program {
	t.Helper()
	program, errs := pipeline.Compile("test.p", script, e.opts)
	if len(errs) > 0 {
		t.Fatalf("%s\n%s", script, errs.Text())
	}
	return program
}

// Refused returns why a script is refused, which it must be.
func (e Engine) Refused(t testing.TB, script string) string {
	t.Helper()
	_, errs := pipeline.Compile("test.p", script, e.opts)
	if len(errs) == 0 {
		t.Fatalf("%s\ncompiles, and must not", script)
	}
	return errs.Text()
}

// Fields are the fields of a point: int64, float64, string and bool.
type Fields map[string]any

// Point returns a point with the fields.
func Point(t testing.TB, fields Fields) point.Point {
	t.Helper()
	p := point.New("test", len(fields))
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		switch v := fields[key].(type) {
		case int64:
			p.Set(key, point.IntOf(v))
		case float64:
			p.Set(key, point.FloatOf(v))
		case string:
			p.Set(key, point.StringOf(v))
		case bool:
			p.Set(key, point.BoolOf(v))
		default:
			t.Fatalf("a field is a %T", v)
		}
	}
	return p
}

// Run runs a script on a point with the fields, in the zero environment, and
// returns the fields that it then has.
func (e Engine) Run(t testing.TB, script string, in Fields) (Fields, error) {
	t.Helper()
	return e.RunIn(t, &pipeline.Env{}, script, in)
}

// RunIn is Run in an environment. A slow machine is no reason for a run to fail:
// where env has no limit of time, it gets a generous one.
func (e Engine) RunIn(t testing.TB, env *pipeline.Env, script string, in Fields) (Fields, error) {
	t.Helper()
	own := *env
	own.Category = point.Metric // no final step adds a status
	if own.Limits.Time == 0 {
		own.Limits.Time = time.Minute
	}
	p := Point(t, in)
	_, err := e.Compile(t, script).Run(&p, &own)
	out := Fields{}
	for _, f := range p.Fields {
		out[f.Key] = f.Value.Any()
	}
	return out, err
}
