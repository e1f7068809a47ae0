// Package diag says what is wrong with a text that a user wrote: where, what
// was expected, and the line itself.
package diag

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Position is a place in a text. Lines and columns count from 1, columns in
// characters; the zero Position means "the text as a whole".
type Position struct{ Line, Column int }

// String returns "line:column", or "" for the zero Position.
func (p Position) String() string {
	if p.Line == 0 {
		return ""
	}
	return fmt.Sprintf("%d:%d", p.Line, p.Column)
}

// At returns the position of byte offset in src.
func At(src string, offset int) Position {
	offset = min(max(offset, 0), len(src))
	head := src[:offset]
	start := strings.LastIndexByte(head, '\n') + 1
	return Position{Line: 1 + strings.Count(head, "\n"), Column: 1 + utf8.RuneCountInString(head[start:])}
}

// Offset returns the byte offset of p in src: what [At] was given.
func (p Position) Offset(src string) int {
	offset := 0
	for line := 1; line < p.Line; line++ {
		next := strings.IndexByte(src[offset:], '\n')
		if next < 0 {
			return len(src)
		}
		offset += next + 1
	}
	for column := 1; column < p.Column && offset < len(src); column++ {
		_, size := utf8.DecodeRuneInString(src[offset:])
		offset += size
	}
	return offset
}

// A Diagnostic is one thing wrong with a text.
type Diagnostic struct {
	Origin  string // the file, or the store and key, that holds the text; may be ""
	Pos     Position
	Message string // what is wrong and what was expected, one line
	Snippet string // the line at Pos, without what must stay secret; may be ""
}

// Error returns "origin:line:column: message" on one line.
func (d Diagnostic) Error() string {
	var b strings.Builder
	for _, part := range []string{d.Origin, d.Pos.String()} {
		if part != "" {
			b.WriteString(part)
			b.WriteByte(':')
		}
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	b.WriteString(OneLine(d.Message))
	return b.String()
}

// Text returns the error with its snippet and a caret under the column, for a
// terminal; several lines.
func (d Diagnostic) Text() string {
	if d.Snippet == "" || d.Pos.Line == 0 {
		return d.Error()
	}
	gutter := fmt.Sprintf("%5d | ", d.Pos.Line)
	return d.Error() + "\n" + gutter + d.Snippet + "\n" +
		strings.Repeat(" ", len(gutter)-2) + "| " + under(d.Snippet, d.Pos.Column) + "^"
}

// under returns the white space that ends below column of line; a tab stays a
// tab, so that the caret stands right whatever the terminal's tab width.
func under(line string, column int) string {
	var b strings.Builder
	for i, r := range []rune(line) {
		if i+1 >= column {
			break
		}
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}

// maxSnippet bounds a snippet, so that a megabyte on one line does not reach a
// log or a status page.
const maxSnippet = 200

// Line returns line n of src, shortened, as a snippet.
func Line(src string, n int) string {
	for ; n > 1; n-- {
		_, rest, ok := strings.Cut(src, "\n")
		if !ok {
			return ""
		}
		src = rest
	}
	line, _, _ := strings.Cut(src, "\n")
	line = strings.TrimRight(line, "\r")
	if len(line) > maxSnippet {
		line = strings.ToValidUTF8(line[:maxSnippet], "") + "…"
	}
	return line
}

// OneLine returns s without control characters, so that what a store or a file
// holds cannot forge a line of a log or steer a terminal.
func OneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == utf8.RuneError:
			return '�'
		}
		return r
	}, s)
}
