// Package parser turns a script into its tree, or says what is wrong with it.
package parser

import (
	"fmt"
	"strings"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/scanner"
	"datakit.dev/internal/pipeline/token"
)

// The limits of a script. They keep the parser, and everything that later walks
// the tree, from running out of stack on a hostile one.
const (
	MaxSource = 1 << 20 // bytes
	maxNest   = 400     // parentheses, brackets and blocks in one another
	maxHeight = 4000    // operators below one another in the tree
	maxErrors = 10      // diagnostics for one script
)

// Parse returns the statements of src.
func Parse(src string) ([]ast.Stmt, diag.List) {
	p := &parser{src: src, scan: scanner.New(src)}
	if len(src) > MaxSource {
		p.errs.Add(diag.Position{}, "the script has %d bytes; at most %d are allowed", len(src), MaxSource)
		return nil, p.errs
	}
	p.next()
	stmts := p.script()
	return stmts, p.errs
}

type parser struct {
	src    string
	scan   *scanner.Scanner
	tok    token.Token
	braces int // open at tok, since the statement began
	nest   int // of the rule that runs
	height int // of the expression parsed last
	errs   diag.List
}

// A bailout unwinds to the statement that cannot be parsed.
type bailout struct{}

func (p *parser) next() {
	switch p.tok.Kind { //nolint:exhaustive // only braces count
	case token.LeftBrace:
		p.braces++
	case token.RightBrace:
		p.braces--
	}
	p.tok = p.scan.Next()
}

// failAt reports an error and gives the statement up.
func (p *parser) failAt(pos token.Pos, format string, args ...any) {
	p.errs.Add(diag.At(p.src, int(pos)), format, args...)
	panic(bailout{})
}

// unexpected reports that the token at hand is not what the grammar wants.
func (p *parser) unexpected(want string) {
	p.failAt(p.tok.Pos, "expected %s, got %s", want, describe(p.tok))
}

func describe(t token.Token) string {
	switch t.Kind { //nolint:exhaustive // the others are spelled as they are
	case token.Illegal:
		return t.Text
	case token.EOF, token.EOL:
		return t.Kind.String()
	case token.String, token.Raw:
		return "a string" // it may be a password
	case token.Ident, token.Number, token.Reserved:
		text := t.Text
		if len(text) > 20 {
			text = strings.ToValidUTF8(text[:20], "") + "…"
		}
		if t.Kind == token.Reserved {
			return fmt.Sprintf("the reserved word %q", text)
		}
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprintf("%q", t.Kind)
}

func (p *parser) expect(kind token.Kind, want string) token.Token {
	if p.tok.Kind != kind {
		p.unexpected(want)
	}
	t := p.tok
	p.next()
	return t
}

// lines passes over newlines, where the grammar allows them.
func (p *parser) lines() {
	for p.tok.Kind == token.EOL {
		p.next()
	}
}

func (p *parser) separator() bool {
	return p.tok.Kind == token.EOL || p.tok.Kind == token.Semicolon
}

// enter counts one more level of nesting; the rule calls leave when done.
func (p *parser) enter() {
	if p.nest++; p.nest > maxNest {
		p.failAt(p.tok.Pos, "more than %d levels of nesting", maxNest)
	}
}

func (p *parser) leave() { p.nest-- }

// grow makes the expression parsed last one operator higher than itself and
// than h, the height of its other operands.
func (p *parser) grow(h int) {
	if p.height = max(p.height, h) + 1; p.height > maxHeight {
		p.failAt(p.tok.Pos, "an expression of more than %d operators", maxHeight)
	}
}

func (p *parser) script() []ast.Stmt {
	if p.tok.Kind == token.EOF {
		p.errs.Add(diag.At(p.src, len(p.src)), "the script is empty")
		return nil
	}
	var stmts []ast.Stmt
	for {
		for p.separator() {
			p.next()
		}
		if p.tok.Kind == token.EOF || len(p.errs) >= maxErrors {
			return stmts
		}
		if s := p.topStmt(); s != nil {
			stmts = append(stmts, s)
		}
	}
}

// topStmt parses one statement of the script. After an error it goes on behind
// the statement, so that a script's other errors are found too.
func (p *parser) topStmt() (s ast.Stmt) {
	p.braces, p.nest = 0, 0
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(bailout); !ok {
				panic(r)
			}
			p.sync()
			s = nil
		}
	}()
	s = p.stmt()
	if !p.separator() && p.tok.Kind != token.EOF {
		p.unexpected(`a newline or ";" after the statement`)
	}
	return s
}

// sync skips to the end of the statement that failed.
func (p *parser) sync() {
	for p.tok.Kind != token.EOF && (p.braces > 0 || !p.separator()) {
		p.next()
	}
}
