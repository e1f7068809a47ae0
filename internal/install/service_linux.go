package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/kardianos/service"

	"datakit.dev/internal/workdir"
)

const unitFile = "/etc/systemd/system/" + Name + ".service"

// missing says what keeps a service from being registered here.
func missing() error {
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return errors.New("systemd does not run on this machine")
	}
	return nil
}

// registration returns what the system holds of the service, "" where it has
// none.
func registration() string {
	text, err := os.ReadFile(unitFile)
	if err != nil {
		return ""
	}
	return string(text)
}

func mentions(have string, dir workdir.Dir) bool {
	return strings.Contains(have, "ExecStart="+unitPath(program(dir, "linux"))+" ")
}

func upToDate(have string, dir workdir.Dir) bool { return have == Unit(dir) }

// discard takes the unit's file away and leaves the service running and enabled.
func discard(service.Service) error {
	if err := os.Remove(unitFile); err != nil {
		return fmt.Errorf("remove the unit: %w", err)
	}
	return nil
}

// restore writes an earlier unit again.
func restore(ctx context.Context, unit string) error {
	if err := os.WriteFile(unitFile, []byte(unit), 0o644); err != nil { //nolint:gosec // a unit is no secret
		return fmt.Errorf("write the unit: %w", err)
	}
	if out, err := command(ctx, "systemctl", "daemon-reload"); err != nil {
		return fmt.Errorf("read the unit again: %w: %s", err, out)
	}
	return nil
}

// forget has systemd forget how the service ended: one that is gone would else
// be listed as failed until the next boot. Where it did not fail there is
// nothing to forget, which is no error.
func forget(ctx context.Context) { _, _ = command(ctx, "systemctl", "reset-failed", Name) }
