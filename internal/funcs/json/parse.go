package json

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// parse returns the value of a valid JSON text: numbers are floats, and of equal
// keys the last one counts. Strings without escapes are parts of s.
func parse(r *fn.Run, s string) (point.Value, error) {
	sc := scanner{s: s}
	return sc.parse(r)
}

func (sc *scanner) parse(r *fn.Run) (point.Value, error) {
	sc.space()
	switch sc.s[sc.i] {
	case '{':
		return sc.parseObject(r)
	case '[':
		return sc.parseArray(r)
	case '"':
		text, err := sc.text(r)
		return point.StringOf(text), err
	case 't':
		sc.i += len("true")
		return point.BoolOf(true), nil
	case 'f':
		sc.i += len("false")
		return point.BoolOf(false), nil
	case 'n':
		sc.i += len("null")
		return point.NilOf(), nil
	}
	from := sc.i
	sc.number()
	f, _ := strconv.ParseFloat(sc.s[from:sc.i], 64)
	return point.FloatOf(f), nil
}

func (sc *scanner) parseObject(r *fn.Run) (point.Value, error) {
	if err := r.Alloc(2 * fn.EntrySize); err != nil {
		return point.NilOf(), err
	}
	m := map[string]point.Value{}
	sc.i++
	for sc.space(); !sc.take('}'); sc.space() {
		sc.take(',')
		sc.space()
		key, err := sc.text(r)
		if err != nil {
			return point.NilOf(), err
		}
		sc.space()
		sc.take(':')
		if err := r.Alloc(fn.EntrySize); err != nil {
			return point.NilOf(), err
		}
		if m[key], err = sc.parse(r); err != nil {
			return point.NilOf(), err
		}
	}
	return point.MapOf(m), nil
}

func (sc *scanner) parseArray(r *fn.Run) (point.Value, error) {
	list := []point.Value{}
	sc.i++
	for sc.space(); !sc.take(']'); sc.space() {
		sc.take(',')
		if err := r.Alloc(2 * fn.ValueSize); err != nil {
			return point.NilOf(), err
		}
		v, err := sc.parse(r)
		if err != nil {
			return v, err
		}
		list = append(list, v)
	}
	return point.ListOf(&list), nil
}

// text returns the string at hand, and passes over it.
func (sc *scanner) text(r *fn.Run) (string, error) {
	from := sc.i + 1
	sc.skipString()
	raw := sc.s[from : sc.i-1]
	if strings.IndexByte(raw, '\\') < 0 {
		return raw, nil
	}
	return unescape(raw), r.Alloc(len(raw))
}

// skipString passes over a string of a valid text.
func (sc *scanner) skipString() {
	i := sc.i + 1
	for {
		i += strings.IndexByte(sc.s[i:], '"')
		slashes := 0
		for sc.s[i-1-slashes] == '\\' {
			slashes++
		}
		i++
		if slashes%2 == 0 {
			sc.i = i
			return
		}
	}
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
