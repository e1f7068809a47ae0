package compile

import (
	"errors"

	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/token"
	"datakit.dev/internal/point"
)

// An operand is a compiled expression, and its value where that is known.
type operand struct {
	eval  fn.Eval
	slow  fn.Eval // as eval, without trying ints again
	ints  intEval // nil for none
	value point.Value
	known bool
	slot  int // of the variable that it is
	isVar bool
}

func constant(v point.Value) operand {
	op := computed(func(*fn.Run) (point.Value, error) { return v, nil })
	op.value, op.known = v, true
	if n, ok := v.AsInt(); ok {
		op.ints = func(*fn.Run) (int64, bool) { return n, true }
	}
	return op
}

func computed(eval fn.Eval) operand { return operand{eval: eval, slow: eval} }

func (c *compiler) expr(x ast.Expr) operand {
	switch x := x.(type) {
	case *ast.StringLit:
		return constant(point.StringOf(x.Value))
	case *ast.IntLit:
		return constant(point.IntOf(x.Value))
	case *ast.FloatLit:
		return constant(point.FloatOf(x.Value))
	case *ast.BoolLit:
		return constant(point.BoolOf(x.Value))
	case *ast.NilLit:
		return constant(point.NilOf())
	case *ast.Paren:
		return c.expr(x.X)
	case *ast.Ident:
		return c.load(x.Name)
	case *ast.Unary:
		return c.unary(x)
	case *ast.Binary:
		return c.binary(x)
	}
	return computed(c.composite(x))
}

func (c *compiler) composite(x ast.Expr) fn.Eval {
	switch x := x.(type) {
	case *ast.Call:
		return c.call(x)
	case *ast.NamedArg:
		return c.setVar(x.Name, c.expr(x.Value).eval)
	case *ast.ListLit:
		return c.list(x)
	case *ast.MapLit:
		return c.mapLit(x)
	case *ast.Index:
		return c.index(x)
	case *ast.Slice:
		return c.slice(x)
	}
	return none // a path has no value of its own
}

func (c *compiler) evals(list []ast.Expr) []fn.Eval {
	evals := make([]fn.Eval, len(list))
	for i, x := range list {
		evals[i] = c.expr(x).eval
	}
	return evals
}

// load compiles a name that is read. The cases that hot loops are made of have
// closures of their own.
func (c *compiler) load(name string) operand {
	name = fn.KeyName(name)
	places := c.places(name)
	if len(places) != 1 {
		get := c.lookup(name)
		return computed(func(r *fn.Run) (point.Value, error) {
			v, _ := get(r)
			return v, nil
		})
	}
	slot := places[0]
	op := computed(func(r *fn.Run) (point.Value, error) {
		if v, ok := r.Var(slot); ok {
			return v, nil
		}
		v, _ := r.Load(name)
		return v, nil
	})
	op.slot, op.isVar = slot, true
	op.ints = func(r *fn.Run) (int64, bool) { return r.Int(slot) }
	return op
}

func (c *compiler) unary(x *ast.Unary) operand {
	in := c.expr(x.X)
	apply := not
	switch x.Op { //nolint:exhaustive // the prefix operators
	case token.Sub:
		apply = negate
	case token.Add:
		apply = plus
	}
	if in.known {
		if v, err := apply(in.value); err == nil {
			return constant(v)
		}
	}
	eval := in.slow
	return withInts(computed(func(r *fn.Run) (point.Value, error) {
		v, err := eval(r)
		if err != nil {
			return v, err
		}
		if v, err = apply(v); err != nil {
			return v, fn.Failed(x.At, err)
		}
		return v, nil
	}), intNegation(x.Op, in))
}

func (c *compiler) binary(x *ast.Binary) operand {
	a, b := c.expr(x.X), c.expr(x.Y)
	if x.Op == token.And || x.Op == token.Or {
		return computed(logic(x, a.eval, b.eval))
	}
	apply := c.operator(x)
	if a.known && b.known {
		// A text that folding would make long is left to the run, whose limits
		// it then meets.
		var r fn.Run
		r.Start(nil, &fn.Env{Limits: fn.Limits{Bytes: 1 << 10}})
		if v, err := apply(&r, a.value, b.value); err == nil {
			return constant(v)
		}
	}
	if isComparison(x.Op) {
		test := compare(x, a, b, apply)
		return computed(func(r *fn.Run) (point.Value, error) {
			ok, err := test(r)
			return point.BoolOf(ok), err
		})
	}
	return withInts(computed(general(x, a.slow, b.slow, apply)), intArithmetic(x.Op, a, b))
}

// general compiles x op y for operands of any kind.
func general(x *ast.Binary, a, b fn.Eval, apply binary) fn.Eval {
	return func(r *fn.Run) (point.Value, error) {
		v, err := a(r)
		if err != nil {
			return v, err
		}
		w, err := b(r)
		if err != nil {
			return w, err
		}
		if v, err = apply(r, v, w); err != nil {
			return v, fn.Failed(x.At, err)
		}
		return v, nil
	}
}

// logic compiles && and ||. The second operand is not looked at where the first
// is a bool that decides; else both must be bools.
func logic(x *ast.Binary, a, b fn.Eval) fn.Eval {
	decides := x.Op == token.Or
	return func(r *fn.Run) (point.Value, error) {
		v, err := a(r)
		if err != nil {
			return v, err
		}
		if v.Kind() == point.Bool && v.Bool() == decides {
			return v, nil
		}
		w, err := b(r)
		if err != nil {
			return w, err
		}
		if v.Kind() != point.Bool || w.Kind() != point.Bool {
			return w, fn.Errorf(x.At, "%s needs two bools, got %s and %s", x.Op, v.Kind(), w.Kind())
		}
		return w, nil
	}
}

func (c *compiler) list(x *ast.ListLit) fn.Eval {
	elems := c.evals(x.Elems)
	room := capacity(len(elems))
	return func(r *fn.Run) (point.Value, error) {
		if err := r.Alloc(room*fn.ValueSize + fn.ValueSize); err != nil {
			return point.NilOf(), err
		}
		list := make([]point.Value, 0, room)
		for _, eval := range elems {
			v, err := eval(r)
			if err != nil {
				return v, err
			}
			list = append(list, v)
		}
		return point.ListOf(&list), nil
	}
}

// capacity is the room that a list of n elements has after they were appended
// one by one. Scripts can see it: two lists that append() made from one share
// their elements as long as there is room.
func capacity(n int) int {
	room := min(n, 1)
	for room < n {
		room += min(room, (room+3*256)/4)
	}
	return room
}

func (c *compiler) mapLit(x *ast.MapLit) fn.Eval {
	keys, values := c.evals(x.Keys), c.evals(x.Values)
	for i, v := range x.Values {
		if c.isVoid(v) {
			values[i] = func(*fn.Run) (point.Value, error) {
				return point.NilOf(), fn.Errorf(v.Pos(), "%s has no value", ast.Text(v))
			}
		}
	}
	return func(r *fn.Run) (point.Value, error) {
		if err := r.Alloc((len(keys) + 1) * fn.EntrySize); err != nil {
			return point.NilOf(), err
		}
		m := make(map[string]point.Value, len(keys))
		for i := range keys {
			k, err := keys[i](r)
			if err != nil {
				return k, err
			}
			if k.Kind() != point.String {
				return k, fn.Errorf(x.Keys[i].Pos(), "the key of a map must be a string, got %s", k.Kind())
			}
			v, err := values[i](r)
			if err == nil {
				err = r.Step(len(k.Text()) / bytesPerStep)
			}
			if err != nil {
				return v, err
			}
			m[k.Text()] = v
		}
		return point.MapOf(m), nil
	}
}

var errPath = errors.New("a path that begins with a dot has no value")
