// Package scripts holds the scripts of every namespace and finds the one that a
// point runs through.
package scripts

import (
	"sync"
	"sync/atomic"
	"time"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/pipeline"
	"datakit.dev/internal/point"
)

// A Namespace says where scripts come from.
type Namespace string

// The namespaces. Where several have a script of one name, the first here wins.
const (
	Remote  Namespace = "remote"  // sent by the center
	Confd   Namespace = "confd"   // from a configuration store
	GitRepo Namespace = "gitrepo" // from a git repository
	Default Namespace = "default" // from the disk
)

// Namespaces returns the namespaces, the first to win first.
func Namespaces() []Namespace { return []Namespace{Remote, Confd, GitRepo, Default} }

// A Source is the text of one script and where it came from.
type Source struct {
	Text   string
	Origin string // the file, or the store and key
}

// Sources are scripts by category and name.
type Sources map[point.Category]map[string]Source

// A Script is a compiled script, in its place.
type Script struct {
	Category  point.Category
	Name      string
	Namespace Namespace
	Origin    string

	program *pipeline.Program
	count   *counters
}

// counters live as long as there is a script of that name in that namespace, so
// that a new version does not start from zero.
type counters struct {
	runs, drops, errors, nanoseconds atomic.Int64
	last                             atomic.Pointer[string] // error
}

// A Count is what a script has done since it was first there.
type Count struct {
	Runs      int64
	Drops     int64 // points that it threw away
	Errors    int64 // runs that ended in an error
	Time      time.Duration
	LastError string // with its place in the script
}

// Count returns what the script has done, in all its versions.
func (s *Script) Count() Count {
	c := Count{
		Runs: s.count.runs.Load(), Drops: s.count.drops.Load(), Errors: s.count.errors.Load(),
		Time: time.Duration(s.count.nanoseconds.Load()),
	}
	if last := s.count.last.Load(); last != nil {
		c.LastError = *last
	}
	return c
}

// Text returns the text of the script.
func (s *Script) Text() string { return s.program.Source() }

// Run runs p through the script and counts the run.
func (s *Script) Run(p *point.Point, env *pipeline.Env) (pipeline.Result, error) {
	begin := time.Now()
	result, err := s.program.Run(p, env)
	s.count.nanoseconds.Add(int64(time.Since(begin)))
	s.count.runs.Add(1)
	if result.Dropped {
		s.count.drops.Add(1)
	}
	if err != nil {
		s.count.errors.Add(1)
		text := diag.OneLine(err.Error())
		s.count.last.Store(&text)
	}
	return result, err
}

// A Refused is a script that does not compile, and why.
type Refused struct {
	Category  point.Category
	Name      string
	Namespace Namespace
	Origin    string
	Errs      diag.List
}

// A Set holds the scripts. Points read it without a lock; a change makes a new
// view of it beside, and swaps that in with one store of a pointer, so that no
// point waits and none sees half a change.
type Set struct {
	opts pipeline.Options

	mu      sync.Mutex           // held by changes
	checked map[Namespace]*space // compiled by Check, for the Replace that follows
	view    atomic.Pointer[view]
}

// A view is the scripts at one time. It never changes.
type view struct {
	spaces   map[Namespace]*space
	active   map[point.Category]map[string]*Script // the winner of each name
	stems    map[point.Category]map[string]*Script // the same, without .p
	defaults map[point.Category]string
	relation *Relation
}

// A space is the scripts of one namespace.
type space struct {
	scripts map[point.Category]map[string]*Script
	refused []Refused
}

// NewSet returns an empty set whose scripts are compiled with opts.
func NewSet(opts pipeline.Options) *Set {
	s := &Set{opts: opts, checked: map[Namespace]*space{}}
	s.view.Store(&view{})
	return s
}

// change makes a copy of the view, lets edit change it, and swaps it in.
func (s *Set) change(edit func(*view)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := *s.view.Load()
	edit(&next)
	s.view.Store(&next)
}

// Replace makes sources the scripts of a namespace, and returns those that do
// not compile. A script that is not among them is gone, and so is one that does
// not compile: who keeps the last good version gives its text again. A script
// whose text is what it was goes on as it was.
func (s *Set) Replace(ns Namespace, sources Sources) []Refused {
	var refused []Refused
	s.change(func(v *view) {
		sp := s.compile(ns, sources, v.spaces[ns])
		delete(s.checked, ns)
		refused = sp.refused
		spaces := map[Namespace]*space{ns: sp}
		for other, old := range v.spaces {
			if other != ns {
				spaces[other] = old
			}
		}
		v.spaces = spaces
		v.active = winners(spaces)
		v.stems = stems(v.active)
	})
	return refused
}

// Check returns those of sources that would not compile as the scripts of a
// namespace, and changes nothing. A Replace with the same sources then need not
// compile them again.
func (s *Set) Check(ns Namespace, sources Sources) []Refused {
	s.mu.Lock()
	defer s.mu.Unlock()
	sp := s.compile(ns, sources, s.view.Load().spaces[ns])
	s.checked[ns] = sp
	return sp.refused
}

// SetRelation sets the map from names to scripts that the center sends; nil for
// none.
func (s *Set) SetRelation(r *Relation) { s.change(func(v *view) { v.relation = r }) }

// SetDefaults sets the script of each category for points that no other takes.
func (s *Set) SetDefaults(names map[point.Category]string) {
	s.change(func(v *view) { v.defaults = names })
}
