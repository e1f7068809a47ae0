// Package reconcile is the loop: it takes the stores' views and the local
// files, compiles them, and brings what runs to what is desired, one turn after
// another. It is the only loop of the agent that decides.
package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"datakit.dev/internal/backup"
	"datakit.dev/internal/config"
	"datakit.dev/internal/diag"
	"datakit.dev/internal/plan"
	"datakit.dev/internal/point"
	"datakit.dev/internal/status"
	"datakit.dev/internal/status/changes"
	"datakit.dev/internal/supervise"
	"datakit.dev/internal/watch"
)

// Watch is what the loop needs of the stores.
type Watch interface {
	Views() []watch.View
	Changed() <-chan struct{}
}

// Scripts is where the scripts of the stores go.
type Scripts interface {
	// Check says what is wrong with the text of one script, as far as it can be
	// told without the others.
	Check(category point.Category, name, text string) diag.List
	// Verify compiles scripts together, changes nothing, and returns what is
	// wrong with each of them, by its index.
	Verify(scripts []config.Script) map[int]diag.List
	// Replace makes scripts those of the stores, all at once.
	Replace(scripts []config.Script) error
	// Status returns every script that there is, of the stores and of the disk.
	Status() []status.Script
}

// Local is what the files of the work directory ask for.
type Local struct {
	Defaults      []string // default_enabled_inputs
	Files         config.Source
	Authoritative bool
	Errors        []string // files that could not be read
}

// Options is what a loop needs.
type Options struct {
	Log        *slog.Logger
	Catalog    *config.Catalog
	Watch      Watch
	Supervisor *supervise.Supervisor
	Scripts    Scripts        // nil where scripts do not run
	BackupPath string         // "" keeps no backup
	ScriptDir  string         // where the scripts of the stores are backed up
	Backup     []backup.Entry // what was read from it at the start
	Local      Local
	// Changes is told what each turn changed; nil keeps nothing.
	Changes *changes.Journal
}

// firstLook is how long the first turn waits for the stores, so that an agent
// whose stores are in reach does not first start what they replace.
const firstLook = 300 * time.Millisecond

// retryAfter is how long after a failure a backup is written again, and an
// input that could not start is tried again: what it needs may come up later.
const retryAfter = 30 * time.Second

// A Reconciler is the loop and what it last did.
type Reconciler struct {
	opts Options

	turn sync.Mutex // one turn at a time

	mu         sync.Mutex // what follows; never held during a turn's work
	local      Local
	state      *config.State
	result     config.Result
	generation uint64
	seen       []string // the revisions that the last turn applied
	saved      []config.Good
	backupErr  error
	refused    bool // some input could not start

	told map[string]status.StoreState // what was last told of each store; only turns use it
}

// New returns a loop that has not turned yet.
func New(o Options) *Reconciler {
	goods := make([]config.Good, len(o.Backup))
	for i, e := range o.Backup {
		goods[i] = config.Good{Source: e.Source, Backend: e.Backend, Key: e.Key, Short: e.Short, Revision: e.Revision, Value: e.Text, Script: e.Script != ""}
	}
	return &Reconciler{opts: o, local: o.Local, state: config.Seed(o.Catalog, goods, check(o.Scripts)), saved: goods}
}

func check(s Scripts) func(point.Category, string, string) diag.List {
	if s == nil {
		return nil
	}
	return s.Check
}

// Run turns whenever a view changes, until ctx ends.
func (r *Reconciler) Run(ctx context.Context) error {
	r.awaitStores(ctx)
	retry := time.NewTimer(retryAfter)
	defer retry.Stop()
	for {
		r.Turn()
		retry.Reset(retryAfter)
	wait:
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-r.opts.Watch.Changed():
				break wait
			case <-retry.C:
				retry.Reset(retryAfter)
				if r.failed() {
					break wait
				}
			}
		}
	}
}

// awaitStores returns once every store has answered, or soon.
func (r *Reconciler) awaitStores(ctx context.Context) {
	limit := time.NewTimer(firstLook)
	defer limit.Stop()
	for slices.ContainsFunc(r.opts.Watch.Views(), func(v watch.View) bool { return !v.Read && !v.Fresh() && v.Error == "" }) {
		select {
		case <-r.opts.Watch.Changed():
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// SetLocal replaces what the local files ask for, and turns.
func (r *Reconciler) SetLocal(l Local) {
	r.mu.Lock()
	r.local = l
	r.mu.Unlock()
	r.Turn()
}

// Turn brings what runs to what is desired, once.
func (r *Reconciler) Turn() {
	r.turn.Lock()
	defer r.turn.Unlock()
	views := r.opts.Watch.Views()
	r.mu.Lock()
	req, state := r.request(views), r.state
	r.mu.Unlock()

	req.Refused = map[config.Ref]config.Refusal{}
	res, next, steps := r.compile(req, state)
	did := turn{was: r.result, is: res, running: r.opts.Supervisor.Running()}
	reports, touched := r.apply(steps)
	did.reports = reports
	r.opts.Supervisor.Discard()
	if s := r.opts.Scripts; s != nil {
		begun := time.Now()
		if err := s.Replace(res.Scripts); err != nil {
			r.opts.Log.Error("replacing the scripts", "error", err)
		}
		did.swapped = time.Since(begun)
	}
	// The backup goes first: who sees that a change is applied finds it there.
	r.save(res.Goods)
	seen := revisions(views)
	r.mu.Lock()
	did.news = touched || !slices.Equal(seen, r.seen) || r.generation == 0
	if did.news {
		r.generation++
	}
	did.generation = r.generation
	r.state, r.result, r.seen, r.refused = next, res, seen, len(req.Refused) > 0
	r.mu.Unlock()
	did.keys = config.Changed(state, next, did.was, res)
	r.warn(did)
	r.tell(did, views)
}

// request gathers what decides; r.mu is held.
func (r *Reconciler) request(views []watch.View) config.Request {
	req := config.Request{
		Catalog: r.opts.Catalog, Defaults: r.local.Defaults, Local: r.local.Files,
		Authoritative: r.local.Authoritative, CheckScript: check(r.opts.Scripts),
	}
	for _, v := range views {
		if !v.Known {
			// Nothing is known of this store: that is no reason to stop what
			// only a file asks for.
			req.Authoritative = false
			continue
		}
		req.Stores = append(req.Stores, config.Source{
			ID: v.Source.ID, Backend: v.Source.Backend, Root: v.Source.Root, Entries: v.Snapshot.Entries,
		})
	}
	return req
}

// compile decides what should run, of what can be made: a key whose instance
// cannot be initialised is treated as one with a bad value, and all is decided
// again, before anything that runs is touched.
func (r *Reconciler) compile(req config.Request, state *config.State) (config.Result, *config.State, []plan.Step) {
	running := r.opts.Supervisor.Running()
	for {
		res, next := config.Compile(state, req)
		steps := plan.Diff(running, res.Units)
		made, compiled := r.prepare(steps, req.Refused), r.verify(res.Scripts, req.Refused)
		if made && compiled {
			return res, next, steps
		}
	}
}

// verify compiles scripts, and reports whether all of them do.
func (r *Reconciler) verify(scripts []config.Script, refused map[config.Ref]config.Refusal) bool {
	if r.opts.Scripts == nil {
		return true
	}
	bad := r.opts.Scripts.Verify(scripts)
	for i, list := range bad {
		ref := scripts[i].Ref
		_, again := refused[ref]
		refused[ref] = config.Refusal{Err: list, Good: again}
	}
	return len(bad) == 0
}

// prepare makes what steps start, and reports whether all of it could be made.
func (r *Reconciler) prepare(steps []plan.Step, refused map[config.Ref]config.Refusal) bool {
	found, before := false, maps.Clone(refused)
	for _, st := range steps {
		if st.Verb != plan.Start && st.Verb != plan.Restart {
			continue
		}
		if err := r.opts.Supervisor.Prepare(st.Unit); err != nil {
			ref := st.Unit.Body.(*config.Desired).Ref //nolint:forcetypeassert // config makes every unit
			// Two tables of one key may be refused in one round; only what is
			// refused again, in a later one, was the last good version.
			_, again := before[ref]
			refused[ref] = config.Refusal{Err: fmt.Errorf("%s cannot start: %w", st.Unit.Kind, err), Good: again}
			found = true
		}
	}
	return !found
}

// apply carries out steps, and reports whether anything that runs was touched.
func (r *Reconciler) apply(steps []plan.Step) (reports []supervise.Report, touched bool) {
	reports = r.opts.Supervisor.Apply(steps)
	for _, rep := range reports {
		log := r.opts.Log.With("verb", rep.Step.Verb, "unit", rep.Step.Unit.ID, "origin", rep.Step.Unit.Origin)
		switch {
		case rep.Err != nil:
			log.Error("a step failed", "error", diag.OneLine(rep.Err.Error()))
		case rep.Step.Touches():
			touched = true
			log.Info("applied")
		}
	}
	return reports, touched
}

// revisions names what the views hold, to tell a new generation.
func revisions(views []watch.View) []string {
	out := make([]string, len(views))
	for i, v := range views {
		out[i] = fmt.Sprint(v.Source.ID, " ", v.Snapshot.Revision, " ", len(v.Snapshot.Entries))
	}
	return out
}

// save writes the backup where it differs from what was saved.
func (r *Reconciler) save(goods []config.Good) {
	if r.opts.BackupPath == "" {
		return
	}
	if !r.backupFailed() && slices.Equal(goods, r.saved) {
		return
	}
	entries := make([]backup.Entry, len(goods))
	for i, g := range goods {
		entries[i] = backup.Entry{
			Source: g.Source, Backend: g.Backend, Key: g.Key, Short: g.Short,
			Revision: g.Revision, Text: config.Normalize(g.Value), Script: scriptFile(g),
		}
	}
	err := backup.Write(r.opts.BackupPath, r.opts.ScriptDir, entries)
	if err != nil {
		r.opts.Log.Error("the backup could not be written; it is tried again", "error", err)
	} else {
		r.saved = goods
	}
	r.mu.Lock()
	r.backupErr = err
	r.mu.Unlock()
}

// failed reports whether another turn may do what the last one could not.
func (r *Reconciler) failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.backupErr != nil || r.refused
}

func (r *Reconciler) backupFailed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.backupErr != nil
}

// Local returns what the local files asked for when they were last read.
func (r *Reconciler) Local() Local {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.local
}

// scriptFile returns where a script stands below the folder of the script
// backup, or "" for an input.
func scriptFile(g config.Good) string {
	if !g.Script {
		return ""
	}
	return strings.TrimPrefix(g.Short, "pipeline/")
}
