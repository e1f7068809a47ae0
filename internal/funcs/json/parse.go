package json

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// value returns the value of the part at: numbers are floats, and of equal keys
// the last one counts. Strings without escapes are parts of the text.
func (d *document) value(r *fn.Run, at int) (point.Value, error) {
	p := d.parts[at]
	switch raw := d.text[p.start:p.end]; raw[0] {
	case '{':
		return d.object(r, at)
	case '[':
		return d.array(r, at)
	case '"':
		text, err := d.content(r, p)
		return point.StringOf(text), err
	case 't', 'f':
		return point.BoolOf(raw[0] == 't'), nil
	case 'n':
		return point.NilOf(), nil
	default:
		f, _ := strconv.ParseFloat(raw, 64)
		return point.FloatOf(f), nil
	}
}

func (d *document) object(r *fn.Run, at int) (point.Value, error) {
	n := d.count(at) / 2
	if err := r.Alloc((n + 1) * fn.EntrySize); err != nil {
		return point.NilOf(), err
	}
	m := make(map[string]point.Value, n)
	for i, end := at+1, int(d.parts[at].next); i < end; i = int(d.parts[i+1].next) {
		key, err := d.content(r, d.parts[i])
		if err != nil {
			return point.NilOf(), err
		}
		v, err := d.value(r, i+1)
		if err != nil {
			return v, err
		}
		m[key] = v
	}
	return point.MapOf(m), nil
}

func (d *document) array(r *fn.Run, at int) (point.Value, error) {
	n := d.count(at)
	if err := r.Alloc((n + 1) * fn.ValueSize); err != nil {
		return point.NilOf(), err
	}
	list := make([]point.Value, 0, n)
	for i, end := at+1, int(d.parts[at].next); i < end; i = int(d.parts[i].next) {
		v, err := d.value(r, i)
		if err != nil {
			return v, err
		}
		list = append(list, v)
	}
	return point.ListOf(&list), nil
}

// count returns how many parts follow directly in the one at.
func (d *document) count(at int) int {
	n := 0
	for i, end := at+1, int(d.parts[at].next); i < end; i = int(d.parts[i].next) {
		n++
	}
	return n
}

// content returns what a string says.
func (d *document) content(r *fn.Run, p part) (string, error) {
	raw := d.text[p.start+1 : p.end-1]
	if !p.escaped {
		return raw, nil
	}
	return unescape(raw), r.Alloc(len(raw))
}

func unescape(raw string) string {
	var b strings.Builder
	b.Grow(len(raw))
	for raw != "" {
		plain, rest, found := strings.Cut(raw, `\`)
		b.WriteString(plain)
		if !found {
			break
		}
		if rest[0] != 'u' {
			b.WriteByte("\"\\/\b\f\n\r\t"[strings.IndexByte(`"\/bfnrt`, rest[0])])
			raw = rest[1:]
			continue
		}
		char := hex4(rest[1:5])
		raw = rest[5:]
		if utf16.IsSurrogate(char) {
			second := utf8.RuneError
			if strings.HasPrefix(raw, `\u`) {
				second = hex4(raw[2:6])
			}
			if char = utf16.DecodeRune(char, second); char != utf8.RuneError {
				raw = raw[6:]
			}
		}
		b.WriteRune(char)
	}
	return b.String()
}

func hex4(s string) rune {
	n, _ := strconv.ParseUint(s, 16, 16)
	return rune(n)
}
