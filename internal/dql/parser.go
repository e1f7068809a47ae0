package dql

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/point"
)

// Parse returns the query that text asks, or what is wrong with it.
func Parse(text string) (q *Query, bad diag.List) {
	if len(text) > maxQuery {
		bad.Add(diag.Position{}, "a query has at most %d bytes", maxQuery)
		return nil, bad
	}
	if !utf8.ValidString(text) {
		bad.Add(diag.Position{}, "the query is not valid UTF-8")
		return nil, bad
	}
	bad = catch(text, func() {
		p := &parser{scan: scanner{src: text}}
		p.advance()
		q = p.query()
		q.check()
	})
	if bad != nil {
		return nil, bad
	}
	return q, nil
}

// catch runs f and returns the syntax error that it panics with.
func catch(text string, f func()) (bad diag.List) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(syntaxError)
			if !ok {
				panic(r)
			}
			bad.Add(diag.At(text, e.at), "%s", e.message)
			bad = bad.In("", text)
		}
	}()
	f()
	return nil
}

// A parser reads a query with one token of look-ahead.
type parser struct {
	scan   scanner
	tok    token
	depth  int
	states int // of the patterns so far
}

func (p *parser) advance() { p.tok = p.scan.next() }

func (p *parser) fail(at int, format string, args ...any) {
	panic(syntaxError{at, fmt.Sprintf(format, args...)})
}

// is reports whether the current token is the operator op.
func (p *parser) is(op string) bool { return p.tok.kind == tokOp && p.tok.text == op }

// eat skips the operator op if it is there.
func (p *parser) eat(op string) bool {
	if !p.is(op) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(op, after string) {
	if !p.eat(op) {
		p.fail(p.tok.pos, "expected %q %s, got %s", op, after, p.tok.describe())
	}
}

// isWord reports whether the current token is the keyword w.
func (p *parser) isWord(w string) bool {
	return p.tok.kind == tokName && !p.tok.quoted && strings.EqualFold(p.tok.text, w)
}

func (p *parser) eatWord(w string) bool {
	if !p.isWord(w) {
		return false
	}
	p.advance()
	return true
}

// isKeyword reports whether the current token is any keyword.
func (p *parser) isKeyword() bool {
	return p.tok.kind == tokName && !p.tok.quoted && slices.Contains(keywords(), strings.ToLower(p.tok.text))
}

func (p *parser) query() *Query {
	q := &Query{limit: -1, slimit: -1, space: Namespaces()[0]}
	if p.tok.kind == tokEOF {
		p.fail(p.tok.pos, "the query is empty; write M::cpu:(usage_total) LIMIT 5, or show_measurement()")
	}
	if p.tok.kind == tokName && !p.tok.quoted && strings.HasPrefix(strings.ToLower(p.tok.text), "show_") {
		first := p.tok
		p.advance()
		if p.is("(") {
			q.show = p.show(first)
			p.clauses(q)
			return q
		}
		p.sources(q, first)
	} else {
		first := p.tok
		p.advance()
		if p.is("::") {
			q.space = p.namespace(first)
			p.advance()
			first = p.tok
			p.advance()
		}
		p.sources(q, first)
	}
	if p.eat(":") {
		p.expect("(", "before the targets")
		q.targets = p.targets()
	}
	p.clauses(q)
	return q
}

func (p *parser) namespace(t token) Namespace {
	if t.kind == tokName {
		for _, n := range Namespaces() {
			if strings.EqualFold(n.Short, t.text) || slices.ContainsFunc(n.Names, func(s string) bool { return strings.EqualFold(s, t.text) }) {
				return n
			}
		}
	}
	var known []string
	for _, n := range Namespaces() {
		known = append(known, n.Short)
	}
	p.fail(t.pos, "unknown namespace %s; there is %s", t.describe(), strings.Join(known, " "))
	return Namespace{}
}

// sources parses the data sources, of which first is already read.
func (p *parser) sources(q *Query, first token) {
	q.sources = append(q.sources, p.source(first))
	for p.eat(",") {
		t := p.tok
		p.advance()
		q.sources = append(q.sources, p.source(t))
	}
}

func (p *parser) source(t token) source {
	switch {
	case t.text == "*" && (t.kind == tokOp || t.kind == tokName && t.quoted):
		return source{all: true}
	case t.kind == tokRegex:
		return source{re: p.regex(t.text, t.pos)}
	case t.kind == tokName && !t.quoted && p.is("("):
		return p.sourceCall(t)
	case t.kind == tokOp && t.text == "(":
		p.fail(t.pos, "a query within a query is not answered here")
	case t.kind == tokName && !t.quoted && slices.Contains(keywords(), strings.ToLower(t.text)):
		p.fail(t.pos, "%s is a keyword: write `%s` where it is a name", t.text, t.text)
	case t.kind == tokName, t.kind == tokString:
		return source{name: t.text}
	}
	p.fail(t.pos, "expected a data source such as cpu, got %s", t.describe())
	return source{}
}

// sourceCall parses re("…") and identifier("…"), of which the name is read.
func (p *parser) sourceCall(t token) (s source) {
	p.advance()
	switch strings.ToLower(t.text) {
	case "re":
		expr := p.text("the regular expression")
		s.re = p.regex(expr.text, expr.pos)
	case "identifier":
		s.name = p.text("the name").text
	default:
		p.fail(t.pos, "expected a data source, got the function %s", t.text)
	}
	p.expect(")", "after the data source")
	return s
}

// text returns the current token, which must be a string.
func (p *parser) text(what string) token {
	t := p.tok
	if t.kind != tokString {
		p.fail(t.pos, "expected %s as a string, got %s", what, t.describe())
	}
	p.advance()
	return t
}

// targets parses up to the closing bracket.
func (p *parser) targets() (out []target) {
	for !p.is(")") {
		at := p.tok.pos
		t := target{expr: p.expr()}
		if l, ok := t.expr.(literal); ok && l.value.Kind() == point.String {
			t.expr = nameExpr{name{l.value.Text(), l.at}}
		}
		if p.eatWord("as") {
			t.alias = p.name("the alias").text
		}
		if out = append(out, t); len(out) > maxTargets {
			p.fail(at, "a query has at most %d targets", maxTargets)
		}
		if !p.eat(",") {
			break
		}
	}
	p.expect(")", "after the targets")
	return out
}

// name parses a field, a tag or an alias.
func (p *parser) name(what string) name {
	t := p.tok
	switch {
	case t.kind == tokName && !t.quoted && strings.EqualFold(t.text, "identifier"):
		p.advance()
		if p.eat("(") {
			s := p.text("the name")
			p.expect(")", "after the name")
			return name{s.text, t.pos}
		}
		return name{t.text, t.pos}
	case p.isKeyword():
		p.fail(t.pos, "expected %s, got the keyword %s: write `%s` where it is a name", what, t.text, t.text)
	case t.kind != tokName && t.kind != tokString:
		p.fail(t.pos, "expected %s, got %s", what, t.describe())
	}
	p.advance()
	return name{t.text, t.pos}
}

// clauses parses what stands behind the targets, in its fixed order.
func (p *parser) clauses(q *Query) {
	if p.eat("{") {
		q.filter = p.filter("}")
		p.expect("}", "after the filters")
	}
	if p.is("[") {
		q.span = p.span()
		p.advance()
	}
	if p.eatWord("by") {
		q.by = p.names("by")
	}
	if p.eatWord("order") {
		if !p.eatWord("by") {
			p.fail(p.tok.pos, "expected BY after ORDER, got %s", p.tok.describe())
		}
		q.order = p.orders()
	}
	for _, c := range []struct {
		word string
		n    *int
		most int
	}{{"limit", &q.limit, maxLimit}, {"offset", &q.offset, 1 << 30}, {"slimit", &q.slimit, maxGroups}, {"soffset", &q.soffset, 1 << 30}} {
		if p.eatWord(c.word) {
			*c.n = p.count(c.word, c.most)
		}
	}
	if p.isWord("tz") {
		p.advance()
		q.zone = p.zone()
	}
	p.end()
}

// end refuses what is left, and says what would have been right.
func (p *parser) end() {
	t := p.tok
	if t.kind == tokEOF {
		return
	}
	clause := strings.ToLower(t.text)
	order := []string{"{", "[", "by", "order", "limit", "offset", "slimit", "soffset", "tz"}
	switch {
	case t.kind == tokOp && t.text == ";":
		p.fail(t.pos, "one query at a time: nothing may follow")
	case !t.quoted && (clause == "filter" || clause == "link" || clause == "with"):
		p.fail(t.pos, "%s is not answered here: the points of one host have one source", strings.ToUpper(clause))
	case !t.quoted && slices.Contains(order, clause):
		p.fail(t.pos, "%s stands too late or twice: the order is (targets) {filters} [time] BY, ORDER BY, LIMIT, OFFSET, SLIMIT, SOFFSET", strings.ToUpper(clause))
	}
	p.fail(t.pos, "unexpected %s", t.describe())
}

func (p *parser) names(clause string) (out []name) {
	for {
		out = append(out, p.name("a tag after "+strings.ToUpper(clause)))
		if len(out) > maxBy {
			p.fail(out[maxBy].at, "%s takes at most %d names", strings.ToUpper(clause), maxBy)
		}
		if !p.eat(",") {
			return out
		}
	}
}

func (p *parser) orders() (out []order) {
	for {
		o := order{name: p.name("a column after ORDER BY")}
		switch {
		case p.eatWord("desc"):
			o.desc = true
		case p.eatWord("asc"):
		}
		if out = append(out, o); len(out) > maxBy {
			p.fail(o.name.at, "ORDER BY takes at most %d names", maxBy)
		}
		if !p.eat(",") {
			return out
		}
	}
}

func (p *parser) count(clause string, most int) int {
	t := p.tok
	n, err := strconv.Atoi(t.text)
	switch {
	case t.kind != tokInt:
		p.fail(t.pos, "expected a number after %s, got %s", strings.ToUpper(clause), t.describe())
	case err != nil || n > most:
		p.fail(t.pos, "%s is at most %d here", strings.ToUpper(clause), most)
	}
	p.advance()
	return n
}
