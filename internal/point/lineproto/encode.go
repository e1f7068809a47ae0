// Package lineproto encodes and decodes points as InfluxDB line protocol:
//
//	measurement,tag=value field=1.5,other="text" 1700000000000000000
//
// It is the format of the write API, of the outputs and of files.
package lineproto

import (
	"math"
	"strconv"
	"strings"

	"datakit.dev/internal/point"
)

// Append appends p as one line, with its newline, and returns the longer slice.
// It allocates nothing where dst has room.
//
// What the format cannot say is left out: tags and fields without a key, tags
// without a value, and the fields that [Encodable] refuses. A point with no
// measurement or no field left appends nothing. Time is written as nanoseconds,
// and left out where it is 0. Outside of string fields a line break becomes a
// space, and backslashes at the end of a name are cut: the format has no form
// for them.
func Append(dst []byte, p *point.Point) []byte {
	start, name := len(dst), sayable(p.Name)
	if name == "" {
		return dst
	}
	dst = appendName(dst, name)
	for i := range p.Tags {
		key, value := sayable(p.Tags[i].Key), sayable(p.Tags[i].Value)
		if key == "" || value == "" {
			continue
		}
		dst = append(dst, ',')
		dst = appendEscaped(dst, key, &keySpecial)
		dst = append(dst, '=')
		dst = appendEscaped(dst, value, &keySpecial)
	}
	sep := byte(' ')
	for i := range p.Fields {
		key, value := sayable(p.Fields[i].Key), p.Fields[i].Value
		if key == "" || !Encodable(value) {
			continue
		}
		dst = append(dst, sep)
		dst = appendEscaped(dst, key, &keySpecial)
		dst = append(dst, '=')
		dst = appendValue(dst, value)
		sep = ','
	}
	if sep == ' ' {
		return dst[:start]
	}
	if p.Time != 0 {
		dst = append(dst, ' ')
		dst = strconv.AppendInt(dst, p.Time, 10)
	}
	return append(dst, '\n')
}

// AppendAll appends every point, and returns how many of them had nothing that
// the format can say.
func AppendAll(dst []byte, pts []point.Point) (out []byte, skipped int) {
	for i := range pts {
		before := len(dst)
		dst = Append(dst, &pts[i])
		if len(dst) == before {
			skipped++
		}
	}
	return dst, skipped
}

// Encodable reports whether the format has a form for v: bool, int, uint,
// string, and float unless it is infinite or not a number.
func Encodable(v point.Value) bool {
	switch v.Kind() {
	case point.Bool, point.Int, point.Uint, point.String:
		return true
	case point.Float:
		f := v.Float()
		return !math.IsNaN(f) && !math.IsInf(f, 0)
	case point.Nil, point.Bytes, point.List, point.Map:
	}
	return false
}

func appendValue(dst []byte, v point.Value) []byte {
	switch v.Kind() {
	case point.Bool:
		return strconv.AppendBool(dst, v.Bool())
	case point.Int:
		return append(strconv.AppendInt(dst, v.Int(), 10), 'i')
	case point.Uint:
		return append(strconv.AppendUint(dst, v.Uint(), 10), 'u')
	case point.Float:
		return appendFloat(dst, v.Float())
	default:
		return appendText(dst, v.Text())
	}
}

// appendFloat writes the shortest form that reads back equal, without an
// exponent where people would not write one.
func appendFloat(dst []byte, f float64) []byte {
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}

// A class is a set of bytes.
type class [256]bool

// What each part of a line needs a backslash for, or cannot hold at all.
var (
	nameSpecial = class{',': true, ' ': true, '\n': true, '\r': true}            //nolint:gochecknoglobals // a table, never written
	keySpecial  = class{',': true, ' ': true, '=': true, '\n': true, '\r': true} //nolint:gochecknoglobals // a table, never written
	textSpecial = class{'"': true, '\\': true}                                   //nolint:gochecknoglobals // a table, never written
)

// appendName writes a measurement. A '#' in front would make a comment of it.
func appendName(dst []byte, s string) []byte {
	if s[0] == '#' {
		dst = append(dst, '\\')
	}
	return appendEscaped(dst, s, &nameSpecial)
}

// appendEscaped writes s with a backslash before each byte of special. Outside
// of quotes the format has no form for a line break, which becomes a space.
func appendEscaped(dst []byte, s string, special *class) []byte {
	from := 0
	for i := range len(s) {
		if !special[s[i]] {
			continue
		}
		dst = append(dst, s[from:i]...)
		dst = append(dst, '\\')
		from = i
		if s[i] == '\n' || s[i] == '\r' {
			dst = append(dst, ' ')
			from++
		}
	}
	return append(dst, s[from:]...)
}

func appendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := range len(s) {
		if textSpecial[s[i]] {
			dst = append(append(dst, s[from:i]...), '\\')
			from = i
		}
	}
	return append(append(dst, s[from:]...), '"')
}

// sayable returns s without the backslashes at its end: there one would escape
// the separator behind it, and a second does not help, as the format has no
// escape for itself outside of quotes.
func sayable(s string) string { return strings.TrimRight(s, `\`) }
