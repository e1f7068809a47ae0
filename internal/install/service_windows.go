package install

import (
	"context"
	"strings"

	"github.com/kardianos/service"
	"golang.org/x/sys/windows/svc/mgr"

	"datakit.dev/internal/workdir"
)

func missing() error { return nil }

// registration returns the command line of the service, "" where there is none.
func registration() string {
	m, err := mgr.Connect()
	if err != nil {
		return ""
	}
	defer m.Disconnect() //nolint:errcheck // it was only read from
	s, err := m.OpenService(Name)
	if err != nil {
		return ""
	}
	defer s.Close() //nolint:errcheck // it was only read from
	c, err := s.Config()
	if err != nil {
		return ""
	}
	return c.BinaryPathName
}

func mentions(have string, dir workdir.Dir) bool {
	return strings.Contains(strings.ToLower(have), strings.ToLower(program(dir, "windows")))
}

func upToDate(have string, dir workdir.Dir) bool { return mentions(have, dir) }

// restore has nothing to do: every version registers the same command line.
func restore(context.Context, string) error { return nil }

func discard(s service.Service) error { return s.Uninstall() } //nolint:wrapcheck // Register wraps it

// forget has nothing to do: only systemd remembers services that are gone.
func forget(context.Context) {}
