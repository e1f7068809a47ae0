package install

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/kardianos/service"

	"datakit.dev/internal/workdir"
)

// Name is the name of the service, and of the user that it runs as.
const Name = "datakit"

// A Service is how a system keeps the agent running.
type Service interface {
	// Missing says why the agent cannot be registered here, nil where it can.
	Missing() error
	// Register makes the system start the agent at each boot. It reports whether
	// that changed anything.
	Register(ctx context.Context) (changed bool, err error)
	// Registered reports whether the system knows the agent.
	Registered() bool
	// Save returns what brings the present registration back.
	Save() (restore func(ctx context.Context) error)
	Running() bool
	Start() error
	Stop() error
	Unregister(ctx context.Context) error
}

// System is the service system of this machine.
type System struct{ dir workdir.Dir }

// NewSystem returns the service system of this machine, for an agent in dir.
func NewSystem(dir workdir.Dir) *System { return &System{dir: dir} }

// Config returns how an agent in dir is registered on a system. On all of them it
// starts at boot and again when it fails.
func Config(dir workdir.Dir, goos string) *service.Config {
	c := &service.Config{
		Name: Name, DisplayName: "DataKit", Description: "DataKit, a telemetry agent",
		Executable: program(dir, goos), Arguments: []string{"run", "--dir", string(dir)},
	}
	switch goos {
	case "linux":
		c.Option = service.KeyValue{"SystemdScript": Unit(dir)}
	case "darwin":
		c.Option = service.KeyValue{"RunAtLoad": true, "KeepAlive": true, "LogDirectory": string(dir) + "/log"}
	case "windows":
		c.Option = service.KeyValue{"StartType": "automatic", "OnFailure": "restart", "OnFailureDelayDuration": "2s", "OnFailureResetPeriod": 60}
	}
	return c
}

// program returns the path of the agent's program in dir.
func program(dir workdir.Dir, goos string) string {
	if goos == "windows" {
		return strings.TrimRight(string(dir), `\/`) + `\datakit.exe`
	}
	return strings.TrimRight(string(dir), "/") + "/datakit"
}

func (s *System) control() (service.Service, error) {
	c, err := service.New(nothing{}, Config(s.dir, runtime.GOOS))
	if err != nil {
		return nil, fmt.Errorf("the service system of this machine: %w", err)
	}
	return c, nil
}

// Missing implements [Service].
func (s *System) Missing() error {
	if err := missing(); err != nil {
		return err
	}
	if have := registration(); have != "" && !mentions(have, s.dir) {
		return errors.New("the service " + Name + " is that of an agent in another directory, which has to be uninstalled first")
	}
	_, err := s.control()
	return err
}

// Registered implements [Service].
func (s *System) Registered() bool { return mentions(registration(), s.dir) }

// Save implements [Service].
func (s *System) Save() func(context.Context) error {
	have := registration()
	return func(ctx context.Context) error {
		if have == "" || have == registration() {
			return nil
		}
		return restore(ctx, have)
	}
}

// Register implements [Service].
func (s *System) Register(context.Context) (bool, error) {
	have := registration()
	if have != "" && upToDate(have, s.dir) {
		return false, nil
	}
	c, err := s.control()
	if err != nil {
		return false, err
	}
	if have != "" {
		if err := discard(c); err != nil {
			return false, fmt.Errorf("take the old service away: %w", err)
		}
	}
	if err := c.Install(); err != nil {
		return false, fmt.Errorf("register the service: %w", err)
	}
	return true, nil
}

// Running implements [Service].
func (s *System) Running() bool {
	c, err := s.control()
	if err != nil {
		return false
	}
	is, err := c.Status()
	return err == nil && is == service.StatusRunning
}

// Start implements [Service].
func (s *System) Start() error { return s.act("start", service.Service.Start) }

// Stop implements [Service].
func (s *System) Stop() error { return s.act("stop", service.Service.Stop) }

// Unregister implements [Service].
func (s *System) Unregister(ctx context.Context) error {
	if !s.Registered() {
		return nil
	}
	if err := s.act("unregister", service.Service.Uninstall); err != nil {
		return err
	}
	forget(ctx)
	return nil
}

func (s *System) act(what string, f func(service.Service) error) error {
	c, err := s.control()
	if err == nil {
		err = f(c)
	}
	if err != nil && !errors.Is(err, service.ErrNotInstalled) {
		return fmt.Errorf("%s the service: %w", what, err)
	}
	return nil
}

// nothing is the program of a service that is only controlled from here; what
// the service runs is `datakit run`.
type nothing struct{}

func (nothing) Start(service.Service) error { return nil }
func (nothing) Stop(service.Service) error  { return nil }
