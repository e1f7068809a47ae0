package app

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/kardianos/service"

	"datakit.dev/internal/install"
)

// underService runs run, as a service where Windows started us as one: it then
// expects to be told that we run, and tells us when to end.
func underService(ctx context.Context, run func(context.Context) error) error {
	if service.Interactive() {
		return run(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &windowsProgram{ctx: ctx, cancel: cancel, run: run, ended: make(chan error, 1)}
	s, err := service.New(p, &service.Config{Name: install.Name})
	if err == nil {
		err = s.Run()
	}
	if err != nil {
		return fmt.Errorf("run as a service: %w", err)
	}
	return nil
}

// windowsProgram is the agent as Windows starts and stops it.
type windowsProgram struct {
	ctx    context.Context //nolint:containedctx // Start and Stop are called by the system, without one
	cancel context.CancelFunc
	run    func(context.Context) error
	ended  chan error
}

// Start implements [service.Interface].
func (p *windowsProgram) Start(service.Service) error {
	go func() {
		err := p.run(p.ctx)
		p.ended <- err
		// A service that ended by itself has failed: the process has to end too, or
		// Windows would not start it again.
		if p.ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "datakit:", err)
			os.Exit(1) //nolint:forbidigo // see above
		}
	}()
	return nil
}

// Stop implements [service.Interface].
func (p *windowsProgram) Stop(service.Service) error {
	p.cancel()
	if err := <-p.ended; err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
