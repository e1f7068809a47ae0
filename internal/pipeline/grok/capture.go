package grok

import "fmt"

// A Type says what the text of a capture is to be converted to. The package
// captures text only; the conversion is the caller's.
type Type uint8

// The types that a reference can ask for. Without one a capture is a String.
const (
	String Type = iota
	Int
	Float
	Bool
)

// String returns the type as it is written in a reference.
func (t Type) String() string {
	switch t {
	case Int:
		return "int"
	case Float:
		return "float"
	case Bool:
		return "bool"
	default:
		return "str"
	}
}

func parseType(name string) (Type, error) {
	switch name {
	case "str", "string":
		return String, nil
	case "int":
		return Int, nil
	case "float":
		return Float, nil
	case "bool":
		return Bool, nil
	default:
		return String, fmt.Errorf("%w: type %q, want str, string, int, float or bool", ErrSyntax, name)
	}
}

// A Capture is one key that a match writes.
type Capture struct {
	Name string
	Type Type
}

// A Span is the part text[Start:End] of a matched text. Both are -1 for a
// capture that took no part in the match.
type Span struct{ Start, End int }

// Matched reports whether the capture took part in the match.
func (s Span) Matched() bool { return s.Start >= 0 && s.End >= 0 }

// Of returns the captured part of text, which is empty for a capture that took
// no part.
func (s Span) Of(text string) string {
	if !s.Matched() {
		return ""
	}
	return text[s.Start:s.End]
}
