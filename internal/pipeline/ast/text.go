package ast

import (
	"fmt"
	"strconv"
	"strings"
)

// Text returns x as a script spells it, with canonical spaces. A path's text
// is the key that it names: add_key(a.b[0], 1) writes the field "a.b[0]".
func Text(x Expr) string {
	switch x := x.(type) {
	case nil:
		return ""
	case *Ident:
		return x.Name
	case *StringLit:
		return "'" + x.Value + "'"
	case *IntLit:
		return strconv.FormatInt(x.Value, 10)
	case *FloatLit:
		return fmt.Sprintf("%f", x.Value)
	case *BoolLit:
		return strconv.FormatBool(x.Value)
	case *NilLit:
		return "nil"
	case *Paren:
		return "(" + Text(x.X) + ")"
	case *Unary:
		return x.Op.String() + Text(x.X)
	case *Binary:
		return Text(x.X) + " " + x.Op.String() + " " + Text(x.Y)
	case *NamedArg:
		return x.Name + " = " + Text(x.Value)
	case *Attr:
		return Text(x.X) + "." + Text(x.Sel)
	}
	return compositeText(x)
}

func compositeText(x Expr) string {
	switch x := x.(type) {
	case *ListLit:
		return "[" + texts(x.Elems) + "]"
	case *MapLit:
		pairs := make([]string, len(x.Keys))
		for i := range x.Keys {
			pairs[i] = Text(x.Keys[i]) + ": " + Text(x.Values[i])
		}
		return "{" + strings.Join(pairs, ", ") + "}"
	case *Call:
		return x.Name + "(" + texts(x.Args) + ")"
	case *Index:
		var b strings.Builder
		if x.Obj != nil {
			b.WriteString(x.Obj.Name)
		}
		for _, by := range x.By {
			b.WriteString("[" + Text(by) + "]")
		}
		return b.String()
	case *Slice:
		text := Text(x.X) + "[" + Text(x.Low) + ":" + Text(x.High)
		if x.Step != nil {
			text += ":" + Text(x.Step)
		}
		return text + "]"
	}
	return ""
}

func texts(xs []Expr) string {
	parts := make([]string, len(xs))
	for i, x := range xs {
		parts[i] = Text(x)
	}
	return strings.Join(parts, ", ")
}

// Kind says what x is, for messages. They go further than the script, to the
// status and to logs: what stands in quotes may be a password and is not repeated.
func Kind(x Expr) string {
	switch x := x.(type) {
	case *Ident:
		return "the name " + x.Name
	case *Attr:
		return "the path " + Text(x)
	case *StringLit:
		return "a string"
	case *IntLit, *FloatLit:
		return "a number"
	case *BoolLit:
		return "a bool"
	case *NilLit:
		return "nil"
	case *ListLit:
		return "a list"
	case *MapLit:
		return "a map"
	case *NamedArg:
		return "an assignment"
	}
	return "an expression"
}
