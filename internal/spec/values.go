package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"math"
	"reflect"
	"slices"
	"time"
)

// Values is a decoded table: every described field is present, with its default
// where nothing was written. It is never changed once decoded.
type Values map[string]any

// Bool returns field name, false where it holds no bool.
func (v Values) Bool(name string) bool { b, _ := v[name].(bool); return b }

// Int returns field name, 0 where it holds no integer.
func (v Values) Int(name string) int64 { i, _ := v[name].(int64); return i }

// String returns field name, "" where it holds no string.
func (v Values) String(name string) string { s, _ := v[name].(string); return s }

// Duration returns field name, 0 where it holds no duration.
func (v Values) Duration(name string) time.Duration { d, _ := v[name].(time.Duration); return d }

// Strings returns field name, nil where it holds no list of strings.
func (v Values) Strings(name string) []string { s, _ := v[name].([]string); return s }

// Map returns field name, nil where it holds no table of strings.
func (v Values) Map(name string) map[string]string { m, _ := v[name].(map[string]string); return m }

// Table returns field name, nil where it holds no table.
func (v Values) Table(name string) Values { t, _ := v[name].(Values); return t }

// Tables returns field name, nil where it holds no list of tables.
func (v Values) Tables(name string) []Values { t, _ := v[name].([]Values); return t }

// Hash names the content: equal tables have equal hashes, whatever their layout,
// comments or order was. Fields in except are left out.
func (v Values) Hash(except ...string) string {
	h := sha256.New()
	write(h, v, except)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// write feeds one value to h so that no two different values feed the same
// bytes: every value has its type before it and its length.
func write(h hash.Hash, v any, except []string) {
	switch v := v.(type) {
	case Values:
		fmt.Fprintf(h, "t%d;", len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if !slices.Contains(except, k) {
				fmt.Fprintf(h, "%d:%s=", len(k), k)
				write(h, v[k], nil)
			}
		}
	case []Values:
		fmt.Fprintf(h, "l%d;", len(v))
		for _, e := range v {
			write(h, e, nil)
		}
	case map[string]string:
		fmt.Fprintf(h, "m%d;", len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			fmt.Fprintf(h, "%d:%s=%d:%s", len(k), k, len(v[k]), v[k])
		}
	case []string:
		fmt.Fprintf(h, "s%d;", len(v))
		for _, e := range v {
			fmt.Fprintf(h, "%d:%s", len(e), e)
		}
	case float64:
		fmt.Fprintf(h, "f%x;", math.Float64bits(v))
	case time.Duration:
		fmt.Fprintf(h, "d%d;", v)
	case string:
		fmt.Fprintf(h, "q%d:%s", len(v), v)
	default:
		fmt.Fprintf(h, "%T%v;", v, v)
	}
}

// Bind copies the values into the struct that dst points to: each field tagged
// `conf:"name"` gets the value of that name. It fails only where the struct and
// the schema disagree, which a plugin's own test rules out.
func (v Values) Bind(dst any) error {
	p := reflect.ValueOf(dst)
	if p.Kind() != reflect.Pointer || p.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("bind: %T is no pointer to a struct", dst)
	}
	return bind(v, p.Elem())
}

func bind(v Values, s reflect.Value) error {
	for i := range s.NumField() {
		name, ok := s.Type().Field(i).Tag.Lookup("conf")
		if !ok {
			continue
		}
		have, ok := v[name]
		if !ok {
			return fmt.Errorf("bind: no field %q in the schema", name)
		}
		if err := assign(s.Field(i), have); err != nil {
			return fmt.Errorf("bind %s: %w", name, err)
		}
	}
	return nil
}

func assign(dst reflect.Value, v any) error {
	switch v := v.(type) {
	case Values:
		if dst.Kind() == reflect.Struct {
			return bind(v, dst)
		}
	case []Values:
		if dst.Kind() == reflect.Slice && dst.Type().Elem().Kind() == reflect.Struct {
			list := reflect.MakeSlice(dst.Type(), len(v), len(v))
			for i, e := range v {
				if err := bind(e, list.Index(i)); err != nil {
					return err
				}
			}
			dst.Set(list)
			return nil
		}
	}
	// A duration is an integer to reflect: without this a count of seconds would
	// become one of nanoseconds, and the other way round.
	_, isDuration := v.(time.Duration)
	if isDuration != (dst.Type() == reflect.TypeFor[time.Duration]()) {
		return fmt.Errorf("%T does not fit %s", v, dst.Type())
	}
	have := reflect.ValueOf(v)
	if have.IsValid() && have.CanConvert(dst.Type()) && have.Kind() == dst.Kind() || isInteger(have, dst) {
		dst.Set(have.Convert(dst.Type()))
		return nil
	}
	return fmt.Errorf("%T does not fit %s", v, dst.Type())
}

// isInteger lets an int64 fill any integer that can hold it.
func isInteger(have, dst reflect.Value) bool {
	return have.Kind() == reflect.Int64 && (dst.CanInt() && !dst.OverflowInt(have.Int()) ||
		dst.CanUint() && have.Int() >= 0 && !dst.OverflowUint(uint64(have.Int())))
}
