package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// notify tells systemd how the agent does. Where no systemd asked to be told, it
// does nothing.
func notify(state string, log *slog.Logger) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("systemd could not be told", "state", state, "error", err)
	}
}

// watchdog tells systemd that the agent lives, until ctx ends, twice as often as
// it has to. Before that alive has to return: an agent whose locks are stuck
// falls silent, and systemd starts it anew.
func watchdog(ctx context.Context, alive func(), log *slog.Logger) {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("the watchdog is off", "error", err)
	}
	if err != nil || every == 0 {
		return
	}
	tick := time.NewTicker(every / 2)
	defer tick.Stop()
	for {
		alive()
		notify(daemon.SdNotifyWatchdog, log)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
