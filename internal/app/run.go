package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"datakit.dev/internal/access"
	"datakit.dev/internal/api"
	"datakit.dev/internal/audit"
	"datakit.dev/internal/config"
	"datakit.dev/internal/console"
	"datakit.dev/internal/workdir"
)

// shutdown is how long the end may take: units get 2 s of it, the queues the
// rest.
const shutdown = 4500 * time.Millisecond

// run runs an agent on dir until ctx ends.
func run(ctx context.Context, dir workdir.Dir, env map[string]string, stdout, stderr io.Writer) (err error) {
	a, err := open(dir, env, stdout, stderr)
	if err != nil {
		return err
	}
	record := audit.New(dir.Audit())
	pages, err := console.New(console.Options{Agent: a, Changes: a.changes})
	if err != nil {
		return errors.Join(err, a.close())
	}
	server := api.New(api.Options{
		Agent: a, Recent: a.recent, Catalog: a.parts.Catalog, Scripts: a.scripts.opts, Running: a.scripts.running, Services: a.scripts.services,
		Addr: a.settings().Listen, Log: a.log, Changes: a.changes, Console: pages,
		Settings: func() config.Console { return a.settings().Console },
		Gate:     access.NewGate(access.File(dir.ConsoleToken())), Audit: record, Keys: keys{a},
	})
	a.mu.Lock()
	a.apiErr = server.Err
	a.mu.Unlock()
	a.log.Info("started", "version", Version, "dir", string(dir), "listen", a.settings().Listen)

	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	var parts sync.WaitGroup
	errs := make(chan error, 2)
	parts.Go(func() { errs <- server.Run(ctx) })
	parts.Go(func() { errs <- a.loop.Run(ctx) })
	parts.Go(func() { watchdog(ctx, func() { _ = a.Status() }, a.log) })
	parts.Go(func() { trim(ctx, readHeap, debug.FreeOSMemory) })
	notify(daemon.SdNotifyReady, a.log)
	for ctx.Err() == nil {
		select {
		case <-hup:
			if err := a.Reload(ctx); err != nil {
				a.log.Error("the reload failed; what runs stays", "error", err)
			}
		case <-ctx.Done():
		}
	}
	notify(daemon.SdNotifyStopping, a.log)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		parts.Wait()
	}()
	err = a.close()
	defer func() { err = errors.Join(err, record.Close()) }()
	limit := time.NewTimer(time.Second)
	defer limit.Stop()
	select {
	case <-ended:
		return errors.Join(err, <-errs, <-errs)
	case <-limit.C:
		return errors.Join(err, errors.New("a part of the agent did not end in time"))
	}
}

// close stops what runs and writes what is queued.
func (a *agent) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdown)
	defer cancel()
	a.log.Info("stopping")
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		a.watch.Close()
	}()
	a.units.Stop()
	a.api.Close()
	err := a.flow.Close(ctx)
	a.scripts.close()
	if !ends(ctx, watching) {
		a.log.Warn("a store did not close in time")
	}
	if err != nil {
		err = fmt.Errorf("stop: %w", err)
	}
	return errors.Join(err, a.logging.close())
}

// ends reports whether done is closed before ctx ends. Where both are over, as
// after queues that took all the time there was, done counts.
func ends(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
	}
	select {
	case <-done:
		return true
	default:
		return false
	}
}
