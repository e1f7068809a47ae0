package cli_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"datakit.dev/internal/api"
	"datakit.dev/internal/cli"
	"datakit.dev/internal/config"
	"datakit.dev/internal/input"
	"datakit.dev/internal/point"
	"datakit.dev/internal/recent"
	"datakit.dev/internal/reconcile"
	"datakit.dev/internal/status"
	"datakit.dev/internal/store"
	"datakit.dev/internal/supervise"
	"datakit.dev/internal/watch"
	"datakit.dev/internal/workdir"
)

// testAgent is the real loop behind the real API, with nowhere for points to go.
type testAgent struct {
	*reconcile.Reconciler
	watch   *watch.Set
	started time.Time
}

func (a *testAgent) Info() api.Info               { return api.Info{Version: "1.2.3", Host: "h", Started: a.started} }
func (a *testAgent) Accept() int                  { return a.watch.Accept() }
func (a *testAgent) Reload(context.Context) error { return errors.New("not here") }
func (a *testAgent) Write(context.Context, point.Category, []point.Point) error {
	return errors.New("not here")
}

func (a *testAgent) Status() status.Status {
	s := a.Reconciler.Status()
	s.Version, s.Hostname, s.StartedAt = "1.2.3", "h", status.At(a.started)
	return s
}

// counter is a sink that only counts.
type counter struct{ n atomic.Uint64 }

func (c *counter) Write(_ context.Context, _ point.Category, pts []point.Point) error {
	c.n.Add(uint64(len(pts)))
	return nil
}
func (c *counter) SetTags(map[string]string) {}
func (c *counter) Points() uint64            { return c.n.Load() }
func (c *counter) Close()                    {}

// runAgent is what `datakit run` runs in the scripts.
func runAgent(ctx context.Context, parts config.Parts, env map[string]string, o cli.RunOptions) error {
	if o.Dev {
		return fmt.Errorf("asked for --dev in %q", o.Dir)
	}
	dir := workdir.Dir(o.Dir)
	text, err := os.ReadFile(dir.Main())
	if err != nil {
		return err
	}
	m, bad, _ := config.ParseMain(string(text), env, parts)
	if len(bad) > 0 {
		return bad
	}
	set := watch.NewSet(discard)
	defer set.Close()
	set.Replace(sources(m.Stores), watch.Options{Timeout: time.Minute, Resync: time.Minute, Hold: m.Confd.Hold, Debounce: m.Confd.Debounce})
	sup := supervise.New(supervise.Options{
		Log:  discard,
		Sink: func(map[string]string) supervise.Sink { return &counter{} },
		Env:  func(string) input.Env { return input.Env{Log: discard} },
	})
	defer sup.Stop()
	loop := reconcile.New(reconcile.Options{Log: discard, Catalog: parts.Catalog, Watch: set, Supervisor: sup, Local: reconcile.Local{
		Files: config.Source{ID: config.LocalSource, Backend: config.LocalSource},
	}})
	server := api.New(api.Options{Log: discard, Addr: m.Listen, Agent: &testAgent{loop, set, time.Now().UTC()}, Recent: someRecent()})
	var runs sync.WaitGroup
	runs.Go(func() { _ = loop.Run(ctx) })
	err = server.Run(ctx)
	runs.Wait()
	return err
}

// someRecent returns the points that the queries of the scripts are about.
func someRecent() *recent.Store {
	s := recent.New(1<<20, time.Hour)
	for i, host := range []string{"a", "b", "a"} {
		p := point.New("m", 2)
		p.SetTag("host", host)
		p.Add("x", point.IntOf(int64(i+1)))
		p.Add("note", point.StringOf("one, \x1b[31mtwo"))
		p.Time = time.Now().Add(time.Duration(i-10) * time.Minute).UnixNano()
		s.Observe(point.Metric, []point.Point{p})
	}
	return s
}

func sources(stores []config.Store) []watch.Source {
	var out []watch.Source
	for _, s := range stores {
		out = append(out, watch.Source{
			ID: s.ID, Backend: s.Backend.Name, Root: s.Root, Nodes: s.Nodes, Hash: s.Values.Hash(), Disabled: !s.Enabled,
			Open: func() (store.Store, error) {
				return s.Backend.Open(store.Options{Root: s.Root, Values: s.Values, Log: discard})
			},
		})
	}
	return out
}
