package compile

import (
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/token"
	"datakit.dev/internal/point"
)

// An intEval computes an expression of ints alone: variables, literals and
// operators, no calls. It is false where something is not an int or has no
// result. It has changed nothing then, so that the expression can be evaluated
// again as what it is, or its error be told.
type intEval func(*fn.Run) (int64, bool)

// withInts gives an operand the short way of an expression that is mostly of
// ints. Without one, op is as it was.
func withInts(op operand, ints intEval) operand {
	if ints == nil {
		return op
	}
	slow := op.slow
	op.ints = ints
	op.eval = func(r *fn.Run) (point.Value, error) {
		if n, ok := ints(r); ok {
			return point.IntOf(n), nil
		}
		return slow(r)
	}
	return op
}

// intNegation returns the short way of -x or +x; nil for none.
func intNegation(op token.Kind, x operand) intEval {
	ints := x.ints
	switch {
	case ints == nil || op == token.Not:
		return nil
	case op == token.Add:
		return ints
	}
	return func(r *fn.Run) (int64, bool) {
		n, ok := ints(r)
		return -n, ok
	}
}

// intArithmetic returns the short way of x op y; nil for none. A variable and a
// literal are read in place, which saves a call for each.
func intArithmetic(op token.Kind, x, y operand) intEval {
	if x.ints == nil || y.ints == nil || !isArithmetic(op) {
		return nil
	}
	if n, ok := y.value.AsInt(); ok {
		return intByLiteral(op, x, n)
	}
	a, b := x.ints, y.ints
	if i, j := x.slot, y.slot; x.isVar && y.isVar {
		return func(r *fn.Run) (int64, bool) {
			m, ok := r.Int(i)
			n, also := r.Int(j)
			if !ok || !also {
				return 0, false
			}
			return calculate(op, m, n)
		}
	}
	return func(r *fn.Run) (int64, bool) {
		m, ok := a(r)
		if !ok {
			return 0, false
		}
		n, ok := b(r)
		if !ok {
			return 0, false
		}
		return calculate(op, m, n)
	}
}

// intByLiteral returns the short way of x op n.
func intByLiteral(op token.Kind, x operand, n int64) intEval {
	if i := x.slot; x.isVar {
		return func(r *fn.Run) (int64, bool) {
			m, ok := r.Int(i)
			if !ok {
				return 0, false
			}
			return calculate(op, m, n)
		}
	}
	a := x.ints
	return func(r *fn.Run) (int64, bool) {
		m, ok := a(r)
		if !ok {
			return 0, false
		}
		return calculate(op, m, n)
	}
}

func isArithmetic(op token.Kind) bool {
	switch op { //nolint:exhaustive // the five operators
	case token.Add, token.Sub, token.Mul, token.Div, token.Mod:
		return true
	}
	return false
}

// calculate returns m op n; false for a division by zero.
func calculate(op token.Kind, m, n int64) (int64, bool) {
	switch op { //nolint:exhaustive // the five operators
	case token.Add:
		return m + n, true
	case token.Sub:
		return m - n, true
	case token.Mul:
		return m * n, true
	}
	if n == 0 {
		return 0, false
	}
	if op == token.Div {
		return m / n, true
	}
	return m % n, true
}

// intComparison returns the comparison of two expressions of ints. Anything else
// is left to slow.
func intComparison(op token.Kind, x, y operand, slow cond) cond {
	a, b := x.ints, y.ints
	i := x.slot
	if n, ok := y.value.AsInt(); ok {
		if x.isVar {
			return func(r *fn.Run) (bool, error) {
				if m, ok := r.Int(i); ok {
					return compareInts(op, m, n), nil
				}
				return slow(r)
			}
		}
		return func(r *fn.Run) (bool, error) {
			if m, ok := a(r); ok {
				return compareInts(op, m, n), nil
			}
			return slow(r)
		}
	}
	return func(r *fn.Run) (bool, error) {
		if m, ok := a(r); ok {
			if n, ok := b(r); ok {
				return compareInts(op, m, n), nil
			}
		}
		return slow(r)
	}
}

// compareInts compares two ints: for equality through floats, which large ones
// are too much for, because scripts in the field are read so.
func compareInts(op token.Kind, m, n int64) bool {
	switch op { //nolint:exhaustive // the others are by order
	case token.Equal:
		return float64(m) == float64(n)
	case token.NotEqual:
		return float64(m) != float64(n)
	}
	return ordered(op, m, n)
}
