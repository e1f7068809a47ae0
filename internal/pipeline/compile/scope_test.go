package compile_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/check"
	"datakit.dev/internal/pipeline/compile"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/parser"
	"datakit.dev/internal/pipeline/token"
	"datakit.dev/internal/point"
)

// out is a function that notes its argument in the point.
func out() fn.Func {
	return fn.Func{
		Name:   "out",
		Params: []fn.Param{{Name: "v"}},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			return func(r *fn.Run) (point.Value, error) {
				v, err := c.Args[0].Eval(r)
				r.Point.Add("out", v)
				return v, err
			}, nil
		},
	}
}

func build(t interface{ Fatalf(string, ...any) }, src string) ([]ast.Stmt, *compile.Program) {
	funcs, err := fn.NewTable([]fn.Func{out()})
	if err != nil {
		t.Fatalf("%v", err)
	}
	stmts, errs := parser.Parse(src)
	if errs == nil {
		errs = check.Script(src, stmts, funcs)
	}
	if errs != nil {
		t.Fatalf("%s\n%s", src, errs.Text())
	}
	program, errs := compile.Compile(src, stmts, compile.Options{Name: "t.p", Funcs: funcs})
	if errs != nil {
		t.Fatalf("%s\n%s", src, errs.Text())
	}
	return stmts, program
}

// A naive interprets a script the slow and obvious way: each block is a map, and
// a name is looked up in one after the other.
type naive struct {
	scopes []map[string]int64
	point  map[string]int64
	out    []string
}

func (n *naive) in(run func()) {
	n.scopes = append(n.scopes, map[string]int64{})
	run()
	n.scopes = n.scopes[:len(n.scopes)-1]
}

func (n *naive) get(name string) (int64, bool) {
	for _, scope := range slices.Backward(n.scopes) {
		if v, ok := scope[name]; ok {
			return v, true
		}
	}
	v, ok := n.point[name]
	return v, ok
}

func (n *naive) set(name string, v int64) {
	for _, scope := range slices.Backward(n.scopes) {
		if _, ok := scope[name]; ok {
			scope[name] = v
			return
		}
	}
	n.scopes[len(n.scopes)-1][name] = v
}

func (n *naive) eval(x ast.Expr) (int64, bool) {
	switch x := x.(type) {
	case *ast.IntLit:
		return x.Value, true
	case *ast.Ident:
		return n.get(x.Name)
	case *ast.NamedArg:
		v, ok := n.eval(x.Value)
		if ok {
			n.set(x.Name, v)
		}
		return v, ok
	case *ast.Call:
		v, ok := n.eval(x.Args[0])
		text := "nil"
		if ok {
			text = fmt.Sprint(v)
		}
		n.out = append(n.out, text)
		return v, ok
	case *ast.Binary: // only i < n
		v, _ := n.eval(x.X)
		w, _ := n.eval(x.Y)
		if v < w {
			return 1, true
		}
		return 0, true
	}
	panic(fmt.Sprintf("%T", x))
}

func (n *naive) run(stmts []ast.Stmt) {
	for _, s := range stmts {
		switch s := s.(type) {
		case *ast.ExprStmt:
			n.eval(s.X)
		case *ast.Assign:
			n.assign(s)
		case *ast.If:
			n.in(func() {
				if v, _ := n.eval(s.Clauses[0].Cond); v != 0 {
					n.in(func() { n.run(s.Clauses[0].Body.Stmts) })
				} else if s.Else != nil {
					n.in(func() { n.run(s.Else.Stmts) })
				}
			})
		case *ast.For:
			n.in(func() {
				for n.run([]ast.Stmt{s.Init}); ; n.run([]ast.Stmt{s.Step}) {
					if v, _ := n.eval(s.Cond); v == 0 {
						return
					}
					n.in(func() { n.run(s.Body.Stmts) })
				}
			})
		case *ast.ForIn:
			list, _ := s.X.(*ast.ListLit)
			for _, e := range list.Elems {
				v, _ := n.eval(e)
				n.in(func() {
					n.set(s.Name.Name, v)
					n.run(s.Body.Stmts)
				})
			}
		}
	}
}

func (n *naive) assign(s *ast.Assign) {
	id, _ := s.Left.(*ast.Ident)
	v, _ := n.eval(s.Right)
	if s.Op == token.Add {
		old, ok := n.get(id.Name)
		if !ok {
			return
		}
		v += old
	}
	n.set(id.Name, v)
}

// script draws statements over few names, so that they meet across blocks. A
// loop counts in a name of its own, so that it ends.
func script(t *rapid.T, depth int) string {
	name := rapid.SampledFrom([]string{"a", "b", "c"})
	var b strings.Builder
	for range rapid.IntRange(1, 4).Draw(t, "statements") {
		kind := rapid.IntRange(0, 8).Draw(t, "kind")
		if depth == 0 {
			kind %= 5
		}
		switch kind {
		case 0:
			fmt.Fprintf(&b, "%s = %d\n", name.Draw(t, "name"), rapid.IntRange(0, 9).Draw(t, "n"))
		case 1:
			fmt.Fprintf(&b, "%s += 1\n", name.Draw(t, "name"))
		case 2, 3:
			fmt.Fprintf(&b, "out(%s)\n", name.Draw(t, "name"))
		case 4:
			fmt.Fprintf(&b, "out(%s = %d)\n", name.Draw(t, "name"), rapid.IntRange(10, 19).Draw(t, "n"))
		case 5:
			fmt.Fprintf(&b, "if %s {\n%s} else {\n%s}\n", name.Draw(t, "name"), script(t, depth-1), script(t, depth-1))
		case 6:
			i := fmt.Sprintf("i%d", depth)
			fmt.Fprintf(&b, "for %s = 0; %s < 2; %s += 1 {\n%s}\n", i, i, i, script(t, depth-1))
		case 7: // the step sets a variable that the first turn may not have
			i := fmt.Sprintf("i%d", depth)
			fmt.Fprintf(&b, "%s = 0\nfor ; %s < 2; %s = 5 {\n%s += 1\n%s}\n", i, i, name.Draw(t, "name"), i, script(t, depth-1))
		case 8:
			fmt.Fprintf(&b, "for %s in [0, 7] {\n%s}\n", name.Draw(t, "name"), script(t, depth-1))
		}
	}
	return b.String()
}

func TestSlotsAreTheScopesOfTheLanguage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := script(t, 3)
		stmts, program := build(t, src)
		want := naive{scopes: []map[string]int64{{}}, point: map[string]int64{"c": 100}}
		want.run(stmts)
		p := point.New("m", 8)
		p.Set("c", point.IntOf(100))
		r := new(fn.Run)
		r.Start(&p, &fn.Env{})
		if err := program.Run(r); err != nil {
			// A name that nothing has a value for is nil, which += cannot take
			// from a variable; the naive one does not know nil.
			t.Skip(err)
		}
		var got []string
		for _, f := range p.Fields[1:] {
			if f.Value.Kind() == point.Nil {
				got = append(got, "nil")
				continue
			}
			got = append(got, fn.TextOf(f.Value))
		}
		if fmt.Sprint(got) != fmt.Sprint(want.out) {
			t.Fatalf("%s\ngot  %v\nwant %v", src, got, want.out)
		}
	})
}

// TestFoldingChangesNothing compares expressions of literals, which are folded,
// with the same ones of variables, which are not.
func TestFoldingChangesNothing(t *testing.T) {
	literals := []string{"0", "1", "-7", "2.5", "0.0", "true", "false", "nil", "\"\"", "\"ab\"", "[]", "[1]", "{}", "{\"ab\": 1}"}
	for _, op := range []string{"+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in"} {
		for _, x := range literals {
			for _, y := range literals {
				if (op == "/" || op == "%") && (y == "0" || y == "0.0") {
					continue // refused by the parser
				}
				folded := evaluate(t, fmt.Sprintf("out((%s) %s (%s))", x, op, y))
				if run := evaluate(t, fmt.Sprintf("x = %s\ny = %s\nout(x %s y)", x, y, op)); run != folded {
					t.Errorf("%s %s %s: %s, of variables %s", x, op, y, folded, run)
				}
				cond := evaluate(t, fmt.Sprintf("x = %s\ny = %s\nif x %s y { out(true) } else { out(false) }", x, y, op))
				truth := evaluate(t, fmt.Sprintf("x = %s\ny = %s\nz = x %s y\nif z { out(true) } else { out(false) }", x, y, op))
				if cond != truth {
					t.Errorf("if %s %s %s: %s, of its value %s", x, op, y, cond, truth)
				}
			}
		}
	}
}

// TestIntsAreNumbersLikeOthers compares calculations of variables, of which those
// of ints alone go a short way, with the same ones of literals.
func TestIntsAreNumbersLikeOthers(t *testing.T) {
	names, values := []string{"i", "j", "k", "l"}, []string{"3", "-2", "2.5", "true"}
	var tree func(t *rapid.T, depth int) string
	tree = func(t *rapid.T, depth int) string {
		if depth == 0 || rapid.IntRange(0, 3).Draw(t, "leaf") == 0 {
			return rapid.SampledFrom(append(names, "7", "-1")).Draw(t, "operand")
		}
		op := rapid.SampledFrom([]string{"+", "-", "*"}).Draw(t, "op")
		return fmt.Sprintf("(%s %s -%s)", tree(t, depth-1), op, tree(t, depth-1))
	}
	rapid.Check(t, func(rt *rapid.T) {
		of := tree(rt, 4)
		test := rapid.SampledFrom([]string{"==", "!=", "<", "<=", ">", ">="}).Draw(rt, "test")
		src := fmt.Sprintf("out(%s)\nif %s %s %s { out(1) }", of, of, test, tree(rt, 2))
		literals := src
		set := ""
		for i, name := range names {
			literals = regexp.MustCompile(`\b`+name+`\b`).ReplaceAllString(literals, "("+values[i]+")")
			set += name + " = " + values[i] + "\n"
		}
		if got, want := evaluate(t, set+src), evaluate(t, literals); got != want {
			rt.Fatalf("%s%s\ngot  %s\nwant %s", set, src, got, want)
		}
	})
}

func TestDivisionByAVariableThatIsZero(t *testing.T) {
	for _, op := range []string{"/", "%"} {
		if got := evaluate(t, "z = 0\nout(1 "+op+" z)"); got != "error" {
			t.Errorf("1 %s 0 is %s", op, got)
		}
		if got := evaluate(t, "z = 0\nz "+op+"= z\nout(1)"); got != "error" {
			t.Errorf("z %s= 0 is %s", op, got)
		}
	}
}

func evaluate(t *testing.T, src string) string {
	t.Helper()
	_, program := build(t, src)
	p := point.New("m", 1)
	r := new(fn.Run)
	r.Start(&p, &fn.Env{})
	if err := program.Run(r); err != nil {
		return "error"
	}
	var b strings.Builder
	for _, f := range p.Fields {
		b.WriteString(f.Value.Kind().String() + " " + f.Value.String() + " ")
	}
	return b.String()
}
