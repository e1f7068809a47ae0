package grok

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxExpanded bounds the text of a pattern with every reference replaced: ten
// patterns that each name the one before ten times would otherwise fill the
// memory. The largest built-in one takes 5 KiB.
const maxExpanded = 256 << 10

// A definition is a pattern with every reference replaced, and the types that
// its captures were given.
type definition struct {
	text  string
	types map[string]Type
}

// key tells definitions apart.
func (d definition) key() string {
	var b strings.Builder
	b.WriteString(d.text)
	for _, name := range slices.Sorted(maps.Keys(d.types)) {
		fmt.Fprintf(&b, "\x00%s:%d", name, d.types[name])
	}
	return b.String()
}

// A lookup finds the definition behind a name.
type lookup func(name string) (definition, error)

// expand replaces every reference in a pattern by a group that holds the
// pattern it names.
func expand(pattern string, find lookup) (definition, error) {
	out := definition{types: map[string]Type{}}
	var text strings.Builder
	for rest := pattern; rest != ""; {
		before, spec, after := cutReference(rest)
		text.WriteString(before)
		rest = after
		if spec == "" {
			break
		}
		ref, err := parseReference(spec)
		if err != nil {
			return definition{}, err
		}
		named, err := find(ref.pattern)
		if err != nil {
			return definition{}, err
		}
		out.adopt(ref, named)
		text.WriteString(ref.open())
		text.WriteString(named.text)
		text.WriteByte(')')
		if text.Len() > maxExpanded {
			return definition{}, fmt.Errorf("%w: more than %d bytes after %%{%s}", ErrLimit, maxExpanded, spec)
		}
	}
	out.text = text.String()
	if len(out.text) > maxExpanded {
		return definition{}, fmt.Errorf("%w: more than %d bytes", ErrLimit, maxExpanded)
	}
	return out, nil
}

// adopt takes over the types that a referenced pattern brings. A type that the
// reference itself gives wins over one from within, and the last over the first.
func (d *definition) adopt(ref reference, named definition) {
	for name, typ := range named.types {
		if _, ok := d.types[name]; !ok {
			d.types[name] = typ
		}
	}
	if ref.typed {
		d.types[ref.capture] = ref.typ
	}
}

// A reference is what stands between %{ and }.
type reference struct {
	pattern string
	capture string // "" for a group without a name
	typ     Type
	typed   bool
}

// open is the start of the group that replaces the reference.
func (r reference) open() string {
	if r.capture == "" {
		return "("
	}
	return "(?P<" + r.capture + ">"
}

// cutReference splits a pattern around its first reference: one to three parts
// of word characters, dots and hyphens with colons between. Whatever else looks
// like a reference, %{DATA:} say, is plain text and stays; spec is empty when
// there is none left.
func cutReference(pattern string) (before, spec, after string) {
	for from := 0; ; {
		open := strings.Index(pattern[from:], "%{")
		if open < 0 {
			return pattern, "", ""
		}
		open += from
		inside := pattern[open+2:]
		end := strings.IndexFunc(inside, func(r rune) bool { return r != ':' && !isReferenceRune(r) })
		if end >= 0 && inside[end] == '}' && isReference(inside[:end]) {
			return pattern[:open], inside[:end], inside[end+1:]
		}
		from = open + 2
	}
}

func isReference(spec string) bool {
	parts := strings.Split(spec, ":")
	return len(parts) <= 3 && !slices.Contains(parts, "")
}

func isReferenceRune(r rune) bool { return isNameRune(r) || r == '-' || r == '.' }

func isNameRune(r rune) bool {
	return r == '_' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
}

func parseReference(spec string) (reference, error) {
	parts := strings.SplitN(spec, ":", 3)
	ref := reference{pattern: parts[0]}
	if !isPatternName(ref.pattern) {
		return ref, fmt.Errorf("%w: %%{%s}: %q is no name, want words joined by single dots or hyphens",
			ErrSyntax, spec, ref.pattern)
	}
	if len(parts) > 1 {
		ref.capture = captureName(parts[1])
	}
	if len(parts) > 2 {
		typ, err := parseType(parts[2])
		if err != nil {
			return ref, fmt.Errorf("%%{%s}: %w", spec, err)
		}
		ref.typ, ref.typed = typ, true
	}
	return ref, nil
}

// isPatternName reports whether every dot and hyphen joins two words.
func isPatternName(name string) bool {
	joint := true
	for _, r := range name {
		word := isNameRune(r)
		if !word && joint {
			return false
		}
		joint = !word
	}
	return !joint
}

// captureName makes a key into a name that a regular expression allows.
func captureName(key string) string {
	return strings.Map(func(r rune) rune {
		if isNameRune(r) {
			return r
		}
		return '_'
	}, key)
}
