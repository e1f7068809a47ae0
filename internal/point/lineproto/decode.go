package lineproto

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/point"
)

// The default bounds of a line, and how many diagnostics a text can have.
const (
	DefaultMaxLine   = 4 << 20
	DefaultMaxTags   = 256
	DefaultMaxFields = 4096
	maxDiagnostics   = 100
)

// Options changes how [Decode] reads.
type Options struct {
	Precision Precision // of the times; nanoseconds where empty
	MaxLine   int       // bytes of one line; DefaultMaxLine where 0
	MaxTags   int       // DefaultMaxTags where 0
	MaxFields int       // DefaultMaxFields where 0
}

// Decode reads every line of text. A line that is wrong gives a diagnostic with
// its place, and the others are read all the same; one text reports at most a
// hundred. Blank lines and those that begin with # are passed over. A point
// whose line has no time has Time 0.
//
// The points share the memory of text: keep a point only as long as it is fine
// to keep all of the text.
func Decode(text string, o Options) ([]point.Point, diag.List) {
	d := decoder{src: text, opts: o.withDefaults(), line: 1}
	for d.next() {
		d.start = d.pos
		p, ok := d.point()
		if ok {
			d.out = append(d.out, p)
		} else {
			d.skipLine()
		}
	}
	if d.unsaid > 0 {
		d.list.Add(diag.Position{}, "and %d more lines are wrong", d.unsaid)
	}
	return d.out, d.list
}

func (o Options) withDefaults() Options {
	for _, bound := range []struct {
		have     *int
		fallback int
	}{{&o.MaxLine, DefaultMaxLine}, {&o.MaxTags, DefaultMaxTags}, {&o.MaxFields, DefaultMaxFields}} {
		if *bound.have <= 0 {
			*bound.have = bound.fallback
		}
	}
	return o
}

type decoder struct {
	src   string
	pos   int // of the next byte to read
	start int // of the line
	opts  Options
	out   []point.Point

	tags   slab[point.Tag]
	fields slab[point.Field]
	seen   map[string]struct{} // the keys of a line that has many

	list    diag.List
	unsaid  int // diagnostics beyond the bound
	line    int // the number of the line that holds counted
	counted int // line breaks before here are in line
}

// next passes over blank lines and comments, and reports whether a line begins.
func (d *decoder) next() bool {
	for d.pos < len(d.src) {
		switch d.src[d.pos] {
		case ' ', '\r', '\n':
			d.pos++
		case '#':
			d.skipLine()
		default:
			return true
		}
	}
	return false
}

// skipLine goes to the next line break at or after pos.
func (d *decoder) skipLine() {
	if i := strings.IndexByte(d.src[d.pos:], '\n'); i >= 0 {
		d.pos += i + 1
	} else {
		d.pos = len(d.src)
	}
}

// fail notes what is wrong at offset at, and returns false.
func (d *decoder) fail(at int, format string, args ...any) bool {
	if len(d.list) >= maxDiagnostics {
		d.unsaid++
		return false
	}
	d.line += strings.Count(d.src[d.counted:at], "\n")
	d.counted = at
	from := strings.LastIndexByte(d.src[:at], '\n') + 1
	d.list.Add(diag.Position{Line: d.line, Column: 1 + utf8.RuneCountInString(d.src[from:at])}, format, args...)
	return false
}

// point reads one line and its line break.
func (d *decoder) point() (p point.Point, ok bool) {
	if p.Name, ok = d.measurement(); !ok {
		return p, false
	}
	if p.Tags, ok = d.tagList(); !ok {
		return p, false
	}
	if p.Fields, ok = d.fieldList(); !ok {
		return p, false
	}
	if p.Time, ok = d.time(); !ok {
		return p, false
	}
	if n := d.pos - d.start; n > d.opts.MaxLine {
		return p, d.fail(d.start, "a line of %d bytes, at most %d are taken", n, d.opts.MaxLine)
	}
	return p, d.lineEnd()
}

// lineEnd takes the end of a line.
func (d *decoder) lineEnd() bool {
	d.spaces()
	rest := d.src[d.pos:]
	switch {
	case rest == "" || rest == "\r":
		d.pos = len(d.src)
	case rest[0] == '\n':
		d.pos++
	case strings.HasPrefix(rest, "\r\n"):
		d.pos += 2
	default:
		return d.fail(d.pos, "expected a time or the end of the line, got %s", d.show())
	}
	return true
}

func (d *decoder) spaces() {
	for d.pos < len(d.src) && d.src[d.pos] == ' ' {
		d.pos++
	}
}

// peek returns the byte at pos, '\n' at the end of the text or of a line.
func (d *decoder) peek() byte {
	if d.pos >= len(d.src) || d.src[d.pos] == '\r' && (d.pos+1 == len(d.src) || d.src[d.pos+1] == '\n') {
		return '\n'
	}
	return d.src[d.pos]
}

// show names what stands at pos, for a message.
func (d *decoder) show() string {
	if d.peek() == '\n' {
		return "the end of the line"
	}
	r, _ := utf8.DecodeRuneInString(d.src[d.pos:])
	return fmt.Sprintf("%q", r)
}

func (d *decoder) measurement() (string, bool) {
	if strings.HasPrefix(d.src[d.pos:], `\#`) {
		d.pos++ // no comment, see appendName
	}
	name := d.word(&nameSpecial)
	if name == "" {
		return "", d.fail(d.pos, "expected a measurement, got %s", d.show())
	}
	if c := d.peek(); c != ',' && c != ' ' {
		return "", d.fail(d.pos, "expected a space and fields after the measurement, got %s", d.show())
	}
	return name, true
}

func (d *decoder) tagList() ([]point.Tag, bool) {
	d.tags.begin()
	for sorted := true; ; {
		if d.peek() == ' ' {
			return d.endTags(sorted)
		}
		d.pos++ // the comma
		at := d.pos
		if d.tags.n() == d.opts.MaxTags {
			return nil, d.fail(at, "more than %d tags", d.opts.MaxTags)
		}
		t, ok := d.tag()
		if !ok {
			return nil, false
		}
		if have := d.tags.open(); len(have) > 0 {
			sorted = sorted && have[len(have)-1].Key < t.Key
		}
		d.tags.add(t)
	}
}

func (d *decoder) tag() (point.Tag, bool) {
	key, ok := d.key("tag")
	if !ok {
		return point.Tag{}, false
	}
	value := d.word(&keySpecial)
	if value == "" {
		return point.Tag{}, d.fail(d.pos, "expected the value of tag %q, got %s", shorten(key), d.show())
	}
	if c := d.peek(); c != ',' && c != ' ' {
		return point.Tag{}, d.fail(d.pos, `expected a comma or a space after the value of tag %q, got %s`, shorten(key), d.show())
	}
	return point.Tag{Key: key, Value: value}, true
}

// endTags sorts the tags, and refuses a key that is there twice.
func (d *decoder) endTags(sorted bool) ([]point.Tag, bool) {
	tags := d.tags.end()
	if sorted {
		return tags, true
	}
	p := point.Point{Tags: tags}
	p.SortTags()
	if len(p.Tags) < len(tags) {
		return nil, d.fail(d.start, "a tag is written twice")
	}
	return tags, true
}

// key reads a key and the equals sign behind it.
func (d *decoder) key(what string) (string, bool) {
	key := d.word(&keySpecial)
	switch {
	case key == "":
		return "", d.fail(d.pos, "expected the name of a %s, got %s", what, d.show())
	case d.peek() != '=':
		return "", d.fail(d.pos, "expected = after %s %q, got %s", what, shorten(key), d.show())
	}
	d.pos++
	return key, true
}

// word reads up to a byte of special that has no backslash before it.
func (d *decoder) word(special *class) string {
	from, escapes := d.pos, 0
	for ; d.pos < len(d.src); d.pos++ {
		c := d.src[d.pos]
		if c == '\\' && d.pos+1 < len(d.src) && escapable(d.src[d.pos+1], special) {
			d.pos++
			escapes++
			continue
		}
		if special[c] {
			break
		}
	}
	if escapes == 0 {
		return d.src[from:d.pos]
	}
	return unescape(d.src[from:d.pos], escapes, special)
}

// escapable reports whether a backslash before c is an escape. Line breaks end a
// line whatever stands before them.
func escapable(c byte, special *class) bool { return special[c] && c >= ' ' }

func unescape(s string, escapes int, special *class) string {
	out := make([]byte, 0, len(s)-escapes)
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && escapable(s[i+1], special) {
			i++
		}
		out = append(out, s[i])
	}
	return string(out)
}

func (d *decoder) fieldList() ([]point.Field, bool) {
	d.spaces()
	d.fields.begin()
	if len(d.seen) > 0 {
		clear(d.seen)
	}
	for {
		at := d.pos
		if d.fields.n() == d.opts.MaxFields {
			return nil, d.fail(at, "more than %d fields", d.opts.MaxFields)
		}
		key, ok := d.key("field")
		if !ok {
			return nil, false
		}
		if d.repeated(key) {
			return nil, d.fail(at, "field %q is written twice", shorten(key))
		}
		v, ok := d.value(key)
		if !ok {
			return nil, false
		}
		d.fields.add(point.Field{Key: key, Value: v})
		switch d.peek() {
		case ',':
			d.pos++
		case ' ', '\n':
			return d.fields.end(), true
		default:
			return nil, d.fail(d.pos, "expected a comma or a space after the value of field %q, got %s", shorten(key), d.show())
		}
	}
}

// fewFields is how many keys are searched one by one.
const fewFields = 24

// repeated reports whether the line has field key already. With many fields a
// search of them all would let a hostile line cost the square of its length.
func (d *decoder) repeated(key string) bool {
	have := d.fields.open()
	if len(have) < fewFields {
		for i := range have {
			if have[i].Key == key {
				return true
			}
		}
		return false
	}
	if len(have) == fewFields {
		if d.seen == nil {
			d.seen = make(map[string]struct{}, 2*fewFields)
		}
		for i := range have {
			d.seen[have[i].Key] = struct{}{}
		}
	}
	_, ok := d.seen[key]
	d.seen[key] = struct{}{}
	return ok
}

// shorten keeps a hostile name from filling a message.
func shorten(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}
