package parser_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/parser"
)

// expression parses src, one expression, and spells it with its groups shown.
func expression(t interface {
	Helper()
	Fatalf(string, ...any)
}, src string,
) ast.Expr {
	t.Helper()
	stmts, errs := parser.Parse(src)
	if len(errs) > 0 {
		t.Fatalf("%s\n%s", src, errs.Text())
	}
	if len(stmts) != 1 {
		t.Fatalf("%s: %d statements", src, len(stmts))
	}
	s, ok := stmts[0].(*ast.ExprStmt)
	if !ok {
		t.Fatalf("%s: %T", src, stmts[0])
	}
	return s.X
}

// grouped spells an expression with parentheses around each operator.
func grouped(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Binary:
		return "(" + grouped(x.X) + " " + x.Op.String() + " " + grouped(x.Y) + ")"
	case *ast.Unary:
		return "(" + x.Op.String() + grouped(x.X) + ")"
	case *ast.Paren:
		return grouped(x.X)
	}
	return ast.Text(x)
}

func TestPrecedence(t *testing.T) {
	for src, want := range map[string]string{
		"1+2*3-4":          "((1 + (2 * 3)) - 4)",
		"a||b&&c":          "(a || (b && c))",
		"a in b && c":      "((a in b) && c)",
		"a in b == c":      "(a in (b == c))",
		"1<2==true":        "((1 < 2) == true)",
		"!a==b":            "((!a) == b)",
		"-2*-3":            "(-2 * -3)",
		"-a[0]+1":          "((-a[0]) + 1)",
		"a-b-c":            "((a - b) - c)",
		"!-!x":             "(!(-(!x)))",
		"(a+b)*c":          "((a + b) * c)",
		"a %\n b":          "(a % b)",
		"f(\n a,\n b\n)":   "f(a, b)",
		"[1,\n2\n,3,\n]":   "[1, 2, 3]",
		"{\"k\" :\n 1,\n}": "{'k': 1}",
		"x[1:2][::-1]":     "x[1:2][::-1]",
		"f(x)[1:]":         "f(x)[1:]",
		"a.b[0].c":         "a.b[0].c",
		".[0].a":           "[0].a",
		"a . `b c`":        "a.b c",
		"f(a, b=1+2)":      "f(a, b = 1 + 2)",
	} {
		if got := grouped(expression(t, src)); got != want {
			t.Errorf("%q\ngot  %s\nwant %s", src, got, want)
		}
	}
}

func TestStatements(t *testing.T) {
	for _, src := range []string{
		"a = 1; b = 2", ";;a;;", "\n\n", "a\n\n\nb", "a # c\n# d\nb",
		"if a { b }", "if a {\n} elif b { c; } else { d\n }", "if {\"k\": 1} { a }", "if [1] {}", "if {} {}",
		"for x in y { break }", "for ;; {}", "for i = 0; i < 1; i += 1 {}", "for ; a; {}", "for f(x); ; g(y) { continue }",
		"for x in a == b {}", "for x in -n {}", "for x in (5) {}", "x = -\n5", "x = !\ntrue", "# c\ra = 1",
		"a[0][\"x\"] += 1", "x.y = 1", "1 = 2", "a =\n 1",
	} {
		if _, errs := parser.Parse(src); len(errs) > 0 {
			t.Errorf("%q: %v", src, errs)
		}
	}
}

// Each error stands where its mark is: « in the source is taken out, and the
// first diagnostic must point there and say what follows the arrow.
func TestErrorsPointAtTheirPlace(t *testing.T) {
	for _, c := range []string{
		"« → the script is empty",
		"# only« → the script is empty",
		"a = b «= 3 → expected a newline",
		"if a «= 1 {} → expected \"{\", got \"=\"",
		"if true«\n{ a } → expected \"{\", got the end of the line",
		"if a {}\n«else {} → expected an expression, got \"else\"",
		"add_key(a, 1) «add_key(b) → expected a newline or \";\"",
		"f(a\n«, b) → expected \",\" or \")\"",
		"x = [«,1] → expected an expression",
		"x = [1 «2] → expected \",\" or \"]\"",
		"f(token «\"s3cret\") → expected \",\" or \")\", got a string",
		"f(token «'''s3cret''') → expected \",\" or \")\", got a string",
		"x = a[«\"s3cret\":1] → a slice's bounds must be integers, got a string",
		"x = {1«} → expected \":\" after the key",
		"a[:::«] → ",
		"a[\"k\"«:] → ",
		"r = \"abc\"[0«] → expected \":\"",
		"x = 5 «/ 0 → division by zero",
		"x = 5 «/ -0 → division by zero",
		"x = 5 «% --0.0 → division by zero",
		"for x in «-5 {} → cannot loop over a number",
		"x = 5 «% 0.0 → division by zero",
		"for x in «5 {} → cannot loop over a number",
		"for «1 in x {} → the loop variable must be a name",
		"«for x {} → expected \"for name in value {\"",
		"«return → expected an expression, got the reserved word \"return\"",
		"x = «\"\\q\" → unknown escape",
		"x = «1e999 → bad number",
		"x = «'''a\"\"\" → the three quotes",
		"a = 3 «.5 → expected a newline",
		"f(1«} → expected \",\" or \")\"",
		"a = (1« → expected \")\", got the end of the script",
	} {
		marked, want, _ := strings.Cut(c, " → ")
		at := strings.Index(marked, "«")
		src := strings.Replace(marked, "«", "", 1)
		_, errs := parser.Parse(src)
		if len(errs) == 0 {
			t.Errorf("%q: no error", src)
			continue
		}
		line := 1 + strings.Count(src[:at], "\n")
		column := at - strings.LastIndexByte(src[:at], '\n')
		if want != "" && (errs[0].Pos.Line != line || errs[0].Pos.Column != column) {
			t.Errorf("%q: error at %v, want %d:%d: %s", src, errs[0].Pos, line, column, errs[0].Message)
		}
		if !strings.Contains(errs[0].Message, want) {
			t.Errorf("%q: %q does not say %q", src, errs[0].Message, want)
		}
	}
}

func TestOneScriptGivesSeveralErrors(t *testing.T) {
	src := "a = )\nif x {\n  b = )\n  c = 1\n}\nf(1,,2)\nadd_key(ok)\nd = 1 2\n"
	stmts, errs := parser.Parse(src)
	var lines []int
	for _, e := range errs {
		lines = append(lines, e.Pos.Line)
	}
	if fmt.Sprint(lines) != "[1 3 6 8]" {
		t.Errorf("errors on lines %v:\n%s", lines, errs.Text())
	}
	if len(stmts) == 0 {
		t.Error("the statement that is right was not parsed")
	}
}

func TestHostileScriptsAreRefused(t *testing.T) {
	for name, src := range map[string]string{
		"parentheses": "a = " + strings.Repeat("(", 200_000),
		"brackets":    strings.Repeat("[", 200_000),
		"braces":      strings.Repeat("{", 200_000),
		"blocks":      strings.Repeat("if a {", 100_000),
		"calls":       strings.Repeat("f(", 200_000),
		"minus":       "a = " + strings.Repeat("-", 200_000) + "1",
		"sums":        "a = 1" + strings.Repeat("+1", 200_000),
		"path":        "a" + strings.Repeat(".b", 200_000),
		"indexes":     "a" + strings.Repeat("[0]", 200_000),
		"slices":      "a" + strings.Repeat("[0:1]", 100_000),
		"large":       strings.Repeat("a\n", parser.MaxSource),
	} {
		t.Run(name, func(t *testing.T) {
			if _, errs := parser.Parse(src); len(errs) == 0 {
				t.Error("taken")
			} else if len(errs) > 10 {
				t.Errorf("%d errors", len(errs))
			}
		})
	}
}

// TestTextReadsBack generates expressions, spells them and parses that.
func TestTextReadsBack(t *testing.T) {
	var expr func(*rapid.T, int) string
	expr = func(t *rapid.T, depth int) string {
		if depth == 0 {
			return rapid.SampledFrom([]string{"a", "1", "2.500000", "'s'", "true", "nil", "x.y", "l[0]"}).Draw(t, "leaf")
		}
		sub := func() string { return expr(t, depth-1) }
		switch rapid.IntRange(0, 6).Draw(t, "kind") {
		case 0:
			op := rapid.SampledFrom([]string{"+", "-", "*", "&&", "||", "==", "<", "in", ">="}).Draw(t, "op")
			return "(" + sub() + " " + op + " " + sub() + ")"
		case 1:
			op, operand := rapid.SampledFrom([]string{"-", "!", "+"}).Draw(t, "unary"), sub()
			if operand[0] >= '0' && operand[0] <= '9' {
				op = "!" // a sign before a number becomes a part of it
			}
			return "(" + op + operand + ")"
		case 2:
			return "[" + sub() + ", " + sub() + "]"
		case 3:
			return "{'k': " + sub() + "}"
		case 4:
			return "f(" + sub() + ", n = " + sub() + ")"
		case 5:
			return "l[" + sub() + "]"
		}
		return "l[" + sub() + ":1]"
	}
	rapid.Check(t, func(t *rapid.T) {
		src := expr(t, rapid.IntRange(0, 5).Draw(t, "depth"))
		if strings.Contains(src, "['s':") || strings.Contains(src, "[2.500000:") || strings.Contains(src, "[true:") ||
			strings.Contains(src, "}:1]") || strings.Contains(src, "]:1]") {
			t.Skip("bounds that no slice takes")
		}
		if got := ast.Text(expression(t, src)); got != src {
			t.Fatalf("%s\nreads back as\n%s", src, got)
		}
	})
}

// FuzzParse looks for text on which the parser fails in any other way than with
// a diagnostic inside of it.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"a = 1\n", "if a { b } elif c {} else { d }", "for x in [1,2] { break }", "for i=0;i<3;i+=1 {}",
		"f(a, b=1)[1:2]", "x[\"k\"][0] += {\"a\": [nil]}", "a.b[0] = ", "{{{", ")))", "'''", "\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		stmts, errs := parser.Parse(src)
		if len(errs) == 0 && len(stmts) == 0 && strings.Trim(src, " \t\r\n;") != "" && !strings.Contains(src, "#") {
			t.Fatal("no statement and no error")
		}
		lines := 1 + strings.Count(src, "\n")
		for _, e := range errs {
			if e.Pos.Line > lines || e.Message == "" {
				t.Fatalf("error %+v in a text of %d lines", e, lines)
			}
		}
	})
}
