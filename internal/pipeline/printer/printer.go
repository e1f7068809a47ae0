// Package printer lays a script out anew: one statement a line, blocks indented,
// one space where there is one.
//
// It works on the words of the script and not on its tree: strings, numbers and
// comments stay as they are written, and so do the line breaks inside of an
// expression, which nobody places as well as the author. What changes is white
// space, semicolons between statements, and the case of keywords. So a laid out
// script is the same program, with the same comments in the same places.
package printer

import (
	"strings"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/pipeline/parser"
	"datakit.dev/internal/pipeline/scanner"
	"datakit.dev/internal/pipeline/token"
)

// indent is one level.
const indent = "    "

// Format returns src laid out. A script that cannot be parsed is refused.
func Format(src string) (string, diag.List) {
	if _, errs := parser.Parse(src); len(errs) > 0 {
		return "", errs
	}
	p := &printer{src: src, prev: token.Token{Kind: token.EOL}}
	scan := scanner.NewWithComments(src)
	for t := scan.Next(); t.Kind != token.EOF; t = scan.Next() {
		p.token(t)
	}
	p.out.WriteByte('\n')
	if p.out.Len() > parser.MaxSource {
		var errs diag.List
		errs.Add(diag.Position{}, "laid out, the script has %d bytes; at most %d are allowed", p.out.Len(), parser.MaxSource)
		return "", errs
	}
	return p.out.String(), nil
}

// A printer writes tokens, one after the other.
type printer struct {
	src  string
	out  strings.Builder
	prev token.Token // written last, comments aside; EOL at the beginning
	open []frame     // brackets and blocks around the next token

	unary     bool // prev is an operator before its operand
	commented bool // a comment was written behind prev
	broken    bool // the next token begins a line
	lines     int  // newlines since something was written
	level     int  // indentation of the line that is written
	header    int  // semicolons that the head of a for loop still needs
}

// A frame is a bracket, a brace or a block that is open.
type frame struct {
	kind  token.Kind
	block bool
	level int // indentation of what closes it
}

func (p *printer) token(t token.Token) {
	switch {
	case t.Kind == token.EOL:
		p.lines++
		p.broken = true
	case t.Kind == token.Comment:
		p.comment(t)
	case t.Kind == token.Semicolon && p.header == 0:
		p.broken = true
		p.ended()
	default:
		p.word(t)
	}
}

// ended forgets the statement: what comes next begins one.
func (p *printer) ended() {
	if !p.inBrackets() && !p.atBlockStart() {
		p.prev = token.Token{Kind: token.EOL}
	}
}

// comment writes a comment: behind the text on its line, or on a line of its own.
func (p *printer) comment(t token.Token) {
	text := strings.TrimRight(t.Text, " \t\r")
	if p.lines == 0 && p.out.Len() > 0 {
		p.out.WriteByte(' ')
	} else {
		p.breakLine(t)
	}
	p.out.WriteString(text)
	p.commented, p.broken, p.lines = true, true, 0
}

// word writes a token that is no comment and no end of a line.
func (p *printer) word(t token.Token) {
	if p.broken && !p.continues() {
		p.ended()
	}
	block := t.Kind == token.LeftBrace && p.opensBlock()
	p.separate(t)
	p.unary = isSign(t.Kind) && !p.prev.Kind.EndsOperand()
	p.out.WriteString(p.text(t))
	p.commented, p.broken, p.lines = false, block, 0
	p.count(t, block)
	p.prev = t
}

// separate writes what stands between prev and t.
func (p *printer) separate(t token.Token) {
	endsBlock := p.top().block && t.Kind == token.RightBrace
	switch {
	case p.out.Len() == 0 || endsBlock && p.atBlockStart() && !p.commented: // an empty block
	case endsBlock || p.broken:
		p.breakLine(t)
	case p.spaced(t):
		p.out.WriteByte(' ')
	}
}

// count keeps track of what is open behind t.
func (p *printer) count(t token.Token, block bool) {
	switch t.Kind { //nolint:exhaustive // what opens and closes
	case token.LeftParen, token.LeftBracket:
		p.open = append(p.open, frame{t.Kind, false, p.level})
	case token.LeftBrace:
		level := p.level
		if block {
			level, p.header = p.blocks(), 0
		}
		p.open = append(p.open, frame{t.Kind, block, level})
	case token.RightParen, token.RightBracket, token.RightBrace:
		p.open = p.open[:len(p.open)-1]
	case token.For:
		p.header = 2
	case token.Semicolon:
		p.header--
	}
}

// breakLine begins the line of t. One empty line between statements stays.
func (p *printer) breakLine(t token.Token) {
	f := p.top()
	closes := f.kind == opener(t.Kind)
	p.level = f.level
	if f.kind != token.EOF && !closes {
		p.level++
	}
	between := f.kind == token.EOF || f.block
	if between && !closes && p.continues() {
		p.level++
		between = false
	}
	if p.out.Len() > 0 {
		p.out.WriteByte('\n')
		first := p.atBlockStart() && !p.commented
		if p.lines > 1 && between && !closes && !first {
			p.out.WriteByte('\n')
		}
	}
	for range p.level {
		p.out.WriteString(indent)
	}
}

// spaced reports whether a space stands between prev and t on one line.
func (p *printer) spaced(t token.Token) bool {
	prev := p.prev.Kind
	switch t.Kind { //nolint:exhaustive // the others are as what comes before them
	case token.RightParen, token.RightBracket, token.Comma, token.Colon:
		return false
	case token.RightBrace:
		return false
	case token.Semicolon:
		return prev == token.For
	case token.Dot:
		return !prev.EndsOperand() && !p.tight()
	case token.LeftParen:
		return prev != token.Ident && !p.tight()
	case token.LeftBracket:
		return !prev.EndsOperand() && !p.tight()
	case token.Assign:
		return p.top().kind != token.LeftParen
	}
	return !p.tight()
}

// tight reports whether nothing stands between prev and what follows it.
func (p *printer) tight() bool {
	switch p.prev.Kind { //nolint:exhaustive // the others stand apart
	case token.LeftParen, token.LeftBracket, token.LeftBrace, token.Dot:
		return true
	case token.Colon:
		return p.top().kind == token.LeftBracket
	case token.Assign:
		return p.top().kind == token.LeftParen
	}
	return p.unary
}

// text returns t as it is written; keywords that lead a statement in lower case.
func (p *printer) text(t token.Token) string {
	switch t.Kind { //nolint:exhaustive // the others are spelled one way
	case token.Number, token.String, token.Raw, token.True, token.False, token.Nil:
		return t.Text
	case token.Ident:
		if p.src[t.Pos] == '`' {
			return "`" + t.Text + "`"
		}
		return t.Text
	}
	return t.Kind.String()
}

func (p *printer) top() frame {
	if len(p.open) == 0 {
		return frame{kind: token.EOF}
	}
	return p.open[len(p.open)-1]
}

// blocks returns how many blocks are open.
func (p *printer) blocks() int {
	n := 0
	for _, f := range p.open {
		if f.block {
			n++
		}
	}
	return n
}

func (p *printer) inBrackets() bool { return len(p.open) > 0 && !p.top().block }

// atBlockStart reports whether prev is the brace that opened the block.
func (p *printer) atBlockStart() bool {
	return p.prev.Kind == token.LeftBrace && p.top().block
}

// continues reports whether what follows a line break belongs to the statement
// before it.
func (p *printer) continues() bool {
	if p.inBrackets() {
		return true
	}
	_, assigns := p.prev.Kind.Operator()
	return assigns || p.prev.Kind.Precedence() > 0
}

// opensBlock reports whether a brace at hand opens a block, and not a map: a
// block follows a condition, else, or the second semicolon of a for loop.
func (p *printer) opensBlock() bool {
	switch {
	case p.inBrackets():
		return false
	case p.prev.Kind == token.Else:
		return true
	case p.prev.Kind == token.Semicolon:
		return p.header == 0
	}
	return p.prev.Kind.EndsOperand()
}

// opener returns what k closes, or Illegal.
func opener(k token.Kind) token.Kind {
	switch k { //nolint:exhaustive // what closes something
	case token.RightParen:
		return token.LeftParen
	case token.RightBracket:
		return token.LeftBracket
	case token.RightBrace:
		return token.LeftBrace
	}
	return token.Illegal
}

func isSign(k token.Kind) bool { return k == token.Add || k == token.Sub || k == token.Not }
