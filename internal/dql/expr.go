package dql

import (
	"slices"
	"strconv"
	"strings"

	"datakit.dev/internal/point"
)

// filter parses conditions up to the closing token; a comma means AND, and binds
// less than OR.
func (p *parser) filter(closing string) expr {
	if p.is(closing) {
		return nil
	}
	all := p.expr()
	for p.is(",") {
		at := p.tok.pos
		p.advance()
		if p.is(closing) {
			break
		}
		all = binary{op: "&&", l: all, r: p.expr(), at: at}
		p.deeper()
	}
	return all
}

// deeper counts a level of nesting that stays: a chain of operators is a tree as
// deep as it is long.
func (p *parser) deeper() {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.tok.pos, "the query is nested too deeply, over %d levels", maxDepth)
	}
}

// levels are the binary operators, the loosest first.
var levels = [][]string{{"||"}, {"&&"}, {"=", "!=", "<", "<=", ">", ">=", "in"}, {"+", "-"}, {"*", "/", "%"}} //nolint:gochecknoglobals // a table, never written

func (p *parser) expr() expr {
	p.deeper()
	e := p.level(0)
	p.depth--
	return e
}

// operator returns the binary operator that the current token is, or "".
func (p *parser) operator() string {
	switch {
	case p.tok.kind == tokOp:
		return p.tok.text
	case p.isWord("and"):
		return "&&"
	case p.isWord("or"):
		return "||"
	case p.isWord("in"):
		return "in"
	}
	return ""
}

func (p *parser) level(n int) expr {
	if n == len(levels) {
		return p.power()
	}
	l := p.level(n + 1)
	from := p.depth
	for {
		op := p.operator()
		if op == "" || !slices.Contains(levels[n], op) {
			p.depth = from
			return l
		}
		at := p.tok.pos
		p.advance()
		p.deeper()
		b := binary{op: op, l: l, at: at}
		if op == "in" {
			b.r = p.list()
		} else {
			b.r = p.level(n + 1)
		}
		l = b
	}
}

// power parses a ^ b ^ c, which is a ^ (b ^ c).
func (p *parser) power() expr {
	p.deeper()
	defer func() { p.depth-- }()
	if p.is("-") {
		at := p.tok.pos
		p.advance()
		return negate(p.power(), at)
	}
	l := p.primary()
	if !p.is("^") {
		return l
	}
	at := p.tok.pos
	p.advance()
	return binary{op: "^", l: l, r: p.power(), at: at}
}

// negate makes a number of a minus and a number.
func negate(x expr, at int) expr {
	if l, ok := x.(literal); ok {
		switch l.value.Kind() {
		case point.Int:
			return literal{point.IntOf(-l.value.Int()), at}
		case point.Float:
			return literal{point.FloatOf(-l.value.Float()), at}
		default:
		}
	}
	return unary{x, at}
}

func (p *parser) primary() expr {
	t := p.tok
	switch t.kind {
	case tokInt, tokFloat:
		p.advance()
		return literal{p.numberOf(t), t.pos}
	case tokDuration:
		p.advance()
		return literal{point.IntOf(int64(p.durationOf(t))), t.pos}
	case tokString:
		p.advance()
		return literal{point.StringOf(t.text), t.pos}
	case tokRegex:
		p.advance()
		return pattern{p.regex(t.text, t.pos), t.pos}
	case tokName:
		return p.named()
	case tokOp, tokEOF, tokDate:
	}
	switch {
	case p.is("["):
		return p.list()
	case p.eat("*"):
		return star{t.pos}
	case p.eat("("):
		e := p.expr()
		p.expect(")", "to close the bracket")
		return e
	}
	p.fail(t.pos, "expected a name, a number or a function, got %s", t.describe())
	return nil
}

func (p *parser) numberOf(t token) point.Value {
	if t.kind == tokInt {
		if n, err := strconv.ParseInt(t.text, 10, 64); err == nil {
			return point.IntOf(n)
		}
	}
	f, err := strconv.ParseFloat(t.text, 64)
	if err != nil {
		p.fail(t.pos, "%s is too large a number", quote(t.text))
	}
	return point.FloatOf(f)
}

// named parses what begins with a word: a name, a function, a constant.
func (p *parser) named() expr {
	t := p.tok
	lower := strings.ToLower(t.text)
	if !t.quoted {
		switch lower {
		case "true", "false":
			p.advance()
			return literal{point.BoolOf(lower == "true"), t.pos}
		case "nil", "null":
			p.advance()
			return literal{point.NilOf(), t.pos}
		case "linear", "previous":
			p.advance()
			return word{lower, t.pos}
		case "identifier":
			n := p.name("a name")
			return nameExpr{n}
		}
		if slices.Contains(keywords(), lower) {
			p.fail(t.pos, "%s is a keyword: write `%s` where it is a name", t.text, t.text)
		}
	}
	p.advance()
	switch {
	case !t.quoted && p.is("("):
		return p.call(t)
	case t.quoted && t.text == "*":
		return star{t.pos}
	}
	return nameExpr{name{t.text, t.pos}}
}

// call parses a function, of which the name is already read.
func (p *parser) call(t token) expr {
	p.advance()
	c := &call{fn: strings.ToLower(t.text), at: t.pos}
	if c.fn == "re" {
		s := p.text("the regular expression")
		p.expect(")", "after the regular expression")
		return pattern{p.regex(s.text, s.pos), t.pos}
	}
	for !p.is(")") {
		p.argument(c)
		if len(c.args)+len(c.named) > maxBy {
			p.fail(t.pos, "%s has too many arguments", t.text)
		}
		if !p.eat(",") {
			break
		}
	}
	p.expect(")", "after the arguments of "+t.text)
	if c.fn == "wildcard" {
		p.wildcard(c)
	}
	return c
}

func (p *parser) argument(c *call) {
	e := p.expr()
	if b, ok := e.(binary); ok && b.op == "=" {
		if n, ok := b.l.(nameExpr); ok {
			c.named = append(c.named, named{strings.ToLower(n.text), b.r})
			return
		}
	}
	if p.eatWord("as") {
		n := p.name("the alias")
		if c.fn != "fill" || len(c.args) > 0 {
			p.fail(n.at, "an alias stands behind the target, or within fill()")
		}
		c.alias = n.text
	}
	c.args = append(c.args, e)
}

// list parses [a, b, …].
func (p *parser) list() expr {
	l := list{at: p.tok.pos}
	p.expect("[", "to begin a list")
	for !p.is("]") {
		l.items = append(l.items, p.expr())
		if len(l.items) > maxItems {
			p.fail(l.at, "a list has at most %d items", maxItems)
		}
		if !p.eat(",") {
			break
		}
	}
	p.expect("]", "to close the list")
	return l
}
