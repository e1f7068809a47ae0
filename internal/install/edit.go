package install

import (
	"slices"
	"strings"

	"datakit.dev/internal/spec"
)

// An editor changes a datakit.conf and leaves every other byte of it alone. The
// text has to be valid TOML. Where a key cannot be set without breaking the
// text, as one below a key that holds a number, the result is not what was asked
// for: [Merge] sees to that.
type editor struct{ text string }

// A setting is one key with the TOML that it is to have.
type setting struct {
	path    []string
	literal string
}

// newline is how the lines of the text end.
func (e *editor) newline() string {
	if strings.Contains(e.text, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// splice puts with in the place of a part.
func (e *editor) splice(at span, with string) {
	e.text = e.text[:at.start] + with + e.text[at.end:]
}

// set gives a key its value, wherever and however its table is written.
func (e *editor) set(s setting) {
	sections := layout(e.text)
	for _, sec := range sections {
		if rest, ok := below(s.path, sec.path); ok && !sec.list && e.setIn(sec.pairs, rest, s.literal) {
			return
		}
	}
	table, key := s.path[:len(s.path)-1], s.path[len(s.path)-1:]
	for i, sec := range sections {
		switch {
		case sec.list || !slices.Equal(sec.path, table):
		case i == 0 && len(sec.pairs) == 0:
			e.first(sections, line("", key, s.literal))
			return
		default:
			e.add(sec, key, s.literal)
			return
		}
	}
	if e.beside(sections, s) {
		return
	}
	e.end("["+join(table)+"]", line("  ", key, s.literal))
}

// setIn sets the key at path below pairs; false is that there is none.
func (e *editor) setIn(pairs []pair, path []string, literal string) bool {
	for _, p := range pairs {
		rest, ok := below(path, p.path)
		switch {
		case !ok:
		case len(rest) == 0:
			if !equal(p.value.of(e.text), literal) {
				e.splice(p.value, e.withComments(p, literal))
			}
			return true
		case strings.HasPrefix(p.value.of(e.text), "{"):
			if inner := members(e.text, p.value); !e.setIn(inner, rest, literal) {
				e.widen(p.value, inner, rest, literal)
			}
			return true
		}
	}
	return false
}

// withComments returns the value that takes the place of that of p, with the
// comments that stand inside the old one: those between the elements of a list.
func (e *editor) withComments(p pair, literal string) string {
	inner, isList := strings.CutPrefix(literal, "[")
	if !isList || e.text[p.value.start] != '[' {
		return literal
	}
	indent := ""
	if p.line.end > 0 {
		indent = e.text[p.line.start:p.key.start]
	}
	lines := []string{"["}
	for _, c := range commentsIn(e.text, p.value) {
		lines = append(lines, indent+"  "+strings.TrimRight(c.of(e.text), "\r"))
	}
	if len(lines) == 1 {
		return literal
	}
	return strings.Join(append(lines, indent+"  "+strings.TrimSuffix(inner, "]"), indent+"]"), e.newline())
}

// widen adds a pair to an inline table.
func (e *editor) widen(table span, inner []pair, path []string, literal string) {
	one := join(path) + " = " + literal
	if len(inner) == 0 {
		e.splice(table, "{ "+one+" }")
		return
	}
	behind := inner[len(inner)-1].value.end
	e.splice(span{behind, behind}, ", "+one)
}

// add writes a further pair at the end of a section, indented as its others are.
func (e *editor) add(sec section, path []string, literal string) {
	indent := "  "
	if len(sec.pairs) > 0 {
		last := sec.pairs[len(sec.pairs)-1]
		indent = e.text[last.line.start:last.key.start]
	} else {
		header := sec.line.of(e.text)
		indent += header[:len(header)-len(strings.TrimLeft(header, " \t"))]
	}
	e.insert(sec.end(), line(indent, path, literal))
}

// beside adds a key to a table that only dotted keys make: it cannot have a
// header as well.
func (e *editor) beside(sections []section, s setting) bool {
	table := s.path[:len(s.path)-1]
	for _, sec := range sections {
		for _, p := range sec.pairs {
			full := slices.Concat(sec.path, p.path)
			if rest, ok := below(full, table); ok && len(rest) > 0 && !sec.list && len(sec.path) < len(table) {
				e.insert(p.line.end, line(e.text[p.line.start:p.key.start], s.path[len(sec.path):], s.literal))
				return true
			}
		}
	}
	return false
}

// first writes the first pair that is in no table: before the first header and
// the comment that belongs to it.
func (e *editor) first(sections []section, text string) {
	if len(sections) == 1 {
		e.insert(len(e.text), text)
		return
	}
	at := sections[1].line.start
	for at > 0 {
		before := strings.LastIndexByte(e.text[:at-1], '\n') + 1
		if !strings.HasPrefix(strings.TrimLeft(e.text[before:at], " \t"), "#") {
			break
		}
		at = before
	}
	e.insert(at, text)
}

// insert puts whole lines at a place where a line begins, or behind a last line
// that has no end.
func (e *editor) insert(at int, lines ...string) {
	nl := e.newline()
	text := strings.Join(lines, nl) + nl
	if at > 0 && e.text[at-1] != '\n' {
		text = nl + text
	}
	e.splice(span{at, at}, text)
}

// end writes a new table at the end of the text.
func (e *editor) end(lines ...string) {
	if strings.TrimSpace(e.text) != "" && !strings.HasSuffix(e.text, "\n\n") {
		lines = append([]string{""}, lines...)
	}
	e.insert(len(e.text), lines...)
}

// A table of [[confds]] is under a header of its own, or an element of a list
// that is written in one value.
type confds struct {
	headers []section
	list    *span
	inline  []span
}

func (e *editor) confds() (c confds) {
	for i, sec := range layout(e.text) {
		if sec.list && slices.Equal(sec.path, []string{"confds"}) {
			c.headers = append(c.headers, sec)
		}
		for _, p := range sec.pairs {
			if i == 0 && slices.Equal(p.path, []string{"confds"}) && strings.HasPrefix(p.value.of(e.text), "[") {
				c.list, c.inline = &p.value, elements(e.text, p.value)
			}
		}
	}
	return c
}

// setStore sets keys of the nth table of [[confds]].
func (e *editor) setStore(n int, settings []setting) {
	for _, s := range settings {
		switch c := e.confds(); {
		case n < len(c.headers):
			if sec := c.headers[n]; !e.setIn(sec.pairs, s.path, s.literal) {
				e.add(sec, s.path, s.literal)
			}
		case n < len(c.inline):
			if inner := members(e.text, c.inline[n]); !e.setIn(inner, s.path, s.literal) {
				e.widen(c.inline[n], inner, s.path, s.literal)
			}
		}
	}
}

// addStore adds a table to [[confds]], behind those there are: the first wins,
// and what the user wrote stays first.
func (e *editor) addStore(settings []setting) {
	c := e.confds()
	if c.list == nil {
		lines := []string{"[[confds]]"}
		for _, s := range settings {
			lines = append(lines, line("  ", s.path, s.literal))
		}
		e.end(lines...)
		return
	}
	var pairs []string
	for _, s := range settings {
		pairs = append(pairs, line("", s.path, s.literal))
	}
	one := "{ " + strings.Join(pairs, ", ") + " }"
	at := c.list.start + 1
	if n := len(c.inline); n > 0 {
		at, one = c.inline[n-1].end, ", "+one
	}
	e.splice(span{at, at}, one)
}

func line(indent string, path []string, literal string) string {
	return indent + join(path) + " = " + literal
}

// join writes a path as TOML does.
func join(path []string) string {
	parts := make([]string, len(path))
	for i, p := range path {
		parts[i] = spec.TOMLKey(p)
	}
	return strings.Join(parts, ".")
}

// below returns what path has behind head.
func below(path, head []string) (rest []string, ok bool) {
	if len(head) > len(path) || !slices.Equal(path[:len(head)], head) {
		return nil, false
	}
	return path[len(head):], true
}

// unquote returns what a TOML string says.
func unquote(literal string) string {
	if root, bad := spec.Parse("x = " + literal); bad == nil {
		if s, ok := root.Keys[0].Node.Scalar.(string); ok {
			return s
		}
	}
	return literal
}
