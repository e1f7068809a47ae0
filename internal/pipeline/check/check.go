// Package check finds what is wrong with a script that parses: unknown
// functions, calls with too few or too many arguments, break outside a loop.
package check

import (
	"datakit.dev/internal/diag"
	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/token"
)

// Script checks the statements of src against the functions there are.
func Script(src string, stmts []ast.Stmt, funcs fn.Table) diag.List {
	c := &checker{src: src, funcs: funcs}
	c.stmts(stmts)
	return c.errs
}

type checker struct {
	src   string
	funcs fn.Table
	loops int // around the statement at hand
	errs  diag.List
}

// MaxErrors is how many diagnostics a script gets at most: each is looked up in its
// text.
const MaxErrors = 10

func (c *checker) errorf(pos token.Pos, format string, args ...any) {
	if len(c.errs) >= MaxErrors {
		return
	}
	c.errs.Add(diag.At(c.src, int(pos)), format, args...)
}

func (c *checker) stmts(list []ast.Stmt) {
	for _, s := range list {
		c.stmt(s)
	}
}

func (c *checker) stmt(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.ExprStmt:
		c.expr(s.X)
	case *ast.Assign:
		c.expr(s.Right)
		c.expr(s.Left)
	case *ast.If:
		for _, clause := range s.Clauses {
			c.expr(clause.Cond)
			c.stmts(clause.Body.Stmts)
		}
		if s.Else != nil {
			c.stmts(s.Else.Stmts)
		}
	case *ast.For:
		c.forStmt(s)
	case *ast.ForIn:
		c.expr(s.X)
		c.loop(s.Body)
	case *ast.Break:
		c.inLoop(s.At, "break")
	case *ast.Continue:
		c.inLoop(s.At, "continue")
	}
}

func (c *checker) forStmt(s *ast.For) {
	if s.Init != nil {
		c.stmt(s.Init)
	}
	c.expr(s.Cond)
	c.loop(s.Body)
	if s.Step != nil {
		c.stmt(s.Step)
	}
}

func (c *checker) loop(body *ast.Block) {
	c.loops++
	c.stmts(body.Stmts)
	c.loops--
}

func (c *checker) inLoop(pos token.Pos, word string) {
	if c.loops == 0 {
		c.errorf(pos, "%s outside a loop", word)
	}
}

func (c *checker) exprs(list []ast.Expr) {
	for _, x := range list {
		c.expr(x)
	}
}

func (c *checker) expr(x ast.Expr) {
	switch x := x.(type) {
	case *ast.Paren:
		c.expr(x.X)
	case *ast.Unary:
		c.expr(x.X)
	case *ast.Binary:
		c.expr(x.X)
		c.expr(x.Y)
	case *ast.Attr:
		c.expr(x.X)
		c.expr(x.Sel)
	case *ast.Index:
		c.exprs(x.By)
	case *ast.Slice:
		c.exprs([]ast.Expr{x.X, x.Low, x.High, x.Step})
	case *ast.NamedArg:
		c.expr(x.Value)
	case *ast.ListLit:
		c.exprs(x.Elems)
	case *ast.MapLit:
		c.mapLit(x)
	case *ast.Call:
		c.call(x)
	}
}

func (c *checker) mapLit(m *ast.MapLit) {
	for _, key := range m.Keys {
		switch key.(type) {
		case *ast.FloatLit, *ast.IntLit, *ast.BoolLit, *ast.NilLit, *ast.ListLit, *ast.MapLit:
			c.errorf(key.Pos(), "the key of a map must be a string, got %s", ast.Kind(key))
		}
	}
	c.exprs(m.Keys)
	c.exprs(m.Values)
}

func (c *checker) call(x *ast.Call) {
	c.exprs(x.Args)
	f, ok := c.funcs.Lookup(x.Name)
	if !ok {
		c.errorf(x.At, "unknown function %q%s", x.Name, c.funcs.Suggest(x.Name))
		return
	}
	if _, err := Arrange(x, f); err != nil {
		c.errorf(err.Pos, "%s", err.Msg)
	}
}
