package lineproto

import (
	"errors"
	"math"
	"strconv"
	"time"

	"datakit.dev/internal/point"
)

// A Precision is the unit of the times in a text: n, u, ms or s.
type Precision string

// The precisions, as the write API spells them.
const (
	Nanosecond  Precision = "n"
	Microsecond Precision = "u"
	Millisecond Precision = "ms"
	Second      Precision = "s"
)

// ParsePrecision returns the precision that s names: n, u, ms, s, one of their
// longer spellings ns, us, µs, or nothing for nanoseconds.
func ParsePrecision(s string) (Precision, bool) {
	switch s {
	case "", "n", "ns":
		return Nanosecond, true
	case "u", "us", "µs":
		return Microsecond, true
	case "ms":
		return Millisecond, true
	case "s":
		return Second, true
	}
	return "", false
}

func (p Precision) unit() int64 {
	switch p {
	case Microsecond:
		return int64(time.Microsecond)
	case Millisecond:
		return int64(time.Millisecond)
	case Second:
		return int64(time.Second)
	case Nanosecond:
	}
	return 1
}

// time reads the time of a line, 0 where it has none.
func (d *decoder) time() (int64, bool) {
	d.spaces()
	at := d.pos
	for d.pos < len(d.src) && (d.src[d.pos] == '-' || d.src[d.pos] >= '0' && d.src[d.pos] <= '9') {
		d.pos++
	}
	word := d.src[at:d.pos]
	if word == "" {
		return 0, true
	}
	t, err := strconv.ParseInt(word, 10, 64)
	unit := d.opts.Precision.unit()
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && (t > math.MaxInt64/unit || t < math.MinInt64/unit):
		return 0, d.fail(at, "time %s does not fit 64 bits of nanoseconds; its precision is taken to be %q", shorten(word), d.precision())
	case err != nil:
		return 0, d.fail(at, "expected a time, got %q", shorten(word))
	}
	return t * unit, true
}

func (d *decoder) precision() Precision {
	if d.opts.Precision == "" {
		return Nanosecond
	}
	return d.opts.Precision
}

func (d *decoder) value(key string) (point.Value, bool) {
	if d.peek() == '"' {
		s, ok := d.text(key)
		return point.StringOf(s), ok
	}
	at := d.pos
	for d.pos < len(d.src) && d.src[d.pos] > ' ' && d.src[d.pos] != ',' {
		d.pos++
	}
	word := d.src[at:d.pos]
	if word == "" {
		return point.Value{}, d.fail(at, "expected the value of field %q, got %s", shorten(key), d.show())
	}
	v, err := scalar(word)
	if err != nil {
		d.pos = at
		what := "is no number, bool or quoted string"
		if errors.Is(err, strconv.ErrRange) {
			what = "is out of range"
		}
		return v, d.fail(at, "field %q: %q %s", shorten(key), shorten(word), what)
	}
	return v, true
}

// text reads a quoted string, which may hold line breaks.
func (d *decoder) text(key string) (string, bool) {
	opening := d.pos
	from, escapes := opening+1, 0
	for d.pos = from; d.pos < len(d.src); d.pos++ {
		switch c := d.src[d.pos]; {
		case c == '"':
			s := d.src[from:d.pos]
			d.pos++
			if escapes > 0 {
				s = unescape(s, escapes, &textSpecial)
			}
			return s, true
		case c == '\\' && d.pos+1 < len(d.src) && textSpecial[d.src[d.pos+1]]:
			d.pos++
			escapes++
		}
	}
	// The next line may be fine: go on behind the quote, not at the end.
	d.pos = opening
	return "", d.fail(opening, "the string of field %q has no closing quote", shorten(key))
}

// floatBytes are what a float is written with.
var floatBytes = class{ //nolint:gochecknoglobals // a table, never written
	'0': true, '1': true, '2': true, '3': true, '4': true, '5': true, '6': true, '7': true, '8': true, '9': true,
	'+': true, '-': true, '.': true, 'e': true, 'E': true,
}

// scalar reads a value without quotes.
func scalar(s string) (point.Value, error) {
	switch s[len(s)-1] {
	case 'i':
		v, err := strconv.ParseInt(s[:len(s)-1], 10, 64)
		return point.IntOf(v), err
	case 'u':
		v, err := strconv.ParseUint(s[:len(s)-1], 10, 64)
		return point.UintOf(v), err
	}
	switch s {
	case "t", "T", "true", "True", "TRUE":
		return point.BoolOf(true), nil
	case "f", "F", "false", "False", "FALSE":
		return point.BoolOf(false), nil
	}
	// ParseFloat would take hexadecimal, underscores, infinity and NaN too.
	for i := range len(s) {
		if !floatBytes[s[i]] {
			return point.Value{}, strconv.ErrSyntax
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	return point.FloatOf(v), err
}
