//go:build !linux && !darwin && !windows

package install

import (
	"context"
	"errors"

	"github.com/kardianos/service"

	"datakit.dev/internal/workdir"
)

func missing() error { return errors.New("services are registered on Linux, macOS and Windows only") }

func registration() string { return "" }

func mentions(string, workdir.Dir) bool { return false }

func restore(context.Context, string) error { return nil }

func upToDate(string, workdir.Dir) bool { return false }

func discard(service.Service) error { return missing() }

// forget has nothing to do: only systemd remembers services that are gone.
func forget(context.Context) {}
