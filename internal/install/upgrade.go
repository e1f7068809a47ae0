package install

import (
	"context"
	"errors"
	"fmt"
	"os"

	"datakit.dev/internal/config"
)

// ErrRolledBack is that a new version did not work, and the old one runs again.
var ErrRolledBack = errors.New("the upgrade was taken back")

// Upgrade puts a new program in the place of the installed one and keeps
// configuration and data. Where the new one does not answer /v1/ping, the old one
// comes back, with its service as it was.
func Upgrade(ctx context.Context, o Options) error {
	if err := checkDir(o.Dir); err != nil {
		return err
	}
	target := o.target()
	if _, err := os.Stat(target); err != nil {
		return fmt.Errorf("%s: no agent is installed there: install it without DK_UPGRADE, or give its --dir: %w", o.Dir, err)
	}
	if same, err := samePrograms(o.Program, target); err != nil || same {
		if err == nil {
			o.say("program   %s is version %s already", target, o.Version)
		}
		return err
	}
	next, last := target+".new", target+".old"
	if err := copyProgram(o.Program, next); err != nil {
		return errors.Join(fmt.Errorf("copy the program: %w", err), remove(next))
	}
	if err := works(ctx, next); err != nil {
		return errors.Join(fmt.Errorf("%w: nothing was changed", err), remove(next))
	}
	u := upgrade{Options: o, target: target, next: next, last: last}
	if !o.Settings.Empty() {
		o.say("settings  %s stays as it is: an upgrade takes no settings", o.Dir.Main())
	}
	return u.run(ctx)
}

// An upgrade is one that has its new program beside the old one.
type upgrade struct {
	Options
	target, next, last string
}

func (u upgrade) run(ctx context.Context) error {
	serves := !u.FilesOnly && !u.Idle && u.withoutService() == nil && u.Service.Registered()
	if !serves {
		if err := errors.Join(u.exchange(), remove(u.last)); err != nil {
			return fmt.Errorf("replace the program: %w", err)
		}
		u.say("program   %s (version %s); no service was restarted", u.target, u.Version)
		return nil
	}
	listen, err := u.listen()
	if err != nil {
		return errors.Join(err, remove(u.next))
	}
	restore := u.Service.Save()
	if err := u.Service.Stop(); err != nil {
		return errors.Join(err, remove(u.next))
	}
	if err = u.begin(ctx, listen); err == nil {
		u.say("program   %s (version %s)", u.target, u.Version)
		u.say("service   %s runs; configuration and data are as they were", Name)
		// Windows may hold on to it; the next upgrade takes it away.
		_ = remove(u.last)
		return nil
	}
	// What stopped the new version, a Ctrl-C too, must not stop the old one.
	return u.back(context.WithoutCancel(ctx), listen, restore, err)
}

// listen returns where the agent answers, by its datakit.conf.
func (u upgrade) listen() (string, error) {
	text, err := os.ReadFile(u.Dir.Main())
	if err != nil && !os.IsNotExist(err) {
		return "", fmt.Errorf("read the main configuration: %w", err)
	}
	m, bad, _ := config.ParseMain(string(text), nil, u.Parts)
	if bad != nil {
		return "", fmt.Errorf("correct the configuration before the upgrade: %w", bad.In(u.Dir.Main(), ""))
	}
	return m.Listen, nil
}

// exchange puts the new program in the old one's place, which it keeps.
func (u upgrade) exchange() error {
	err := errors.Join(remove(u.last), os.Rename(u.target, u.last))
	if err == nil {
		err = os.Rename(u.next, u.target)
	}
	return err
}

// begin starts the new version.
func (u upgrade) begin(ctx context.Context, listen string) error {
	if err := u.exchange(); err != nil {
		return err
	}
	if _, err := u.Service.Register(ctx); err != nil {
		return err //nolint:wrapcheck // it is whole
	}
	return u.start(ctx, listen)
}

// back puts the old version into its place again and starts it.
func (u upgrade) back(ctx context.Context, listen string, restore func(context.Context) error, why error) error {
	_ = u.Service.Stop() // it may not even have started
	if _, err := os.Stat(u.last); err == nil {
		if err := os.Rename(u.last, u.target); err != nil {
			return fmt.Errorf("%w; and the old version could not be put back: %w", why, err)
		}
	}
	err := remove(u.next)
	if err = errors.Join(err, restore(ctx), u.Service.Start()); err != nil {
		return fmt.Errorf("%w; and the old version does not start: %w", why, err)
	}
	if listen != "" {
		if err := awaitPing(ctx, listen, "", u.patience()); err != nil {
			return fmt.Errorf("%w; and the old version does not answer either: %w", why, err)
		}
	}
	return fmt.Errorf("%w, the old version runs again: %w", ErrRolledBack, why)
}
