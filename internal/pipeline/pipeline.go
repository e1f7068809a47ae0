// Package pipeline compiles scripts of the Pipeline language and runs points
// through them.
package pipeline

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/pipeline/check"
	"datakit.dev/internal/pipeline/compile"
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/pipeline/grok"
	"datakit.dev/internal/pipeline/parser"
	"datakit.dev/internal/point"
)

// Options are what scripts are compiled against.
type Options struct {
	Funcs    fn.Table  // the functions that there are
	Patterns *grok.Set // the grok patterns that every script knows; nil: none

	// Stop is asked between the calls of functions while a script is compiled: an
	// error refuses it. It bounds the time for scripts of unknown origin; nil: no
	// bound.
	Stop func() error
}

// Env is what a run takes from its surroundings. The zero Env is usable.
type Env = fn.Env

// A Program is a compiled script. It never changes: any number of goroutines
// may run it at once, and a new version of a script is swapped in with one
// store of a pointer.
type Program struct {
	name string
	src  string
	body *compile.Program
	uses []*Program
}

// Result is what a script decided about its point, besides changing it.
type Result struct {
	Dropped bool       // the point is to be thrown away
	Created []fn.Point // points that the script made
}

// ErrPanic is a run that hit a mistake in the engine or a function. The point
// goes on like after any other run error.
var ErrPanic = errors.New("internal error")

// Compile compiles one script that uses no other.
func Compile(name, src string, opts Options) (*Program, diag.List) {
	programs, errs := CompileAll(map[string]string{name: src}, opts, nil)
	return programs[name], errs[name]
}

// Check says what is wrong with one script. Those that it uses are taken to be
// there.
func Check(name, src string, opts Options) diag.List {
	s := &set{opts: opts}
	s.other = func(string) (fn.Eval, error) {
		return func(*fn.Run) (point.Value, error) { return point.NilOf(), nil }, nil
	}
	_, errs := s.build(name, src)
	return errs.In(name, src)
}

// Name returns the name of the script.
func (p *Program) Name() string { return p.name }

// Source returns the text of the script.
func (p *Program) Source() string { return p.src }

// Run runs pt through the script. After an error, which the caller counts, the
// edits made so far stay and the point goes on; an error is a
// [compile.RunError].
func (p *Program) Run(pt *point.Point, env *Env) (Result, error) {
	r, _ := runs.Get().(*fn.Run)
	r.Start(pt, env)
	err := p.run(r)
	result := Result{Dropped: r.Dropped, Created: r.Created}
	r.Release()
	runs.Put(r)
	return result, err
}

var runs = sync.Pool{New: func() any { return new(fn.Run) }} //nolint:gochecknoglobals // a pool of scratch memory, no state

// run keeps a panic in one point's run from taking the agent down.
func (p *Program) run(r *fn.Run) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &compile.RunError{
				Diagnostic: diag.Diagnostic{Origin: p.name, Message: fmt.Sprintf("%v: %v", ErrPanic, v)},
				Err:        fmt.Errorf("%w: %v\n%s", ErrPanic, v, debug.Stack()),
			}
		}
	}()
	err = p.body.Run(r)
	if err == nil {
		finish(r)
	}
	r.End()
	return err
}

// CompileAll compiles scripts of one namespace and category, which may use each
// other by name. A script that is refused has its reasons in the second map; so
// has each that uses it.
//
// A program of old, from a former call with the same options, is taken again
// where neither its text nor that of a script that it uses has changed: what it
// keeps from point to point (a cache, a window) then outlives the change of
// another script.
func CompileAll(sources map[string]string, opts Options, old map[string]*Program) (map[string]*Program, map[string]diag.List) {
	s := &set{sources: sources, opts: opts, old: old, programs: map[string]*Program{}, errs: map[string]diag.List{}}
	for name := range sources {
		s.compile(name)
	}
	return s.programs, s.errs
}

// CompileOne compiles the script name of sources, and of the others only those
// that it uses: for one that is being written among a thousand that run.
func CompileOne(name string, sources map[string]string, opts Options) (*Program, diag.List) {
	s := &set{sources: sources, opts: opts, programs: map[string]*Program{}, errs: map[string]diag.List{}}
	s.compile(name)
	return s.programs[name], s.errs[name]
}

// A set is scripts that are being compiled.
type set struct {
	sources  map[string]string
	opts     Options
	old      map[string]*Program
	programs map[string]*Program
	errs     map[string]diag.List
	other    func(name string) (fn.Eval, error) // stands for the scripts that are used; nil: those of sources
	open     []*Program                         // being compiled: each is used by the one before
}

// maxUses is how deep scripts may use each other.
const maxUses = 32

func (s *set) compile(name string) {
	if s.programs[name] != nil || s.errs[name] != nil {
		return
	}
	if p := s.old[name]; p != nil && s.unchanged(p) {
		s.programs[name] = p
		return
	}
	src := s.sources[name]
	p := &Program{name: name, src: src}
	s.open = append(s.open, p)
	body, errs := s.build(name, src)
	s.open = s.open[:len(s.open)-1]
	if len(errs) > 0 {
		s.errs[name] = errs.In(name, src)
		return
	}
	p.body = body
	s.programs[name] = p
}

// unchanged reports whether p is what compiling its script again would give.
func (s *set) unchanged(p *Program) bool {
	if src, ok := s.sources[p.name]; !ok || src != p.src {
		return false
	}
	for _, used := range p.uses {
		if !s.unchanged(used) {
			return false
		}
	}
	return true
}

func (s *set) build(name, src string) (*compile.Program, diag.List) {
	stmts, errs := parser.Parse(src)
	if len(errs) == 0 {
		errs = check.Script(src, stmts, s.opts.Funcs)
	}
	if len(errs) > 0 {
		return nil, errs
	}
	use := s.use
	if s.other != nil {
		use = s.other
	}
	return compile.Compile(src, stmts, compile.Options{
		Name: name, Funcs: s.opts.Funcs, Patterns: s.opts.Patterns, Use: use, Stop: s.opts.Stop,
	})
}

// use compiles the script name for one that uses it.
func (s *set) use(name string) (fn.Eval, error) {
	if _, ok := s.sources[name]; !ok {
		return nil, fmt.Errorf("there is no script %q in this namespace and category", name)
	}
	for _, user := range s.open {
		if user.name == name {
			return nil, fmt.Errorf("script %q uses itself", name)
		}
	}
	if len(s.open) >= maxUses {
		return nil, fmt.Errorf("more than %d scripts use one another", maxUses)
	}
	s.compile(name)
	if errs := s.errs[name]; errs != nil {
		return nil, fmt.Errorf("script %q is refused: %w", name, errs)
	}
	used := s.programs[name]
	user := s.open[len(s.open)-1]
	user.uses = append(user.uses, used)
	body := used.body
	return func(r *fn.Run) (point.Value, error) {
		exited := r.Exited
		err := body.Run(r)
		r.Exited = exited // exit() ends the script that it stands in
		return point.NilOf(), err
	}, nil
}
