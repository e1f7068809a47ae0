package reconcile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"datakit.dev/internal/backup"
	"datakit.dev/internal/config"
	"datakit.dev/internal/diag"
	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
	"datakit.dev/internal/reconcile"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/status"
	"datakit.dev/internal/status/changes"
	"datakit.dev/internal/store"
	"datakit.dev/internal/store/memory"
	"datakit.dev/internal/supervise"
	"datakit.dev/internal/watch"
)

// world is one agent with its stores: the real loop, watch, config, supervise
// and backup, on stores that can be made to fail and inputs that do as told.
type world struct {
	order   []string
	stores  map[string]*memory.Store
	hanging map[string]func()
	local   reconcile.Local
	path    string // of the backup
	opts    watch.Options

	log     *journal
	set     *watch.Set
	loop    *reconcile.Reconciler
	units   *supervise.Supervisor
	scripts *scripts
	changes *changes.Journal
	seen    uint64 // of the journal's entries
	stop    func()
	foreign []store.Entry // keys that are there whatever is put
	half    atomic.Bool   // reads break off half-way
	missing atomic.Bool   // an input of mode needs cannot start
	release chan struct{} // ends what an input that hangs waits for
}

func newWorld(dir string) *world {
	return &world{
		stores: map[string]*memory.Store{}, hanging: map[string]func(){}, log: &journal{}, release: make(chan struct{}),
		path: filepath.Join(dir, "data", "remote.conf"), scripts: &scripts{},
		local: reconcile.Local{Files: config.Source{ID: config.LocalSource, Backend: config.LocalSource}},
		opts: watch.Options{
			Debounce: 2 * time.Second, DebounceMax: 10 * time.Second, Timeout: time.Minute, Resync: 5 * time.Minute, Hold: 30 * time.Second,
		},
	}
}

func (w *world) scriptDir() string {
	return filepath.Join(filepath.Dir(w.path), "..", "pipeline_confd")
}

// start starts an agent on what the world holds: its stores, and the backup of
// the agent before it.
func (w *world) start() error {
	entries, err := backup.Read(w.path, w.scriptDir())
	log := slog.New(slog.NewJSONHandler(w.log, nil))
	w.set = watch.NewSet(log)
	var sources []watch.Source
	for _, id := range w.order {
		sources = append(sources, w.source(id, entries))
	}
	w.units = supervise.New(supervise.Options{
		Log:  log,
		Env:  func(string) input.Env { return input.Env{Log: log} },
		Sink: func(map[string]string) supervise.Sink { return &sink{} },
		Entered: func(id, kind string, s status.UnitState, why string) {
			w.changes.Add(time.Now(), changes.Entry{Kind: changes.Unit, Unit: &changes.UnitState{ID: id, Kind: kind, State: s, Error: why}})
		},
	})
	w.set.Replace(sources, w.opts)
	w.changes = changes.New(time.Now())
	w.seen = w.changes.Last()
	w.loop = reconcile.New(reconcile.Options{
		Changes: w.changes, Log: log, Catalog: config.NewCatalog(w.plugins()), Watch: w.set, Supervisor: w.units, Scripts: w.scripts,
		BackupPath: w.path, ScriptDir: w.scriptDir(), Backup: entries, Local: w.local,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.loop.Run(ctx) }()
	w.stop = func() {
		cancel()
		if err := <-done; err != nil {
			log.Error("the loop ended", "error", err)
		}
		w.units.Stop()
		w.set.Close()
	}
	synctest.Wait()
	return err
}

// source returns the store id, with what the backup knows of it.
func (w *world) source(id string, entries []backup.Entry) watch.Source {
	st := w.stores[id]
	src := watch.Source{
		ID: id, Backend: id, Root: "/datakit",
		Open: func() (store.Store, error) { return &remote{Store: st, world: w}, nil },
	}
	for _, e := range entries {
		if e.Source == id {
			if src.Known == nil {
				src.Known = &store.Snapshot{}
			}
			src.Known.Entries = append(src.Known.Entries, store.Entry{Key: e.Short, Value: e.Text, Revision: e.Revision})
		}
	}
	return src
}

// remote is a store as an agent opens it: it outlives that agent, may hold keys
// that no client of ours would write, and may break off half-way.
type remote struct {
	*memory.Store
	world *world
}

func (r *remote) Read(ctx context.Context) (store.Snapshot, error) {
	snap, err := r.Store.Read(ctx)
	if err != nil {
		return snap, err
	}
	if r.world.half.Load() {
		snap.Entries = snap.Entries[:len(snap.Entries)/2]
		return snap, fmt.Errorf("read: %w: the connection was reset", store.ErrUnavailable)
	}
	return store.NewSnapshot(snap.Revision, slices.Concat(snap.Entries, r.world.foreign))
}

func (*remote) Close() error { return nil }

// close ends everything, whatever the script has left hanging.
func (w *world) close() {
	for _, release := range w.hanging {
		release()
	}
	close(w.release)
	if w.stop != nil {
		w.stop()
	}
}

// plugins returns the inputs: cpu and mem run once; net does as its mode says;
// rate takes a first sample before it writes.
func (w *world) plugins() []input.Plugin {
	mode := spec.Field{Name: "mode", Type: spec.String, OneOf: []string{"", "refuse", "needs", "panic", "panic when made", "error", "hang", "leak"}}
	gatherer := func(_ input.Env, v spec.Values) (input.Gatherer, error) {
		switch v.String("mode") {
		case "refuse":
			return nil, errors.New("mode refuse does not start; write another")
		case "needs":
			if w.missing.Load() {
				return nil, errors.New("what it needs is not there yet")
			}
		case "panic when made":
			panic("told to")
		}
		return gatherer{v.String("mode"), w.release}, nil
	}
	return []input.Plugin{
		{Name: "cpu", Singleton: true, NewGatherer: gatherer, Options: []spec.Field{mode, {Name: "percpu", Type: spec.Bool}}},
		{Name: "mem", Singleton: true, NewGatherer: gatherer},
		{Name: "net", NewGatherer: gatherer, Options: []spec.Field{mode, {Name: "url", Type: spec.String}, {Name: "password", Type: spec.String, Secret: true}}},
		{Name: "rate", NewGatherer: gatherer, Baseline: true},
	}
}

type gatherer struct {
	mode    string
	release chan struct{}
}

func (g gatherer) Gather(ctx context.Context, s input.Sink) error {
	switch g.mode {
	case "panic":
		panic("told to")
	case "error":
		return errors.New("no answer from http://me:hunter2@host")
	case "hang": // whatever its context says
		<-g.release
	case "leak":
		go func() { <-g.release }()
	}
	return s.Write(ctx, point.Metric, make([]point.Point, 1))
}

// sink counts points.
type sink struct{ points atomic.Uint64 }

func (s *sink) Write(_ context.Context, _ point.Category, pts []point.Point) error {
	s.points.Add(uint64(len(pts)))
	return nil
}
func (s *sink) SetTags(map[string]string) {}
func (s *sink) Points() uint64            { return s.points.Load() }
func (s *sink) Close()                    {}

// scripts compile unless they say "bad".
type scripts struct {
	mu     sync.Mutex
	active []config.Script
}

func (s *scripts) Check(_ point.Category, _, text string) diag.List {
	if i := strings.Index(text, "bad"); i >= 0 {
		// As the compiler does, it quotes what it found.
		return diag.List{{Pos: diag.At(text, i), Message: fmt.Sprintf("expected an expression, got %q", text[i:])}}
	}
	return nil
}

// Verify refuses a script that uses one which is not there.
func (s *scripts) Verify(list []config.Script) map[int]diag.List {
	bad := map[int]diag.List{}
	for i, sc := range list {
		_, used, ok := strings.Cut(sc.Text, "use ")
		if ok && !slices.ContainsFunc(list, func(o config.Script) bool { return o.Name == strings.TrimSpace(used) }) {
			bad[i] = diag.List{{Message: "there is no script " + used}}
		}
	}
	return bad
}

func (s *scripts) Status() (out []status.Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sc := range s.active {
		out = append(out, status.Script{Category: string(sc.Category), Name: sc.Name, Namespace: "confd", Origin: sc.Origin, State: "active"})
	}
	return out
}

func (s *scripts) Replace(list []config.Script) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active = list
	return nil
}

func (s *scripts) show() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sc := range s.active {
		out = append(out, string(sc.Category)+"/"+sc.Name+"="+strings.TrimSpace(sc.Text))
	}
	return out
}

// journal is the agent's log; the steps that were applied are read from it, as
// a user would.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
	read int
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// steps returns "verb:unit" of each step since the last call.
func (j *journal) steps() (out []string) {
	text := j.String()[j.read:]
	j.read += len(text)
	for line := range strings.Lines(text) {
		var l struct{ Msg, Verb, Unit string }
		if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "applied" {
			out = append(out, l.Verb+":"+l.Unit)
		}
	}
	return out
}
