package point

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"unsafe"
)

// A Kind says what a [Value] holds.
type Kind uint8

// The kinds. Line protocol carries Bool to String; the others live only inside
// the agent, between an input and a script, and are not encoded.
const (
	Nil Kind = iota
	Bool
	Int
	Uint
	Float
	String
	Bytes
	List
	Map
)

var kindNames = [...]string{"nil", "bool", "int", "uint", "float", "str", "bytes", "list", "map"} //nolint:gochecknoglobals // names of an enum, never written

// String returns the kind's name as the script language spells it.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// A Value is what one field holds. The zero Value is nil. It is three words
// and never allocates for a scalar or a string: a number lies in num, and ref
// names the kind or points at the bytes, as in [log/slog.Value].
type Value struct {
	_   [0]func() // not comparable with ==: use Equal
	num uint64
	ref any // a Kind for scalars; textRef, bytesRef; *[]Value; map[string]Value
}

type (
	textRef  *byte
	bytesRef *byte
)

// NilOf returns the nil value.
func NilOf() Value { return Value{} }

// BoolOf returns a bool value.
func BoolOf(v bool) Value {
	if v {
		return Value{num: 1, ref: Bool}
	}
	return Value{ref: Bool}
}

// IntOf returns an int value.
func IntOf(v int64) Value { return Value{num: uint64(v), ref: Int} }

// UintOf returns an unsigned value.
func UintOf(v uint64) Value { return Value{num: v, ref: Uint} }

// FloatOf returns a float value.
func FloatOf(v float64) Value { return Value{num: math.Float64bits(v), ref: Float} }

// StringOf returns a string value. It keeps v's bytes alive and copies nothing.
func StringOf(v string) Value {
	return Value{num: uint64(len(v)), ref: textRef(unsafe.StringData(v))}
}

// BytesOf returns a value of raw bytes, which the caller must not change later.
func BytesOf(v []byte) Value {
	return Value{num: uint64(len(v)), ref: bytesRef(unsafe.SliceData(v))}
}

// ListOf returns a list value. The list is shared, not copied: two values made
// from one pointer see each other's changes.
func ListOf(v *[]Value) Value { return Value{ref: v} }

// MapOf returns a map value. The map is shared, not copied.
func MapOf(v map[string]Value) Value { return Value{ref: v} }

// Kind returns what v holds.
func (v Value) Kind() Kind {
	if k, ok := v.ref.(Kind); ok { // asked first: a switch of five would hash the type
		return k
	}
	switch v.ref.(type) {
	case textRef:
		return String
	case bytesRef:
		return Bytes
	case *[]Value:
		return List
	case map[string]Value:
		return Map
	}
	return Nil
}

// Bits returns what v holds and, of a number or a bool, its 64 bits: those of
// [math.Float64bits] for a float, 1 for true.
func (v Value) Bits() (Kind, uint64) {
	if k, ok := v.ref.(Kind); ok {
		return k, v.num
	}
	return v.Kind(), 0
}

// Bool returns v's bool, false where v is of another kind.
func (v Value) Bool() bool { return v.is(Bool) && v.num == 1 }

// is reports whether v is a scalar of kind k. Comparing ref with k would do, and
// call the runtime.
func (v Value) is(k Kind) bool {
	r, ok := v.ref.(Kind)
	return ok && r == k
}

// Int returns v's int, 0 where v is of another kind.
func (v Value) Int() int64 {
	if !v.is(Int) {
		return 0
	}
	return int64(v.num)
}

// AsInt returns v's int, and whether v is one: a hot loop asks both at once.
func (v Value) AsInt() (int64, bool) {
	if !v.is(Int) {
		return 0, false
	}
	return int64(v.num), true
}

// Uint returns v's unsigned int, 0 where v is of another kind.
func (v Value) Uint() uint64 {
	if !v.is(Uint) {
		return 0
	}
	return v.num
}

// Float returns v's float, 0 where v is of another kind.
func (v Value) Float() float64 {
	if !v.is(Float) {
		return 0
	}
	return math.Float64frombits(v.num)
}

// Text returns v's string, "" where v is of another kind.
func (v Value) Text() string {
	if p, ok := v.ref.(textRef); ok {
		return unsafe.String(p, v.num)
	}
	return ""
}

// Bytes returns v's bytes, nil where v is of another kind.
func (v Value) Bytes() []byte {
	if p, ok := v.ref.(bytesRef); ok {
		return unsafe.Slice(p, v.num)
	}
	return nil
}

// List returns v's list, nil where v is of another kind.
func (v Value) List() *[]Value {
	l, _ := v.ref.(*[]Value)
	return l
}

// Map returns v's map, nil where v is of another kind.
func (v Value) Map() map[string]Value {
	m, _ := v.ref.(map[string]Value)
	return m
}

// Any returns v as the plain Go value: nil, bool, int64, uint64, float64,
// string, []byte, []any or map[string]any. For tests and JSON; it allocates.
func (v Value) Any() any {
	switch v.Kind() {
	case Bool:
		return v.Bool()
	case Int:
		return v.Int()
	case Uint:
		return v.Uint()
	case Float:
		return v.Float()
	case String:
		return v.Text()
	case Bytes:
		return v.Bytes()
	case List:
		out := make([]any, len(*v.List()))
		for i, e := range *v.List() {
			out[i] = e.Any()
		}
		return out
	case Map:
		out := make(map[string]any, len(v.Map()))
		for k, e := range v.Map() {
			out[k] = e.Any()
		}
		return out
	case Nil:
	}
	return nil
}

// Equal reports whether v and w hold the same: kind and content, lists and maps
// deeply, NaN equal to NaN.
func (v Value) Equal(w Value) bool {
	k := v.Kind()
	if k != w.Kind() {
		return false
	}
	switch k {
	case String:
		return v.Text() == w.Text()
	case Bytes:
		return string(v.Bytes()) == string(w.Bytes())
	case Float:
		a, b := v.Float(), w.Float()
		return a == b || math.IsNaN(a) && math.IsNaN(b)
	case List:
		return slices.EqualFunc(*v.List(), *w.List(), Value.Equal)
	case Map:
		return maps.EqualFunc(v.Map(), w.Map(), Value.Equal)
	case Nil, Bool, Int, Uint:
	}
	return v.num == w.num
}

// String renders v for people; the format is not stable.
func (v Value) String() string { return fmt.Sprint(v.Any()) }
