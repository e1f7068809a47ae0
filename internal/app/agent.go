package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"datakit.dev/internal/api"
	"datakit.dev/internal/backup"
	"datakit.dev/internal/config"
	"datakit.dev/internal/flow"
	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
	"datakit.dev/internal/recent"
	"datakit.dev/internal/reconcile"
	"datakit.dev/internal/status"
	"datakit.dev/internal/status/changes"
	"datakit.dev/internal/store"
	"datakit.dev/internal/supervise"
	"datakit.dev/internal/watch"
	"datakit.dev/internal/workdir"
)

// Version is the version of this build; the linker sets it.
var Version = "dev" //nolint:gochecknoglobals // set by -ldflags -X, never by code

// agent is one running agent: the rooms, wired.
type agent struct {
	dir     workdir.Dir
	parts   config.Parts
	env     map[string]string
	stdout  io.Writer
	started time.Time
	log     *slog.Logger
	logging *logging

	scripts *scripting
	flow    *flow.Flow
	recent  *recent.Store
	units   *supervise.Supervisor
	watch   *watch.Set
	loop    *reconcile.Reconciler
	api     *flow.Sink // what comes in over HTTP
	changes *changes.Journal

	reload sync.Mutex // one at a time

	mu     sync.Mutex
	main   config.Main
	host   string
	apiErr func() error
}

// open builds an agent on dir. It fails only where the main configuration
// cannot be used; what is wrong beyond that is shown in the status.
func open(dir workdir.Dir, env map[string]string, stdout, stderr io.Writer) (*agent, error) {
	a := &agent{
		dir: dir, parts: parts(), env: env, stdout: stdout, started: time.Now(),
		logging: newLogging(stderr), apiErr: func() error { return nil },
		changes: changes.New(time.Now()),
	}
	a.log = a.logging.logger()
	m, err := a.readMain()
	if err != nil {
		return nil, err
	}
	a.scripts = newScripting(dir, a.log)
	a.recent = recent.New(m.Recent.MaxBytes, m.Recent.MaxAge)
	a.flow = flow.New(flow.Options{Log: a.log, Observe: a.recent.Observe})
	a.api = a.flow.Sink(nil)
	a.units = supervise.New(supervise.Options{
		Log:   a.log,
		Sink:  func(tags map[string]string) supervise.Sink { return a.flow.Sink(tags) },
		Route: route,
		Entered: func(id, kind string, s status.UnitState, why string) {
			a.changes.Add(time.Now(), changes.Entry{Kind: changes.Unit, Unit: &changes.UnitState{ID: id, Kind: kind, State: s, Error: why}})
		},
		Env: func(kind string) input.Env {
			return input.Env{Log: a.log.With("input", kind), Dir: dir.State(kind)}
		},
	})
	a.watch = watch.NewSet(a.log)
	saved, err := backup.Read(dir.Backup(), dir.ScriptBackup())
	if err != nil {
		a.log.Warn("not all of the backup could be used", "error", err)
	}
	if err := a.applyMain(m, known(saved)); err != nil {
		return nil, err
	}
	local, err := a.readLocal(m, config.Source{})
	if err != nil {
		a.log.Warn("some local files could not be read", "error", err)
	}
	a.loop = reconcile.New(reconcile.Options{
		Log: a.log, Catalog: a.parts.Catalog, Watch: a.watch, Supervisor: a.units,
		BackupPath: dir.Backup(), ScriptDir: dir.ScriptBackup(), Backup: saved, Local: local, Scripts: a.scripts,
		Changes: a.changes,
	})
	return a, nil
}

// known returns what a backup holds of each store, by the store's ID.
func known(saved []backup.Entry) map[string]*store.Snapshot {
	entries := map[string][]store.Entry{}
	for _, e := range saved {
		entries[e.Source] = append(entries[e.Source], store.Entry{Key: e.Short, Value: e.Text, Revision: e.Revision})
	}
	out := map[string]*store.Snapshot{}
	for id, list := range entries {
		if snap, err := store.NewSnapshot("backup", list); err == nil {
			out[id] = &snap
		}
	}
	return out
}

// readMain reads datakit.conf; a missing one is the defaults.
func (a *agent) readMain() (config.Main, error) {
	text, err := os.ReadFile(a.dir.Main())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return config.Main{}, fmt.Errorf("read the main configuration: %w", err)
	}
	m, problems, warnings := config.ParseMain(string(text), a.env, a.parts)
	for _, w := range warnings.Within(a.dir.Main()) {
		a.log.Warn("in the main configuration", "warning", w.Error())
	}
	if err := problems.Within(a.dir.Main()).Err(); err != nil {
		return config.Main{}, err
	}
	return m, nil
}

// applyMain puts the settings of m into effect.
func (a *agent) applyMain(m config.Main, saved map[string]*store.Snapshot) error {
	if err := a.logging.apply(m, a.stdout); err != nil {
		return err
	}
	a.scripts.set.SetDefaults(m.DefaultScripts)
	for _, problem := range a.scripts.reach(m.Outside, a.flow) {
		a.log.Warn("scripts go without", "error", problem)
	}
	host := m.Hostname
	if host == "" {
		host, _ = os.Hostname() // "" where the system knows none
	}
	a.flow.SetTags(config.HostTags(m.HostTags, host, localIP()))
	a.recent.SetBounds(m.Recent.MaxBytes, m.Recent.MaxAge)
	if err := a.setOutputs(m); err != nil {
		return err
	}
	sources := make([]watch.Source, len(m.Stores))
	for i, s := range m.Stores {
		sources[i] = a.source(s, saved[s.ID])
	}
	a.watch.Replace(sources, watch.Options{
		Debounce: m.Confd.Debounce, DebounceMax: m.Confd.DebounceMax, Timeout: m.Confd.Timeout,
		Resync: m.Confd.Resync, Hold: m.Confd.Hold,
	})
	a.mu.Lock()
	a.main, a.host = m, host
	a.mu.Unlock()
	return nil
}

func (a *agent) source(s config.Store, saved *store.Snapshot) watch.Source {
	return watch.Source{
		ID: s.ID, Backend: s.Backend.Name, Root: s.Root, Nodes: s.Nodes,
		Hash: s.Backend.Name + s.Values.Hash(), Disabled: !s.Enabled, Known: saved,
		Open: func() (store.Store, error) {
			return s.Backend.Open(store.Options{Root: s.Root, Values: s.Values, Log: a.log.With("store", s.ID)})
		},
	}
}

// readLocal reads conf.d. Where a file cannot be read, all that was known of
// the files before stays: a reload that fails half-way must stop nothing.
func (a *agent) readLocal(m config.Main, before config.Source) (reconcile.Local, error) {
	l := reconcile.Local{Defaults: m.Defaults, Authoritative: m.Confd.Authoritative}
	entries, err := a.dir.ReadConf()
	l.Files = config.Source{ID: config.LocalSource, Backend: config.LocalSource, Entries: entries}
	if err != nil {
		l.Errors = []string{err.Error()}
		if before.Entries != nil {
			l.Files = before
		}
	}
	if serr := a.scripts.readLocal(a.dir); serr != nil {
		l.Errors = append(l.Errors, serr.Error())
		err = errors.Join(err, serr)
	}
	return l, err
}

// localIP returns the address that this host would use to reach others, or "".
func localIP() string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	for _, addr := range addrs {
		if n, ok := addr.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	return ""
}

// Reload reads the local files again. A main configuration that cannot be used
// changes nothing; the error says why.
func (a *agent) Reload(context.Context) error {
	a.reload.Lock()
	defer a.reload.Unlock()
	listen := a.settings().Listen
	m, err := a.readMain()
	if err == nil {
		err = a.applyMain(m, nil)
	}
	if err != nil {
		m = a.settings()
	}
	local, lerr := a.readLocal(m, a.loop.Local().Files)
	if err != nil {
		local.Errors = append(local.Errors, err.Error())
	}
	a.loop.SetLocal(local)
	if err = errors.Join(err, lerr); err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	if m.Listen != listen {
		a.log.Warn("http_api.listen takes effect at the next start", "listen", m.Listen)
	}
	a.log.Info("reloaded")
	return nil
}

func (a *agent) settings() config.Main {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.main
}

// Accept applies the deletions that are held.
func (a *agent) Accept() int { return a.watch.Accept() }

// Try says what a change would do.
func (a *agent) Try(source string, entries []store.Entry, removed ...string) reconcile.Trial {
	return a.loop.Try(source, entries, removed...)
}

// Write takes points that came in over HTTP.
func (a *agent) Write(ctx context.Context, c point.Category, pts []point.Point) error {
	if err := a.api.Write(ctx, c, pts); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// Info implements [api.Agent].
func (a *agent) Info() api.Info {
	a.mu.Lock()
	defer a.mu.Unlock()
	return api.Info{Version: Version, Host: a.host, Started: a.started}
}

// Status returns what /v1/status shows.
func (a *agent) Status() status.Status {
	s := a.loop.Status()
	a.mu.Lock()
	s.Version, s.Hostname, s.StartedAt = Version, a.host, status.At(a.started)
	apiErr := a.apiErr
	a.mu.Unlock()
	if err := apiErr(); err != nil {
		s.Errors = append(s.Errors, err.Error())
	}
	if r := a.recent.Stats(); r.MaxBytes > 0 {
		s.Recent = &status.Recent{
			Points: r.Points, Series: r.Series, Measurements: r.Measurements,
			Bytes: r.Bytes, MaxBytes: r.MaxBytes, Refused: r.Refused,
		}
	}
	for _, o := range a.flow.Stats().Outputs {
		s.Outputs = append(s.Outputs, status.Output{
			Name: o.Name, QueuePoints: o.QueuedPoints, QueueBytes: o.QueuedBytes, Written: o.Written,
			Dropped: o.Dropped + o.Rejected, Retries: o.Retries, LastError: o.LastError,
		})
	}
	return s
}
