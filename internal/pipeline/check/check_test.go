package check_test

import (
	"strings"
	"testing"

	"datakit.dev/internal/pipeline/check"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/parser"
	"datakit.dev/internal/point"
)

func table(t *testing.T) fn.Table {
	t.Helper()
	funcs, err := fn.NewTable([]fn.Func{
		{Name: "pos", Params: []fn.Param{{Name: "a"}, {Name: "b", Optional: true}}},
		{Name: "rest", Params: []fn.Param{{Name: "a"}, {Name: "more", Rest: true}}},
		{Name: "named", Match: fn.ByName, Params: []fn.Param{{Name: "a"}, {Name: "b"}, {Name: "c", Optional: true}}},
		{Name: "only", Match: fn.ByName, Params: []fn.Param{{Name: "opt", Named: true, Optional: true}}},
		{Name: "typed", Match: fn.ByType, Params: []fn.Param{
			{Name: "s", Types: fn.OneOf(point.String)},
			{Name: "n", Types: fn.OneOf(point.Int, point.Float), Optional: true},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return funcs
}

func TestGoodScripts(t *testing.T) {
	funcs := table(t)
	for _, src := range []string{
		"pos(1)", "pos(1, 2)", "pos(x=1)", "rest(1)", "rest(1, 2, 3, 4)", "named(1, 2)", "named(b=1, a=2)", "named(1, c=3, b=2)",
		"only()", "only(opt=1)", "typed(\"a\")", "typed(x, y)", "typed(n=1.5, s=\"a\")", "typed(pos(1) + 1)",
		"for ;; { break }", "for x in y { if x { continue } }", "{\"a\": 1}", "{x: 1}", "{pos(1): 1}",
	} {
		stmts, errs := parser.Parse(src)
		if errs == nil {
			errs = check.Script(src, stmts, funcs)
		}
		if errs != nil {
			t.Errorf("%s: %v", src, errs)
		}
	}
}

func TestBadScripts(t *testing.T) {
	funcs := table(t)
	for src, want := range map[string]string{
		"pso(1)":                      `1:1: unknown function "pso"; did you mean "pos"?`,
		"pos()":                       "1:1: pos: the argument a is missing; it is called as pos(a, [b])",
		"pos(1, 2, 3)":                "1:1: pos: 3 arguments, at most 2; it is called as pos(a, [b])",
		"rest()":                      "1:1: rest: the argument a is missing; it is called as rest(a, more…)",
		"named(1)":                    "1:1: named: the argument b is missing",
		"named(a=1, 2)":               "1:12: named: an argument without a name follows one with a name",
		"named(1, 2, d=3)":            `1:13: named: it has no parameter "d"`,
		"only(1)":                     "1:6: only: the argument must be given by name, opt=…",
		"typed(1)":                    "1:7: typed: the argument s cannot be a int",
		"typed(\"a\", nil)":           "1:12: typed: the argument n cannot be a nil",
		"x = [1,\n pos()]":            "2:2: pos: the argument a is missing",
		"break":                       "1:1: break outside a loop",
		"if x { continue }":           "1:8: continue outside a loop",
		"for x in y {}\nbreak":        "2:1: break outside a loop",
		"{1: 2}":                      "1:2: the key of a map must be a string, got a number",
		"a[pso(1)] = b[pso(2):1]":     "1:15: unknown function",
		"a.b[pso(1)].c = 1":           "1:5: unknown function",
		"!(-pso(1)) in pos(z=pso(2))": "1:4: unknown function",
	} {
		stmts, errs := parser.Parse(src)
		if errs == nil {
			errs = check.Script(src, stmts, funcs)
		}
		if len(errs) == 0 || !strings.HasPrefix(errs[0].Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", src, errs, want)
		}
	}
}

func TestAllErrorsOfAScriptAreTold(t *testing.T) {
	src := "nope(1)\npos()\nfor x in y { typed(2) }\ncontinue\n"
	stmts, errs := parser.Parse(src)
	if errs != nil {
		t.Fatal(errs)
	}
	errs = check.Script(src, stmts, table(t))
	for i, line := range []int{1, 2, 3, 4} {
		if len(errs) != 4 || errs[i].Pos.Line != line {
			t.Fatalf("%v", errs)
		}
	}
}
