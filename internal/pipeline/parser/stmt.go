package parser

import (
	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/token"
)

func (p *parser) stmt() ast.Stmt {
	at := p.tok.Pos
	switch p.tok.Kind { //nolint:exhaustive // the others begin an expression
	case token.If:
		return p.ifStmt()
	case token.For:
		return p.forStmt()
	case token.Break:
		p.next()
		return &ast.Break{At: at}
	case token.Continue:
		p.next()
		return &ast.Continue{At: at}
	}
	return p.simple(p.expr())
}

// simple makes a statement of x: an assignment where an operator follows.
func (p *parser) simple(x ast.Expr) ast.Stmt {
	op, ok := p.tok.Kind.Operator()
	if !ok {
		return &ast.ExprStmt{X: x}
	}
	at := p.tok.Pos
	p.next()
	p.lines()
	return &ast.Assign{At: at, Left: x, Op: op, Right: p.expr()}
}

func (p *parser) ifStmt() ast.Stmt {
	s := &ast.If{Clauses: []ast.Clause{p.clause()}}
	for p.tok.Kind == token.Elif {
		s.Clauses = append(s.Clauses, p.clause())
	}
	if p.tok.Kind == token.Else {
		p.next()
		s.Else = p.block()
	}
	return s
}

func (p *parser) clause() ast.Clause {
	at := p.tok.Pos
	p.next()
	cond := p.expr()
	return ast.Clause{At: at, Cond: cond, Body: p.block()}
}

func (p *parser) block() *ast.Block {
	p.enter()
	defer p.leave()
	b := &ast.Block{At: p.expect(token.LeftBrace, `"{"`).Pos}
	for {
		for p.separator() {
			p.next()
		}
		if p.tok.Kind == token.RightBrace {
			p.next()
			return b
		}
		b.Stmts = append(b.Stmts, p.stmt())
		if !p.separator() && p.tok.Kind != token.RightBrace {
			p.unexpected(`a newline, ";" or "}" after the statement`)
		}
	}
}

// forStmt parses both loops: which one it is shows after the first expression.
func (p *parser) forStmt() ast.Stmt {
	at := p.tok.Pos
	p.next()
	loop := &ast.For{At: at}
	if p.tok.Kind != token.Semicolon {
		x := p.expr()
		if p.tok.Kind == token.LeftBrace {
			return p.forIn(at, x)
		}
		loop.Init = p.simple(x)
	}
	p.expect(token.Semicolon, `";" in the for statement`)
	if p.tok.Kind != token.Semicolon {
		loop.Cond = p.expr()
	}
	p.expect(token.Semicolon, `";" in the for statement`)
	if p.tok.Kind != token.LeftBrace {
		loop.Step = p.simple(p.expr())
	}
	loop.Body = p.block()
	return loop
}

func (p *parser) forIn(at token.Pos, x ast.Expr) ast.Stmt {
	in, ok := x.(*ast.Binary)
	if !ok || in.Op != token.In {
		p.failAt(at, `expected "for name in value {" or "for init; condition; step {"`)
	}
	name, ok := in.X.(*ast.Ident)
	if !ok {
		p.failAt(in.X.Pos(), "the loop variable must be a name")
	}
	switch in.Y.(type) {
	case *ast.BoolLit, *ast.NilLit, *ast.IntLit, *ast.FloatLit:
		p.failAt(in.Y.Pos(), "cannot loop over %s: expected a list, a map or a string", ast.Kind(in.Y))
	}
	return &ast.ForIn{At: at, Name: name, X: in.Y, Body: p.block()}
}
