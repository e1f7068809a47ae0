// Package compile turns a script's tree into closures over slots: what can be
// known before the first point comes is worked out once, here.
package compile

import (
	"errors"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/pipeline/ast"
	"datakit.dev/internal/pipeline/check"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/grok"
	"datakit.dev/internal/pipeline/token"
	"datakit.dev/internal/point"
)

// Options are what a script is compiled against.
type Options struct {
	Name     string // of the script, for run errors
	Funcs    fn.Table
	Patterns *grok.Set                          // the grok patterns that every script knows
	Use      func(name string) (fn.Eval, error) // another script of the same set; nil: there is none
	Stop     func() error                       // asked before each call is bound: an error refuses the script; may be nil
}

// A Program is a compiled script. It never changes, and any number of
// goroutines may run it at once.
type Program struct {
	name  string
	src   string
	body  exec
	slots int
}

// Compile compiles statements of src that the parser and check found good.
func Compile(src string, stmts []ast.Stmt, opts Options) (*Program, diag.List) {
	if opts.Patterns == nil {
		opts.Patterns = new(grok.Set)
	}
	c := &compiler{src: src, opts: opts, scope: &scope{patterns: opts.Patterns}}
	body := c.block(stmts)
	return &Program{name: opts.Name, src: src, body: body, slots: c.slots}, c.errs
}

// A RunError is why a run was aborted, and where in the script.
type RunError struct {
	diag.Diagnostic

	Err error // the cause
}

// Unwrap returns the cause: [fn.ErrSteps] and the like.
func (e *RunError) Unwrap() error { return e.Err }

// Run runs the program in r. What the script did up to an error stays done.
func (p *Program) Run(r *fn.Run) error {
	old := r.Enter(p.slots)
	_, err := p.body(r)
	r.Leave(old)
	if err == nil {
		return nil
	}
	return p.locate(err)
}

// locate gives an error its line and column. That of another script, which this
// one uses, has them already.
func (p *Program) locate(err error) error {
	if _, ok := errors.AsType[*RunError](err); ok {
		return err
	}
	d := diag.Diagnostic{Origin: p.name, Message: err.Error()}
	if at, ok := errors.AsType[*fn.Error](err); ok {
		d.Pos = diag.At(p.src, int(at.Pos))
		d.Snippet = diag.Line(p.src, d.Pos.Line)
	}
	return &RunError{Diagnostic: d, Err: err}
}

type compiler struct {
	src   string
	opts  Options
	scope *scope
	slots int // used by all scopes together
	state map[string]any
	errs  diag.List
}

// shared returns the state that the calls of this script have in common.
func (c *compiler) shared(key string, create func() any) any {
	if c.state == nil {
		c.state = map[string]any{}
	}
	if c.state[key] == nil {
		c.state[key] = create()
	}
	return c.state[key]
}

// A scope is a block: the variables that its statements may create, each in a
// slot of its own, and the patterns that it defines.
type scope struct {
	outer    *scope
	vars     map[string]int
	sure     map[string]bool // the variables that are set whenever what is compiled next runs
	from, to int             // the slots
	patterns *grok.Set
}

func (c *compiler) errorf(pos token.Pos, format string, args ...any) {
	if len(c.errs) >= check.MaxErrors {
		return
	}
	c.errs.Add(diag.At(c.src, int(pos)), format, args...)
}

// open enters a scope whose statements may create the variables named. One that
// a scope around it surely has is never created.
func (c *compiler) open(names []string) *scope {
	s := &scope{outer: c.scope, from: c.slots, patterns: c.scope.patterns.Scope()}
	for _, name := range names {
		if c.isSure(name) {
			continue
		}
		if s.vars == nil {
			s.vars = map[string]int{}
		}
		if _, ok := s.vars[name]; !ok {
			s.vars[name] = c.slots
			c.slots++
		}
	}
	s.to = c.slots
	c.scope = s
	return s
}

func (c *compiler) close() { c.scope = c.scope.outer }

// places returns the slots that may hold the variable name, innermost first.
// Which of them does shows only when the script runs: an assignment creates a
// variable in its own block unless a block around it has one by then.
func (c *compiler) places(name string) []int {
	var places []int
	for s := c.scope; s != nil; s = s.outer {
		if slot, ok := s.vars[name]; ok {
			places = append(places, slot)
		}
		if s.sure[name] {
			break
		}
	}
	return places
}

// isSure reports whether name surely is a variable where c.scope is at.
func (c *compiler) isSure(name string) bool {
	for s := c.scope; s != nil; s = s.outer {
		if s.sure[name] {
			return true
		}
	}
	return false
}

// assured notes that a statement of c.scope has just set the variable name. Where
// a scope around this one may have a variable of that name, it shows only when
// the script runs which of them was set.
func (c *compiler) assured(name string) {
	if len(c.places(name)) != 1 {
		return
	}
	if _, own := c.scope.vars[name]; !own {
		return
	}
	if c.scope.sure == nil {
		c.scope.sure = map[string]bool{}
	}
	c.scope.sure[name] = true
}

// lookup returns the way to the value that a name has: the variable, else the
// point's tag or field.
func (c *compiler) lookup(name string) func(*fn.Run) (point.Value, bool) {
	name = fn.KeyName(name)
	places := c.places(name)
	switch len(places) {
	case 0:
		return func(r *fn.Run) (point.Value, bool) { return r.Load(name) }
	case 1:
		slot := places[0]
		return func(r *fn.Run) (point.Value, bool) {
			if v, ok := r.Var(slot); ok {
				return v, true
			}
			return r.Load(name)
		}
	}
	return func(r *fn.Run) (point.Value, bool) {
		for _, slot := range places {
			if v, ok := r.Var(slot); ok {
				return v, true
			}
		}
		return r.Load(name)
	}
}

// set returns the way to assign to a variable.
func (c *compiler) set(name string) func(*fn.Run, point.Value) {
	places := c.places(fn.KeyName(name))
	own := places[0] // the scope was opened with the names that it assigns to
	if len(places) == 1 {
		return func(r *fn.Run, v point.Value) { r.SetVar(own, v) }
	}
	return func(r *fn.Run, v point.Value) {
		for _, slot := range places {
			if r.IsSet(slot) {
				r.SetVar(slot, v)
				return
			}
		}
		r.SetVar(own, v)
	}
}

// call binds a function to its arguments.
func (c *compiler) call(x *ast.Call) fn.Eval {
	f, ok := c.opts.Funcs.Lookup(x.Name)
	if !ok {
		c.errorf(x.At, "unknown function %q", x.Name)
		return none
	}
	nodes, failed := check.Arrange(x, f)
	if failed != nil {
		c.errorf(failed.Pos, "%s", failed.Msg)
		return none
	}
	call := &fn.Call{
		Name: x.Name, Pos: x.At, Args: make([]fn.Arg, len(nodes)),
		Patterns: c.scope.patterns, Use: c.use, Shared: c.shared,
	}
	for i, node := range nodes {
		if node != nil {
			call.Args[i] = c.arg(f, i, node)
		}
	}
	body, err := c.bind(f, call)
	if err != nil {
		pos := x.At
		if at, ok := errors.AsType[*fn.Error](err); ok {
			pos = at.Pos
		}
		c.errorf(pos, "%v", err)
		return none
	}
	return placed(body, x)
}

// bind binds f, unless whoever waits for the script has waited long enough: a
// script of a thousand patterns takes seconds.
func (c *compiler) bind(f *fn.Func, call *fn.Call) (fn.Eval, error) {
	if c.opts.Stop != nil {
		if err := c.opts.Stop(); err != nil {
			return nil, err
		}
	}
	return f.Bind(call)
}

// placed gives the errors of a function the place of its call.
func placed(body fn.Eval, x *ast.Call) fn.Eval {
	return func(r *fn.Run) (point.Value, error) {
		v, err := body(r)
		if err != nil {
			return v, at(err, x.At)
		}
		return v, nil
	}
}

// at gives err a place, unless it has one.
func at(err error, pos token.Pos) error {
	if _, ok := errors.AsType[*fn.Error](err); ok {
		return err
	}
	if _, ok := errors.AsType[*RunError](err); ok {
		return err
	}
	return fn.Failed(pos, err)
}

func (c *compiler) use(name string) (fn.Eval, error) {
	if c.opts.Use == nil {
		return nil, errors.New("use: there are no other scripts here")
	}
	return c.opts.Use(name)
}

func (c *compiler) arg(f *fn.Func, i int, node ast.Expr) fn.Arg {
	arg := fn.Arg{Node: node, Eval: c.expr(node).eval}
	switch node := node.(type) {
	case *ast.Ident:
		arg.Key = c.key(node.Name)
	case *ast.Attr:
		arg.Key = c.key(ast.Text(node))
	case *ast.StringLit:
		arg.Key = c.key(node.Value)
	}
	if f.Match == fn.ByType && i < len(f.Params) {
		arg.Eval = typed(arg.Eval, f.Params[i], node)
		if c.isVoid(node) {
			arg.Eval = voidArg(f.Params[i], node)
		}
	}
	return arg
}

// isVoid reports whether x has no value at all, not even nil: a path, or a call
// of a function that returns nothing.
func (c *compiler) isVoid(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Paren:
		return c.isVoid(x.X)
	case *ast.Attr:
		return true
	case *ast.Call:
		f, ok := c.opts.Funcs.Lookup(x.Name)
		return ok && f.Result == ""
	}
	return false
}

func voidArg(p fn.Param, node ast.Expr) fn.Eval {
	return func(*fn.Run) (point.Value, error) {
		return point.NilOf(), fn.Errorf(node.Pos(), "the argument %s has no value", p.Name)
	}
}

func (c *compiler) key(name string) fn.Key { return fn.NewKey(fn.KeyName(name), c.lookup(name)) }

// typed holds an argument to its parameter's types when the script runs.
func typed(eval fn.Eval, p fn.Param, node ast.Expr) fn.Eval {
	return func(r *fn.Run) (point.Value, error) {
		v, err := eval(r)
		if err == nil && !p.Types.Has(v.Kind()) {
			return v, fn.Errorf(node.Pos(), "the argument %s cannot be a %s", p.Name, v.Kind())
		}
		return v, err
	}
}

func none(*fn.Run) (point.Value, error) { return point.NilOf(), nil }
