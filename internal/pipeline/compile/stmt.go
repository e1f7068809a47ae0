package compile

import (
	"maps"

	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/token"
	"datakit.dev/internal/point"
)

// An exec runs a statement and says how to go on.
type exec func(*fn.Run) (flow, error)

type flow uint8

const (
	next       flow = iota
	breaks          // leave the loop
	continues       // the loop's next turn
	terminates      // exit() was called
)

// block compiles statements in a scope of their own.
func (c *compiler) block(stmts []ast.Stmt, names ...string) exec {
	s := c.open(append(names, assigned(stmts)...))
	body := c.stmts(stmts)
	c.close()
	if s.from == s.to {
		return body
	}
	from, to := s.from, s.to
	return func(r *fn.Run) (flow, error) {
		r.Unset(from, to)
		return body(r)
	}
}

// atOnce is how many statements are charged for at once: one subtraction for most
// blocks, and yet a script of forty thousand slow calls in a row looks at the clock.
const atOnce = 64

// stmts compiles statements in the scope at hand. An error that knows no place,
// such as that of a limit, gets that of its statement.
func (c *compiler) stmts(stmts []ast.Stmt) exec {
	list := make([]exec, len(stmts))
	places := make([]token.Pos, len(stmts))
	steps := make([]int, 1+len(stmts)/atOnce)
	steps[0] = 1
	for i, s := range stmts {
		list[i], places[i] = c.stmt(s), s.Pos()
		steps[i/atOnce] += weigh(s)
	}
	if len(list) == 1 {
		only, steps := list[0], steps[0]
		return func(r *fn.Run) (flow, error) {
			if err := r.Step(steps); err != nil {
				return next, err
			}
			how, err := only(r)
			if err != nil {
				return how, at(err, places[0])
			}
			if r.Exited {
				how = terminates
			}
			return how, nil
		}
	}
	return func(r *fn.Run) (flow, error) {
		if len(list) == 0 {
			return next, r.Step(steps[0])
		}
		for i, run := range list {
			if i%atOnce == 0 {
				if err := r.Step(steps[i/atOnce]); err != nil {
					return next, err
				}
			}
			how, err := run(r)
			if err != nil {
				return how, at(err, places[i])
			}
			if r.Exited {
				return terminates, nil
			}
			if how != next {
				return how, nil
			}
		}
		return next, nil
	}
}

func (c *compiler) stmt(s ast.Stmt) exec {
	switch s := s.(type) {
	case *ast.ExprStmt:
		return do(c.expr(s.X).eval)
	case *ast.Assign:
		return c.assign(s)
	case *ast.If:
		return c.ifStmt(s)
	case *ast.For:
		return c.forStmt(s)
	case *ast.ForIn:
		return c.forIn(s)
	case *ast.Break:
		return func(*fn.Run) (flow, error) { return breaks, nil }
	}
	return func(*fn.Run) (flow, error) { return continues, nil }
}

// do runs eval for what it does.
func do(eval fn.Eval) exec {
	return func(r *fn.Run) (flow, error) {
		_, err := eval(r)
		return next, err
	}
}

type branch struct {
	cond cond
	body exec
}

func (c *compiler) ifStmt(s *ast.If) exec {
	var names []string
	for _, clause := range s.Clauses {
		names = append(names, assignedIn(clause.Cond)...)
	}
	outer := c.open(names)
	branches := make([]branch, len(s.Clauses))
	for i, clause := range s.Clauses {
		branches[i] = branch{cond: c.cond(clause.Cond), body: c.block(clause.Body.Stmts)}
	}
	otherwise := func(*fn.Run) (flow, error) { return next, nil }
	if s.Else != nil {
		otherwise = c.block(s.Else.Stmts)
	}
	c.close()
	if len(branches) == 1 && outer.from == outer.to {
		only := branches[0]
		return func(r *fn.Run) (flow, error) {
			ok, err := only.cond(r)
			if err != nil {
				return next, err
			}
			if ok {
				return only.body(r)
			}
			return otherwise(r)
		}
	}
	from, to := outer.from, outer.to
	return func(r *fn.Run) (flow, error) {
		r.Unset(from, to)
		for i := range branches {
			ok, err := branches[i].cond(r)
			if err != nil {
				return next, err
			}
			if ok {
				return branches[i].body(r)
			}
		}
		return otherwise(r)
	}
}

func (c *compiler) forStmt(s *ast.For) exec {
	var head []ast.Stmt
	for _, part := range []ast.Stmt{s.Init, s.Step} {
		if part != nil {
			head = append(head, part)
		}
	}
	outer := c.open(append(assigned(head), assignedIn(s.Cond)...))
	from, to := outer.from, outer.to
	first := c.part(s.Init)
	sure := maps.Clone(outer.sure)
	step := c.part(s.Step)
	outer.sure = sure // the body runs before the step
	test := cond(func(*fn.Run) (bool, error) { return true, nil })
	if s.Cond != nil {
		test = c.cond(s.Cond)
	}
	body := c.block(s.Body.Stmts)
	c.close()
	turn := 1 + weighExpr(s.Cond)
	return func(r *fn.Run) (flow, error) {
		r.Unset(from, to)
		if _, err := first(r); err != nil {
			return next, err
		}
		for {
			if err := r.Step(turn); err != nil {
				return next, err
			}
			ok, err := test(r)
			if err != nil || !ok {
				return next, err
			}
			how, err := body(r)
			if err != nil || how == terminates {
				return how, err
			}
			if how == breaks {
				return next, nil
			}
			if _, err := step(r); err != nil {
				return next, err
			}
		}
	}
}

func (c *compiler) part(s ast.Stmt) exec {
	if s == nil {
		return func(*fn.Run) (flow, error) { return next, nil }
	}
	return c.stmt(s)
}

// forIn compiles a loop over a value. The loop variable belongs to the body's
// scope, unless a variable of that name is set outside: then that is it.
func (c *compiler) forIn(s *ast.ForIn) exec {
	outer := c.open(assignedIn(s.X))
	from, to := outer.from, outer.to
	x := c.expr(s.X).eval
	name := fn.KeyName(s.Name.Name)
	inner := c.open(append([]string{name}, assigned(s.Body.Stmts)...))
	set := c.set(name)
	c.assured(name)
	stmts := c.stmts(s.Body.Stmts)
	c.close()
	c.close()
	each := func(r *fn.Run, v point.Value) (flow, error) {
		r.Unset(inner.from, inner.to)
		set(r, v)
		if err := r.Step(1); err != nil {
			return next, err
		}
		return stmts(r)
	}
	pos := s.X.Pos()
	return func(r *fn.Run) (flow, error) {
		r.Unset(from, to)
		v, err := x(r)
		if err != nil {
			return next, err
		}
		return iterate(r, v, each, pos)
	}
}

// names of the variables that statements may create in the block that they
// stand in; blocks within have their own.
func assigned(stmts []ast.Stmt) []string {
	var names []string
	for _, s := range stmts {
		switch s := s.(type) {
		case *ast.ExprStmt:
			names = append(names, assignedIn(s.X)...)
		case *ast.Assign:
			if id, ok := s.Left.(*ast.Ident); ok {
				names = append(names, fn.KeyName(id.Name))
			}
			names = append(names, assignedIn(s.Left)...)
			names = append(names, assignedIn(s.Right)...)
		}
	}
	return names
}

// assignedIn returns the variables that x may create: an argument name=value of
// a function that has no such parameter is an assignment.
func assignedIn(x ast.Expr) []string {
	var names []string
	walk(x, func(x ast.Expr) {
		if arg, ok := x.(*ast.NamedArg); ok {
			names = append(names, fn.KeyName(arg.Name))
		}
	})
	return names
}

// walk calls visit for x and every expression in it.
func walk(x ast.Expr, visit func(ast.Expr)) {
	if x == nil {
		return
	}
	visit(x)
	switch x := x.(type) {
	case *ast.Paren:
		walk(x.X, visit)
	case *ast.Unary:
		walk(x.X, visit)
	case *ast.Binary:
		walk(x.X, visit)
		walk(x.Y, visit)
	case *ast.NamedArg:
		walk(x.Value, visit)
	case *ast.Call:
		walkAll(x.Args, visit)
	case *ast.ListLit:
		walkAll(x.Elems, visit)
	case *ast.MapLit:
		walkAll(x.Keys, visit)
		walkAll(x.Values, visit)
	case *ast.Index:
		walkAll(x.By, visit)
	case *ast.Slice:
		walkAll([]ast.Expr{x.X, x.Low, x.High, x.Step}, visit)
	}
}

func walkAll(list []ast.Expr, visit func(ast.Expr)) {
	for _, x := range list {
		walk(x, visit)
	}
}

// callSteps is what a call is charged: a function does more than an operator. One
// that takes long for a long text charges for that itself; this holds those that
// take some microseconds: after some hundred of them the clock is looked at.
const callSteps = 32

func weighExpr(x ast.Expr) int {
	steps := 0
	walk(x, func(x ast.Expr) {
		steps++
		if _, ok := x.(*ast.Call); ok {
			steps += callSteps
		}
	})
	return steps
}

// weigh returns the steps of a statement, without those of the blocks in it.
func weigh(s ast.Stmt) int {
	switch s := s.(type) {
	case *ast.ExprStmt:
		return 1 + weighExpr(s.X)
	case *ast.Assign:
		return 1 + weighExpr(s.Left) + weighExpr(s.Right)
	case *ast.If:
		steps := 1
		for _, clause := range s.Clauses {
			steps += weighExpr(clause.Cond)
		}
		return steps
	case *ast.For:
		steps := 1
		for _, part := range []ast.Stmt{s.Init, s.Step} {
			if part != nil {
				steps += weigh(part)
			}
		}
		return steps
	case *ast.ForIn:
		return 1 + weighExpr(s.X)
	}
	return 1
}

// assign compiles left op= right.
func (c *compiler) assign(s *ast.Assign) exec {
	right := c.expr(s.Right)
	switch left := s.Left.(type) {
	case *ast.Ident:
		if s.Op == token.Assign {
			run := c.assignVar(left.Name, right)
			c.assured(fn.KeyName(left.Name))
			return run
		}
		return c.updateVar(left.Name, s, right)
	case *ast.Index:
		return do(c.setElem(left, s, right.eval))
	}
	return do(right.eval) // a path, or a call: the language takes it and does nothing
}

// assignVar compiles name = right.
func (c *compiler) assignVar(name string, right operand) exec {
	set := c.set(name)
	return c.setInt(name, right.ints, func(r *fn.Run) (flow, error) {
		v, err := right.slow(r)
		if err == nil {
			set(r, v)
		}
		return next, err
	})
}

// setVar compiles name = right where it is an expression, whose value is what
// was assigned.
func (c *compiler) setVar(name string, right fn.Eval) fn.Eval {
	set := c.set(name)
	return func(r *fn.Run) (point.Value, error) {
		v, err := right(r)
		if err == nil {
			set(r, v)
		}
		return v, err
	}
}

// setInt returns the short way to set the variable name to an int, where there
// is one. Anything else is left to slow.
func (c *compiler) setInt(name string, ints intEval, slow exec) exec {
	places := c.places(fn.KeyName(name))
	if ints == nil || len(places) != 1 {
		return slow
	}
	slot := places[0]
	return func(r *fn.Run) (flow, error) {
		if n, ok := ints(r); ok {
			r.SetInt(slot, n)
			return next, nil
		}
		return slow(r)
	}
}

// updateVar compiles name op= right. A name that nothing has a value for is
// passed over.
func (c *compiler) updateVar(name string, s *ast.Assign, right operand) exec {
	get, set := c.lookup(name), c.set(name)
	apply := arithmetic(s.Op)
	ints := intArithmetic(s.Op, c.load(name), right)
	return c.setInt(name, ints, func(r *fn.Run) (flow, error) {
		y, err := right.slow(r)
		if err != nil {
			return next, err
		}
		x, ok := get(r)
		if !ok {
			return next, nil
		}
		v, err := apply(r, x, y)
		if err != nil {
			return next, fn.Failed(s.At, err)
		}
		set(r, v)
		return next, nil
	})
}
