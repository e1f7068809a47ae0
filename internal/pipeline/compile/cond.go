package compile

import (
	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/token"
)

// A cond tells whether an expression holds.
type cond func(*fn.Run) (bool, error)

// cond compiles an expression whose truth is asked for. Where it can only be a
// bool, no value is made of it.
func (c *compiler) cond(x ast.Expr) cond {
	switch x := x.(type) {
	case *ast.Paren:
		return c.cond(x.X)
	case *ast.Unary:
		if x.Op == token.Not {
			inner := c.cond(x.X)
			return func(r *fn.Run) (bool, error) {
				ok, err := inner(r)
				return !ok, err
			}
		}
	case *ast.Binary:
		if isComparison(x.Op) {
			return compare(x, c.expr(x.X), c.expr(x.Y), c.operator(x))
		}
		if (x.Op == token.And || x.Op == token.Or) && isBool(x.X) && isBool(x.Y) {
			return both(x.Op == token.Or, c.cond(x.X), c.cond(x.Y))
		}
	}
	eval := c.expr(x).eval
	return func(r *fn.Run) (bool, error) {
		v, err := eval(r)
		if err != nil {
			return false, err
		}
		return truth(v), nil
	}
}

// both compiles && and || of two conditions; the second is not looked at where
// the first decides.
func both(decides bool, a, b cond) cond {
	return func(r *fn.Run) (bool, error) {
		ok, err := a(r)
		if err != nil || ok == decides {
			return ok, err
		}
		return b(r)
	}
}

// isBool reports whether the value of x, if it has one, is a bool.
func isBool(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.BoolLit:
		return true
	case *ast.Paren:
		return isBool(x.X)
	case *ast.Unary:
		return x.Op == token.Not
	case *ast.Binary:
		return isComparison(x.Op) || x.Op == token.In || x.Op == token.And || x.Op == token.Or
	}
	return false
}

func isComparison(op token.Kind) bool {
	switch op { //nolint:exhaustive // the comparisons
	case token.Equal, token.NotEqual, token.Less, token.LessEqual, token.Greater, token.GreaterEqual:
		return true
	}
	return false
}

// compare compiles a comparison. Two ints, the usual case, are compared without
// making values of them.
func compare(x *ast.Binary, a, b operand, apply binary) cond {
	slow := general(x, a.slow, b.slow, apply)
	values := func(r *fn.Run) (bool, error) {
		v, err := slow(r)
		return v.Bool(), err
	}
	if a.ints == nil || b.ints == nil {
		return values
	}
	return intComparison(x.Op, a, b, values)
}
