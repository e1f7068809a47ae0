package check

import (
	"fmt"

	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/token"
	"datakit.dev/internal/point"
)

// Arrange returns the arguments of call x in the order of f's parameters, nil
// for an optional one that was left out, or says why f cannot be called so.
func Arrange(x *ast.Call, f *fn.Func) ([]ast.Expr, *fn.Error) {
	args, err := place(x, f)
	if err != nil {
		return nil, err
	}
	for i, p := range f.Params {
		if i < len(args) && args[i] != nil {
			continue
		}
		if !p.Optional && !p.Rest {
			return nil, failed(x.At, f, "the argument %s is missing", p.Name)
		}
	}
	if f.Match == fn.ByType {
		return args, literals(f, args)
	}
	return args, nil
}

func failed(pos token.Pos, f *fn.Func, format string, args ...any) *fn.Error {
	return &fn.Error{Pos: pos, Msg: fmt.Sprintf("%s: %s; it is called as %s", f.Name, fmt.Sprintf(format, args...), f.Signature())}
}

func place(x *ast.Call, f *fn.Func) ([]ast.Expr, *fn.Error) {
	n := len(f.Params)
	rest := n > 0 && f.Params[n-1].Rest
	if len(x.Args) > n && !rest {
		return nil, failed(x.At, f, "%d arguments, at most %d", len(x.Args), n)
	}
	if f.Match == fn.ByPosition {
		return x.Args, nil
	}
	args := make([]ast.Expr, max(n, len(x.Args)))
	named := false
	for i, arg := range x.Args {
		na, ok := arg.(*ast.NamedArg)
		if !ok {
			if named {
				return nil, failed(arg.Pos(), f, "an argument without a name follows one with a name")
			}
			if f.Params[i].Named {
				return nil, failed(arg.Pos(), f, "the argument must be given by name, %s=…", f.Params[i].Name)
			}
			args[i] = arg
			continue
		}
		named = true
		at := param(f, na.Name)
		if at < 0 {
			return nil, failed(na.At, f, "it has no parameter %q", na.Name)
		}
		args[at] = na.Value
		if f.Match == fn.ByType {
			args[at] = na // still an assignment, and held to its type when it runs
		}
	}
	return args, nil
}

func param(f *fn.Func, name string) int {
	for i, p := range f.Params {
		if p.Name == name {
			return i
		}
	}
	return -1
}

// literals holds the arguments whose kind shows in the text to the parameters'
// types; the others are held to them when the script runs.
func literals(f *fn.Func, args []ast.Expr) *fn.Error {
	for i, p := range f.Params {
		if kind, ok := literalKind(args[i]); ok && !p.Types.Has(kind) {
			return failed(args[i].Pos(), f, "the argument %s cannot be a %s", p.Name, kind)
		}
	}
	return nil
}

func literalKind(x ast.Expr) (point.Kind, bool) {
	switch x.(type) {
	case *ast.StringLit:
		return point.String, true
	case *ast.IntLit:
		return point.Int, true
	case *ast.FloatLit:
		return point.Float, true
	case *ast.BoolLit:
		return point.Bool, true
	case *ast.NilLit:
		return point.Nil, true
	case *ast.ListLit:
		return point.List, true
	case *ast.MapLit:
		return point.Map, true
	}
	return point.Nil, false
}
