package fn

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"datakit.dev/internal/point"
)

// TextOf returns v as the text that a tag gets: numbers and bools in their
// shortest form, a list or a map as JSON, nil as "".
func TextOf(v point.Value) string {
	switch v.Kind() {
	case point.String:
		return v.Text()
	case point.Int:
		return strconv.FormatInt(v.Int(), 10)
	case point.Uint:
		return strconv.FormatUint(v.Uint(), 10)
	case point.Float:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	case point.Bool:
		return strconv.FormatBool(v.Bool())
	case point.Bytes:
		return string(v.Bytes())
	case point.List, point.Map:
		text, err := JSON(v)
		if err != nil {
			return ""
		}
		return text
	case point.Nil:
	}
	return ""
}

// The reasons why a value has no JSON text.
var (
	ErrDeep   = errors.New("the value nests too deeply, or holds itself")
	ErrNumber = errors.New("JSON has no such number")
)

// MaxDepth is how deep a value may nest. A script can put a list into itself;
// walking that without end would take the whole agent down.
const MaxDepth = 512

// maxJSON bounds the text of one value: a list that holds the same list twice,
// thirty times over, is small in memory and has a text of gigabytes.
const maxJSON = 16 << 20

// JSON returns v as JSON text: keys in order, <, > and & escaped, no spaces.
func JSON(v point.Value) (string, error) {
	b, err := appendJSON(nil, v, 0)
	return string(b), err
}

func appendJSON(b []byte, v point.Value, depth int) ([]byte, error) {
	if depth > MaxDepth || len(b) > maxJSON {
		return nil, ErrDeep
	}
	switch v.Kind() {
	case point.Bool:
		return strconv.AppendBool(b, v.Bool()), nil
	case point.Int:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case point.Uint:
		return strconv.AppendUint(b, v.Uint(), 10), nil
	case point.Float:
		return appendFloat(b, v.Float())
	case point.String:
		return appendQuoted(b, v.Text()), nil
	case point.Bytes:
		return appendQuoted(b, string(v.Bytes())), nil
	case point.List:
		return appendList(b, *v.List(), depth)
	case point.Map:
		return appendMap(b, v.Map(), depth)
	case point.Nil:
	}
	return append(b, "null"...), nil
}

func appendList(b []byte, list []point.Value, depth int) ([]byte, error) {
	b = append(b, '[')
	for i, e := range list {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendJSON(b, e, depth+1); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

// appendMap writes the keys in the order of their quoted text: "a b" comes before
// "a", because a space comes before a quote. So does the library that users know.
func appendMap(b []byte, m map[string]point.Value, depth int) ([]byte, error) {
	keys := make([]mapKey, 0, len(m))
	for k := range m {
		keys = append(keys, mapKey{k, string(appendQuoted(nil, k))})
	}
	slices.SortFunc(keys, func(x, y mapKey) int { return strings.Compare(x.quoted, y.quoted) })
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, k.quoted...), ':')
		var err error
		if b, err = appendJSON(b, m[k.key], depth+1); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

type mapKey struct{ key, quoted string }

func appendFloat(b []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, ErrNumber
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, f, format, -1, 64), nil
}

const hexDigits = "0123456789abcdef"

func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			b = appendASCII(b, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(b, `\ufffd`...)
		case r == '\u2028' || r == '\u2029':
			b = append(b, `\u202`...)
			b = append(b, hexDigits[r&0xf])
		default:
			b = append(b, s[i:i+size]...)
		}
		i += size
	}
	return append(b, '"')
}

func appendASCII(b []byte, c byte) []byte {
	switch {
	case c == '"' || c == '\\':
		return append(b, '\\', c)
	case c == '\n':
		return append(b, '\\', 'n')
	case c == '\r':
		return append(b, '\\', 'r')
	case c == '\t':
		return append(b, '\\', 't')
	case c < ' ' || c == '<' || c == '>' || c == '&':
		return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
	}
	return append(b, c)
}
