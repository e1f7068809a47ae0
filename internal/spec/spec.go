// Package spec describes a configuration table once: the name, type, unit,
// default and meaning of every field. From one description come strict decoding
// with line and column, the sample file, the reference page and redaction, so
// that they cannot drift apart.
package spec

import (
	"fmt"
	"slices"
	"time"
)

// A Type says what a field holds.
type Type uint8

// The types, with the Go type that a decoded [Values] holds.
const (
	Bool      Type = iota + 1 // bool
	Int                       // int64
	Float                     // float64; an integer is taken too
	String                    // string
	Duration                  // time.Duration; written "10s"
	Strings                   // []string; a single string is taken as a list of one
	StringMap                 // map[string]string; numbers and bools are taken as text
	Table                     // Values
	Tables                    // []Values
)

var typeNames = [...]string{"", "bool", "integer", "float", "string", "duration", "list of strings", "table of strings", "table", "list of tables"} //nolint:gochecknoglobals // names of an enum, never written

// String returns the type's name as documents and errors spell it.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("type(%d)", t)
}

// A Field describes one key of a table.
type Field struct {
	Name    string
	Type    Type
	Default any      // of the Go type that Type names, or nil for its zero value
	Doc     string   // one or two sentences, English
	DocZH   string   // the same in Chinese
	Unit    string   // of a number: "bytes", "connections"; "" where it has none
	Example any      // shown in the sample where the default says little
	OneOf   []string // the strings that are allowed; nil allows any
	Min     any      // smallest value of an Int, Float or Duration; nil for none
	Max     any      // largest value of an Int, Float or Duration; nil for none
	Secret  bool     // reaches no log, error, status or metric

	Required bool
	Live     bool    // takes effect in place: a change does not restart
	Fields   []Field // of a Table or Tables
}

// A Schema describes one table.
type Schema struct {
	Name   string // the header without brackets: "inputs.cpu"
	Doc    string
	DocZH  string
	Fields []Field
	// Open lets keys that no field describes pass as warnings: the main
	// configuration file of another version must not stop the agent.
	Open bool
	// Repeated says that the table is written [[Name]], any number of times.
	Repeated bool
}

// Field returns the description of field name.
func (s Schema) Field(name string) (Field, bool) { return find(s.Fields, name) }

// With returns s with more fields behind its own.
func (s Schema) With(fields ...Field) Schema {
	s.Fields = slices.Concat(s.Fields, fields)
	return s
}

func find(fields []Field, name string) (Field, bool) {
	if i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == name }); i >= 0 {
		return fields[i], true
	}
	return Field{}, false
}

// Zero returns the default of f, or the zero value of its type.
func (f Field) Zero() any {
	if f.Default != nil {
		return f.Default
	}
	switch f.Type {
	case Bool:
		return false
	case Int:
		return int64(0)
	case Float:
		return float64(0)
	case Duration:
		return time.Duration(0)
	case Strings:
		return []string(nil)
	case StringMap:
		return map[string]string(nil)
	case Table:
		return Defaults(f.Fields)
	case Tables:
		return []Values(nil)
	case String:
	}
	return ""
}

// Defaults returns the values of fields when nothing is written.
func Defaults(fields []Field) Values {
	v := make(Values, len(fields))
	for _, f := range fields {
		v[f.Name] = f.Zero()
	}
	return v
}

// Check reports what is wrong with the description itself: a default or an
// example of the wrong type, a missing text, a name used twice. Every plugin's
// test calls it.
func (s Schema) Check() error { return checkFields(s.Name, s.Fields) }

func checkFields(where string, fields []Field) error {
	seen := map[string]bool{}
	for _, f := range fields {
		at := where + "." + f.Name
		if f.Name == "" || seen[f.Name] {
			return fmt.Errorf("%s: empty or repeated name", at)
		}
		seen[f.Name] = true
		if err := f.check(at); err != nil {
			return err
		}
		if err := checkFields(at, f.Fields); err != nil {
			return err
		}
	}
	return nil
}

func (f Field) check(at string) error {
	switch {
	case f.Doc == "" || f.DocZH == "":
		return fmt.Errorf("%s: no text in both languages", at)
	case f.Example != nil && !f.holds(f.Example):
		return fmt.Errorf("%s: example %v is no %s", at, f.Example, f.Type)
	case f.Min != nil && !f.holds(f.Min) || f.Max != nil && !f.holds(f.Max):
		return fmt.Errorf("%s: a bound that is no %s", at, f.Type)
	case f.Default != nil:
		return f.checkDefault(at)
	}
	return nil
}

func (f Field) checkDefault(at string) error {
	switch {
	case !f.holds(f.Default):
		return fmt.Errorf("%s: default %v is no %s", at, f.Default, f.Type)
	case f.Secret && f.Default != "":
		return fmt.Errorf("%s: a secret with a default", at)
	case f.Type == Table:
		return fmt.Errorf("%s: a table's defaults are those of its fields", at)
	case f.refuse(f.Default) != "":
		return fmt.Errorf("%s: its own default is refused: %s", at, f.refuse(f.Default))
	}
	return nil
}

func (f Field) holds(v any) bool {
	switch v.(type) {
	case bool:
		return f.Type == Bool
	case int64:
		return f.Type == Int
	case float64:
		return f.Type == Float
	case string:
		return f.Type == String
	case time.Duration:
		return f.Type == Duration
	case []string:
		return f.Type == Strings
	case map[string]string:
		return f.Type == StringMap
	case Values:
		return f.Type == Table
	case []Values:
		return f.Type == Tables
	}
	return false
}
