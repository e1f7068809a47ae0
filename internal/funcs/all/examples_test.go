package all_test

import (
	"context"
	"reflect"
	"testing"

	"datakit.dev/internal/funcs/all"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/grok"
	"datakit.dev/internal/point"
)

func table(t *testing.T) fn.Table {
	t.Helper()
	funcs, err := all.Table()
	if err != nil {
		t.Fatal(err)
	}
	return funcs
}

func TestExamplesDoWhatTheySay(t *testing.T) {
	funcs := table(t)
	patterns, err := grok.NewSet(nil)
	if err != nil {
		t.Fatal(err)
	}
	opts := pipeline.Options{Funcs: funcs, Patterns: patterns}
	for _, name := range funcs.Names() {
		f, _ := funcs.Lookup(name)
		for _, example := range f.Examples {
			t.Run(name, func(t *testing.T) { run(t, opts, example) })
		}
	}
}

// outside returns services that answer what the examples show.
func outside() fn.Services { return fn.Services{Places: places{}, Tables: tables{}, HTTP: server{}} }

type (
	places struct{}
	tables struct{}
	server struct{}
)

func (places) Place(string) fn.Place {
	return fn.Place{Country: "Australia", Province: "Queensland", City: "Brisbane", ISP: "unknown"}
}

func (tables) Row(_ string, columns []string, values []point.Value) (fn.Row, bool) {
	return fn.Row{
		Columns: append([]string{"owner"}, columns...),
		Values:  append([]point.Value{point.StringOf("web team")}, values...),
	}, true
}

func (server) Do(context.Context, fn.HTTPRequest) (fn.HTTPResponse, error) {
	return fn.HTTPResponse{Status: 200, Body: `{"ok":true}`}, nil
}

func run(t *testing.T, opts pipeline.Options, example fn.Example) {
	t.Helper()
	program, errs := pipeline.Compile("example.p", example.Script, opts)
	if len(errs) > 0 {
		t.Fatal(errs.Text())
	}
	p := point.New("m", 4)
	for k, v := range example.Tags {
		p.SetTag(k, v)
	}
	for k, v := range example.In {
		p.Set(k, value(t, v))
	}
	if _, err := program.Run(&p, &pipeline.Env{Category: point.Metric, Services: outside()}); err != nil {
		t.Fatalf("%s: %v", example.Script, err)
	}
	for k, want := range example.Out {
		got, ok := p.Field(k)
		if want == nil && ok || !reflect.DeepEqual(got.Any(), want) {
			t.Errorf("%s\nfield %s: got %v (there: %v), want %v", example.Script, k, got, ok, want)
		}
	}
	for k, want := range example.OutTag {
		if got, ok := p.Tag(k); !ok || got != want {
			t.Errorf("%s\ntag %s: got %q, want %q", example.Script, k, got, want)
		}
	}
}

func value(t *testing.T, v any) point.Value {
	t.Helper()
	switch v := v.(type) {
	case string:
		return point.StringOf(v)
	case int64:
		return point.IntOf(v)
	case float64:
		return point.FloatOf(v)
	case bool:
		return point.BoolOf(v)
	}
	t.Fatalf("an example has a %T", v)
	return point.NilOf()
}

func TestFunctionsAreDescribed(t *testing.T) {
	funcs := table(t)
	for _, name := range funcs.Names() {
		f, _ := funcs.Lookup(name)
		if f.Doc.En == "" || f.Doc.Zh == "" {
			t.Errorf("%s has no documentation in both languages", name)
		}
		optional := false
		for i, p := range f.Params {
			if p.Rest && i < len(f.Params)-1 {
				t.Errorf("%s: %s takes the rest of the arguments, and is not the last", name, p.Name)
			}
			if optional && !p.Optional && !p.Rest {
				t.Errorf("%s: %s is needed, and follows one that is not", name, p.Name)
			}
			optional = p.Optional
			if f.Match == fn.ByType && p.Types == 0 {
				t.Errorf("%s: %s has no types", name, p.Name)
			}
		}
	}
}
