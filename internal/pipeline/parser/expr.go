package parser

import (
	"strconv"

	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/scanner"
	"datakit.dev/internal/pipeline/token"
)

func (p *parser) expr() ast.Expr { return p.binary(1) }

// binary parses operators of precedence low and tighter.
func (p *parser) binary(low int) ast.Expr {
	x := p.unary()
	for {
		op, at := p.tok.Kind, p.tok.Pos
		prec := op.Precedence()
		if prec == 0 || prec < low {
			return x
		}
		p.next()
		p.lines()
		h := p.height
		y := p.binary(prec + 1)
		p.grow(h)
		if (op == token.Div || op == token.Mod) && isZero(y) {
			p.failAt(at, "division by zero")
		}
		x = &ast.Binary{At: at, Op: op, X: x, Y: y}
	}
}

func isZero(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.IntLit:
		return x.Value == 0
	case *ast.FloatLit:
		return x.Value == 0
	}
	return false
}

func (p *parser) unary() ast.Expr {
	p.enter()
	defer p.leave()
	switch op, at := p.tok.Kind, p.tok.Pos; op { //nolint:exhaustive // the prefix operators
	case token.Add, token.Sub, token.Not:
		p.next()
		p.lines()
		x := p.unary()
		p.grow(0)
		if n := signed(op, at, x); n != nil {
			return n
		}
		return &ast.Unary{At: at, Op: op, X: x}
	}
	return p.primary()
}

// signed returns a number with its sign as one literal: the language takes -5
// wherever it takes 5, and refuses it where it refuses 5. It returns nil for
// what is no number.
func signed(op token.Kind, at token.Pos, x ast.Expr) ast.Expr {
	sign := 1
	switch op { //nolint:exhaustive // the signs
	case token.Not:
		return nil
	case token.Sub:
		sign = -1
	}
	switch x := x.(type) {
	case *ast.IntLit:
		return &ast.IntLit{At: at, Value: int64(sign) * x.Value}
	case *ast.FloatLit:
		return &ast.FloatLit{At: at, Value: float64(sign) * x.Value}
	}
	return nil
}

func (p *parser) primary() ast.Expr {
	p.height = 1
	at := p.tok.Pos
	switch p.tok.Kind { //nolint:exhaustive // the others begin no expression
	case token.Ident:
		return p.name()
	case token.Number, token.String, token.Raw, token.True, token.False, token.Nil:
		return p.slices(p.literal())
	case token.LeftBracket:
		return p.slices(p.list())
	case token.LeftBrace:
		return p.mapLit()
	case token.LeftParen:
		p.next()
		p.lines()
		x := p.expr()
		p.lines()
		p.expect(token.RightParen, `")"`)
		p.grow(0)
		return &ast.Paren{At: at, X: x}
	case token.Dot:
		return p.path(p.pathIndex())
	}
	p.unexpected("an expression")
	return nil
}

// name parses what begins with a name: a call, an index, a slice or a path.
func (p *parser) name() ast.Expr {
	id := p.ident()
	switch p.tok.Kind { //nolint:exhaustive // what may follow a name
	case token.LeftParen:
		return p.slices(p.call(id))
	case token.LeftBracket:
		x := p.bracket(id)
		index, ok := x.(*ast.Index)
		if !ok {
			return p.slices(x)
		}
		p.moreIndexes(index)
		return p.path(index)
	}
	return p.path(id)
}

func (p *parser) ident() *ast.Ident {
	t := p.expect(token.Ident, "a name")
	return &ast.Ident{At: t.Pos, Name: t.Text}
}

// path parses the .name and .name[i] that follow x.
func (p *parser) path(x ast.Expr) ast.Expr {
	for p.tok.Kind == token.Dot {
		h := p.height
		p.next()
		var sel ast.Expr
		if p.tok.Kind == token.Dot {
			sel = p.pathIndex()
		} else {
			sel = p.pathName()
		}
		p.grow(h)
		x = &ast.Attr{At: x.Pos(), X: x, Sel: sel}
	}
	return x
}

func (p *parser) pathName() ast.Expr {
	id := p.ident()
	p.height = 1
	if p.tok.Kind != token.LeftBracket {
		return id
	}
	index := &ast.Index{At: id.At, Obj: id}
	p.moreIndexes(index)
	return index
}

// pathIndex parses .[i], the way into a list at the top of a JSON text.
func (p *parser) pathIndex() ast.Expr {
	at := p.expect(token.Dot, `"."`).Pos
	if p.tok.Kind != token.LeftBracket {
		p.unexpected(`"[" after "."`)
	}
	index := &ast.Index{At: at}
	p.moreIndexes(index)
	return index
}

func (p *parser) moreIndexes(index *ast.Index) {
	for p.tok.Kind == token.LeftBracket {
		h := p.height
		p.next()
		p.lines()
		index.By = append(index.By, p.expr())
		p.lines()
		p.expect(token.RightBracket, `"]"`)
		p.grow(h)
	}
}

// bracket parses id[i] or id[low:high:step].
func (p *parser) bracket(id *ast.Ident) ast.Expr {
	p.next()
	p.lines()
	if p.tok.Kind == token.Colon {
		return p.slice(id, nil)
	}
	x := p.expr()
	if p.tok.Kind == token.Colon {
		return p.slice(id, x)
	}
	p.lines()
	p.expect(token.RightBracket, `"]"`)
	p.grow(0)
	return &ast.Index{At: id.At, Obj: id, By: []ast.Expr{x}}
}

// slices parses the [low:high:step] that follow x.
func (p *parser) slices(x ast.Expr) ast.Expr {
	for p.tok.Kind == token.LeftBracket {
		h := p.height
		p.next()
		p.lines()
		var low ast.Expr
		if p.tok.Kind != token.Colon {
			low = p.expr()
		}
		x = p.slice(x, low)
		p.grow(h)
	}
	return x
}

// slice parses the rest of a slice, from its first colon.
func (p *parser) slice(x, low ast.Expr) ast.Expr {
	s := &ast.Slice{At: x.Pos(), X: x, Low: low}
	h := p.height
	p.expect(token.Colon, `":"`)
	p.lines()
	if p.tok.Kind != token.Colon && p.tok.Kind != token.RightBracket {
		s.High = p.expr()
	}
	h = max(h, p.height)
	if p.tok.Kind == token.Colon {
		p.next()
		p.lines()
		if p.tok.Kind != token.RightBracket {
			s.Step = p.expr()
		}
	}
	p.expect(token.RightBracket, `":" or "]"`)
	p.grow(h)
	for _, bound := range []ast.Expr{s.Low, s.High, s.Step} {
		switch bound.(type) {
		case *ast.StringLit, *ast.FloatLit, *ast.BoolLit, *ast.ListLit, *ast.MapLit:
			p.failAt(bound.Pos(), "a slice's bounds must be integers, got %s", ast.Kind(bound))
		}
	}
	return s
}

// items parses what stands between an opening token, the current one, and end,
// separated by commas. item parses one and returns its height.
func (p *parser) items(end token.Kind, expected string, item func() int) {
	p.next()
	p.lines()
	h := 0
	for p.tok.Kind != end {
		h = max(h, item())
		if p.tok.Kind != token.Comma {
			p.lines()
			break
		}
		p.next()
		p.lines()
	}
	p.expect(end, expected)
	p.grow(h)
}

func (p *parser) call(id *ast.Ident) ast.Expr {
	p.enter()
	defer p.leave()
	c := &ast.Call{At: id.At, Name: id.Name}
	p.items(token.RightParen, `"," or ")"`, func() int {
		c.Args = append(c.Args, p.arg())
		return p.height
	})
	return c
}

func (p *parser) arg() ast.Expr {
	x := p.expr()
	id, ok := x.(*ast.Ident)
	if !ok || p.tok.Kind != token.Assign {
		return x
	}
	p.next()
	p.lines()
	return &ast.NamedArg{At: id.At, Name: id.Name, Value: p.expr()}
}

func (p *parser) list() ast.Expr {
	p.enter()
	defer p.leave()
	l := &ast.ListLit{At: p.tok.Pos}
	p.items(token.RightBracket, `"," or "]"`, func() int {
		l.Elems = append(l.Elems, p.expr())
		h := p.height
		p.lines() // only in a list may a line end before the comma
		return h
	})
	return l
}

func (p *parser) mapLit() ast.Expr {
	p.enter()
	defer p.leave()
	m := &ast.MapLit{At: p.tok.Pos}
	p.items(token.RightBrace, `"," or "}"`, func() int {
		m.Keys = append(m.Keys, p.expr())
		h := p.height
		p.expect(token.Colon, `":" after the key`)
		p.lines()
		m.Values = append(m.Values, p.expr())
		return max(h, p.height)
	})
	return m
}

func (p *parser) literal() ast.Expr {
	t := p.tok
	p.next()
	switch t.Kind { //nolint:exhaustive // the caller has looked
	case token.Number:
		return p.number(t)
	case token.True, token.False:
		return &ast.BoolLit{At: t.Pos, Value: t.Kind == token.True}
	case token.Nil:
		return &ast.NilLit{At: t.Pos}
	}
	unquote := scanner.Unquote
	if t.Kind == token.Raw {
		unquote = scanner.UnquoteRaw
	}
	s, err := unquote(t.Text)
	if err != nil {
		p.failAt(t.Pos, "%v", err)
	}
	return &ast.StringLit{At: t.Pos, Value: s}
}

// number is an int where it fits one, else a float: 0x1f, 010 is 8, 08 is 8.0.
func (p *parser) number(t token.Token) ast.Expr {
	if n, err := strconv.ParseInt(t.Text, 0, 64); err == nil {
		return &ast.IntLit{At: t.Pos, Value: n}
	}
	f, err := strconv.ParseFloat(t.Text, 64)
	if err != nil {
		p.failAt(t.Pos, "bad number %s", t.Text)
	}
	return &ast.FloatLit{At: t.Pos, Value: f}
}
