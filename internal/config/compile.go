package config

import (
	"errors"
	"slices"
	"strings"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/plan"
	"datakit.dev/internal/point"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
)

// LocalSource names the files under conf.d in origins and in the status.
const LocalSource = "local"

// defaultSource names what default_enabled_inputs asks for.
const defaultSource = "default"

// A Source is one place that configuration comes from: the local files, or one
// store.
type Source struct {
	ID      string // unique among the sources and stable over reloads: "etcdv3", "etcdv3#2"
	Backend string // as the status names it
	Root    string // shown before each key: "/datakit"
	Entries []store.Entry
}

// origin returns where key comes from, as the status and the log show it:
// "etcdv3:/datakit/confd/cpu", "local:conf.d/cpu.conf".
func (s *Source) origin(key string) string {
	if s.ID == LocalSource {
		return s.Backend + ":conf.d" + strings.TrimPrefix(key, confdFolder)
	}
	return s.Backend + ":" + s.Root + "/" + key
}

// owns reports whether origin is that of key, without making it.
func (s *Source) owns(origin, key string) bool {
	rest, ok := strings.CutSuffix(origin, "/"+key)
	return ok && s.ID != LocalSource && len(rest) == len(s.Backend)+1+len(s.Root) &&
		strings.HasPrefix(rest, s.Backend) && rest[len(s.Backend)] == ':' && strings.HasSuffix(rest, s.Root)
}

// A Ref names one key of one source.
type Ref struct{ Source, Key string }

// A Request is everything that decides what should run.
type Request struct {
	Catalog  *Catalog
	Defaults []string // default_enabled_inputs: names, and -name to take one away
	Local    Source   // conf.d; its entries go to confd/ keys as a store's do
	Stores   []Source // in the order of [[confds]]
	// Authoritative stops local inputs that are neither default nor in a store.
	Authoritative bool
	// CheckScript says what is wrong with a script; nil where scripts do not run.
	CheckScript func(category point.Category, name, text string) diag.List
	// Refused are the keys whose instances could not be initialised, with why:
	// they are treated like a value that does not decode.
	Refused map[Ref]Refusal
}

// A Refusal says why the instances of a key could not be initialised.
type Refusal struct {
	Err  error
	Good bool // neither could those of its last good value
}

// A Desired is the Body of a unit: the instance, and the key that a failure to
// initialise it is held against.
type Desired struct {
	*Instance
	Ref Ref
	id  string // of the unit where its kind runs more than once
}

// A Script is one script that a store asks for.
type Script struct {
	Category point.Category
	Name     string // "nginx.p"
	Text     string
	Origin   string
	Ref      Ref // the key that asks for it
}

// A Good is the newest value of a key that was taken: what the backup keeps.
type Good struct {
	Source, Backend string
	Key             string // with the root
	Short           string // below the root
	Revision        store.Revision
	Value           string
	Script          bool
}

// A Result is what should run, and what became of every key.
type Result struct {
	Units   map[string]plan.Unit
	Scripts []Script
	Keys    []status.Key
	Refs    []Ref // of Keys, in their order
	Goods   []Good
	Pending bool // some key is kept or rejected: not all that is asked for is desired
}

// A State is what one compilation hands to the next: for each key its newest
// value, decoded, and its last good one. It is never changed once made.
type State struct{ keys map[Ref]*memory }

// memory is what is known of one key.
type memory struct {
	seen    store.Entry
	origin  string    // of the key, for people
	version *version  // of seen; nil where it is bad
	bad     diag.List // why seen is bad
	good    *version  // the last good one; equals version unless seen is bad
	refused bool      // one of the two could not be initialised: worth another try
	idle    bool      // nor could good: it does not run, and stays in the backup
}

// version is a value that was decoded.
type version struct {
	entry     store.Entry
	instances []*Desired
	script    *Script
}

// Compile decodes what changed since prev and decides what should run. The
// returned state is to be used for the next call once the result was applied.
func Compile(prev *State, req Request) (Result, *State) {
	n := count(req.Stores) + len(req.Local.Entries)
	c := &compiler{
		req: req, prev: prev, next: &State{keys: make(map[Ref]*memory, n)}, units: make([]plan.Unit, 0, n),
		taken: make(map[string]bool, n), kinds: map[string]bool{}, scripts: map[string]bool{}, single: map[string]string{},
	}
	stored := c.load(req.Stores)
	local := c.load([]Source{req.Local})
	for i := range stored {
		c.claim(&stored[i])
	}
	for _, o := range stored {
		for _, in := range o.instances {
			c.kinds[in.Plugin.Name] = true
		}
	}
	for i := range local {
		c.claimLocal(&local[i])
	}
	failed := c.claimDefaults(local)
	r := c.result(append(stored, local...))
	for _, k := range failed {
		r.Keys, r.Refs = append(r.Keys, k), append(r.Refs, Ref{defaultSource, k.Key})
	}
	r.Pending = r.Pending || len(failed) > 0
	return r, c.next
}

// Seed returns a state whose last good values are goods: what a backup held.
// Values that do not decode any more are left out.
func Seed(cat *Catalog, goods []Good, check func(point.Category, string, string) diag.List) *State {
	s := &State{keys: map[Ref]*memory{}}
	for _, g := range goods {
		e := store.Entry{Key: g.Short, Value: g.Value, Revision: g.Revision}
		ref := Ref{g.Source, g.Short}
		v, bad := decode(cat, check, ref, e)
		if bad == nil {
			s.keys[ref] = &memory{seen: e, version: v, good: v}
		}
	}
	return s
}

type compiler struct {
	req     Request
	prev    *State
	next    *State
	taken   map[string]bool   // instance hashes that run already
	kinds   map[string]bool   // kinds that a store has
	scripts map[string]bool   // category/name that a store before has
	single  map[string]string // singleton kinds that run already, and their origins
	units   []plan.Unit
	out     []Script
}

// outcome is what becomes of one key.
type outcome struct {
	source    *Source
	entry     store.Entry
	origin    string
	ref       Ref
	state     status.KeyState
	reasons   []string
	good      *version
	instances []*Desired
}

// because adds a reason, once: a key of a thousand tables has a thousand.
func (o *outcome) because(why string) {
	if !slices.Contains(o.reasons, why) {
		o.reasons = append(o.reasons, why)
	}
}

// load decodes every entry of sources.
func (c *compiler) load(sources []Source) []outcome {
	out := make([]outcome, 0, count(sources))
	for i := range sources {
		for _, e := range sources[i].Entries {
			out = append(out, c.key(&sources[i], e))
		}
	}
	return out
}

func count(sources []Source) (n int) {
	for i := range sources {
		n += len(sources[i].Entries)
	}
	return n
}

// key decides whether one entry is taken, kept or rejected.
func (c *compiler) key(s *Source, e store.Entry) outcome {
	o := outcome{source: s, entry: e, ref: Ref{s.ID, e.Key}, state: status.Applied}
	last := c.prev.recall(o.ref)
	if o.origin = last.origin; !s.owns(o.origin, e.Key) {
		o.origin = s.origin(e.Key)
	}
	kind, why := classify(e.Key)
	switch {
	case kind == notOurs:
		o.state, o.reasons = status.Ignored, []string{why}
		return o
	case kind == refusedKey:
		o.state, o.reasons = status.Rejected, []string{why}
		return o
	case kind == scriptKey && c.req.CheckScript == nil:
		o.state, o.reasons = status.Ignored, []string{"this agent runs no scripts"}
		return o
	}
	m := c.remember(&o, last)
	c.next.keys[o.ref] = m
	o.good = m.good
	if m.good != nil && !m.idle {
		o.instances = m.good.instances
	}
	switch {
	case m.bad != nil && m.good != nil && !m.idle:
		o.state, o.reasons = status.Kept, []string{m.bad.In(o.origin, "").Error()}
	case m.bad != nil:
		o.state, o.reasons = status.Rejected, []string{m.bad.In(o.origin, "").Error()}
	case len(o.instances) == 0 && m.good.script == nil:
		o.state = status.Empty
	}
	return o
}

// remember returns what is known of a key whose newest value is e. A value that
// was decoded before is not decoded again: of ten thousand keys one changes.
func (c *compiler) remember(o *outcome, last *memory) *memory {
	e := o.entry
	refusal, refused := c.req.Refused[o.ref]
	if !refused && !last.refused && last.seen == e && last.origin == o.origin {
		return last
	}
	m := &memory{seen: e, origin: o.origin, good: last.good}
	if last.decoded(e) {
		m.version = &version{e, last.version.instances, last.version.script}
	} else {
		m.version, m.bad = decode(c.req.Catalog, c.req.CheckScript, o.ref, e)
	}
	if refused {
		m.refuse(refusal)
	}
	if m.version != nil {
		m.good = m.version
	}
	return m
}

// recall returns what is known of a key; of a new one, nothing.
func (s *State) recall(ref Ref) *memory {
	if s == nil || s.keys[ref] == nil {
		return &memory{}
	}
	return s.keys[ref]
}

// decoded reports whether the value of e is the one that m holds decoded.
func (m *memory) decoded(e store.Entry) bool {
	return m.version != nil && m.seen.Value == e.Value && m.seen.TooLarge == e.TooLarge
}

// refuse notes that the newest value, or the last good one, cannot start now.
func (m *memory) refuse(r Refusal) {
	if m.version != nil {
		m.version, m.bad = nil, r.list()
	}
	m.refused, m.idle = true, r.Good
}

func (r Refusal) list() diag.List {
	if l, ok := errors.AsType[diag.List](r.Err); ok {
		return l
	}
	return diag.List{{Message: r.Err.Error()}}
}

func decode(cat *Catalog, check func(point.Category, string, string) diag.List, ref Ref, e store.Entry) (*version, diag.List) {
	if kind, _ := classify(e.Key); kind == scriptKey {
		return decodeScript(check, e)
	}
	instances, bad := cat.parseValue(e)
	if bad != nil {
		return nil, bad
	}
	v := &version{entry: e, instances: make([]*Desired, len(instances))}
	for i, in := range instances {
		v.instances[i] = &Desired{Instance: in, Ref: ref, id: "input/" + in.Plugin.Name + "/" + label(e.Key)}
	}
	return v, nil
}

func decodeScript(check func(point.Category, string, string) diag.List, e store.Entry) (*version, diag.List) {
	parts := strings.Split(e.Key, "/")
	s := &Script{Category: point.Category(parts[1]), Name: parts[2], Text: Normalize(e.Value)}
	switch {
	case e.TooLarge > 0:
		_, bad := (&Catalog{}).parseValue(e)
		return nil, bad
	case strings.TrimSpace(s.Text) == "":
		return &version{entry: e}, nil // asks for nothing, like an empty input
	case check == nil:
		return nil, diag.List{{Message: "this agent runs no scripts"}}
	}
	if bad := check(s.Category, s.Name, s.Text); len(bad) > 0 {
		return nil, bad
	}
	return &version{entry: e, script: s}, nil
}

// key returns the entry's key as the status and the backup show it.
func (o *outcome) key() string { return o.origin[len(o.source.Backend)+1:] }

// claim makes units of the instances of a store's key, unless an equal one runs
// or its kind runs once.
func (c *compiler) claim(o *outcome) {
	if o.good != nil && o.good.script != nil {
		c.claimScript(o)
		return
	}
	if len(o.instances) == 0 {
		return
	}
	var aside []status.KeyState
	for _, in := range o.instances {
		if state, why := c.place(in, o.origin); why != "" {
			aside = append(aside, state)
			o.because(why)
		}
	}
	if o.state == status.Applied && len(aside) == len(o.instances) {
		o.state = aside[0]
	}
}

func (c *compiler) claimScript(o *outcome) {
	s := *o.good.script
	s.Origin, s.Ref = o.origin, o.ref
	id := string(s.Category) + "/" + s.Name
	if c.scripts[id] {
		if o.state == status.Applied {
			o.state = status.Shadowed
		}
		o.reasons = append(o.reasons, "a store before this one has "+id)
		return
	}
	c.scripts[id] = true
	c.out = append(c.out, s)
}

// place adds one unit, or says why not.
func (c *compiler) place(in *Desired, from string) (status.KeyState, string) {
	name := in.Plugin.Name
	if c.taken[in.hash] {
		return status.Duplicate, "an identical input " + name + " runs already"
	}
	if in.Plugin.Singleton {
		if holder, ok := c.single[name]; ok {
			return status.Singleton, name + " runs once, and " + holder + " was first"
		}
		c.single[name] = from
	}
	c.taken[in.hash] = true
	c.units = append(c.units, plan.Unit{Kind: name, Origin: from, Hash: in.hash, Fixed: in.fixed, Body: in})
	return "", ""
}
