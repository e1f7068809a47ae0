package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"datakit.dev/internal/atomicfile"
	"datakit.dev/internal/config"
	"datakit.dev/internal/workdir"
)

// Options is what an installation works with.
type Options struct {
	Dir     workdir.Dir
	Program string // the program that is installed
	Version string // what it says of itself
	Parts   config.Parts

	Settings Settings

	// KeepOwner leaves all files to who installs, and makes no user.
	KeepOwner bool
	// FilesOnly leaves the machine's services and users alone; Idle registers the
	// service and does not start it.
	FilesOnly, Idle bool

	Service Service
	Out     io.Writer // what was done, one line each
	// Patience is how long a started agent may take to answer; 30 s where 0.
	Patience time.Duration
}

func (o Options) say(format string, args ...any) { fmt.Fprintf(o.Out, format+"\n", args...) }

// target returns where the program is put.
func (o Options) target() string { return program(o.Dir, runtime.GOOS) }

func (o Options) patience() time.Duration {
	if o.Patience > 0 {
		return o.Patience
	}
	return patience
}

// conf is a datakit.conf before and after the settings.
type conf struct {
	path, old, text string
	changed         []string // the keys
	missing         bool     // there was none
	listen          string
}

// readConf merges the settings into the datakit.conf of the directory, and writes
// nothing.
func (o Options) readConf() (c conf, err error) {
	c.path = o.Dir.Main()
	if target, err := filepath.EvalSymlinks(c.path); err == nil {
		c.path = target // a link stays one
	}
	text, err := os.ReadFile(c.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("read the main configuration: %w", err)
	}
	c.missing, c.old = err != nil, string(text)
	if c.missing {
		c.old = o.Parts.Schema().Sample()
		o.Settings.Log = logFile(o.Dir, runtime.GOOS)
	}
	if c.text, c.changed, err = Merge(c.old, o.Settings, o.Parts); err != nil {
		return c, fmt.Errorf("%s: %w", c.path, err)
	}
	m, _, _ := config.ParseMain(c.text, nil, o.Parts)
	c.listen = m.Listen
	return c, nil
}

// write puts c on disk where it differs. It holds secrets: nobody but root and
// the agent reads it.
func (c conf) write(who owner) error {
	if c.missing || c.text != c.old {
		if err := atomicfile.Write(c.path, []byte(c.text), 0o640); err != nil {
			return fmt.Errorf("write the main configuration: %w", err)
		}
	} else if err := os.Chmod(c.path, 0o640); err != nil {
		return fmt.Errorf("write the main configuration: %w", err)
	}
	return who.group(c.path)
}

// Install puts the agent into its directory, the settings into datakit.conf and
// the service into the system, and starts it. Doing it again with the same
// settings changes nothing.
func Install(ctx context.Context, o Options) error {
	if err := checkDir(o.Dir); err != nil {
		return err
	}
	c, err := o.readConf()
	if err != nil {
		return err
	}
	noService := o.withoutService()
	var who owner
	if !o.FilesOnly && !o.KeepOwner && noService == nil {
		if who, err = ensureOwner(ctx, string(o.Dir)); err != nil {
			return err
		}
	}
	if err := folders(ctx, o.Dir, who); err != nil {
		return fmt.Errorf("make the folders: %w", err)
	}
	newProgram, err := place(o.Program, o.target())
	if err != nil {
		return fmt.Errorf("copy the program: %w", err)
	}
	if err := c.write(who); err != nil {
		return err
	}
	o.report(c, newProgram)
	switch {
	case o.FilesOnly:
		o.say("service   none was asked for; start the agent with: %s run --dir %s", o.target(), o.Dir)
		return nil
	case noService != nil && o.Idle:
		o.say("service   none, since %v; start the agent with: %s run --dir %s", noService, o.target(), o.Dir)
		return nil
	case noService != nil:
		return fmt.Errorf("the files are in %s, but no service: %w; start `%s run --dir %s` yourself, or give DK_INSTALL_ONLY=1", o.Dir, noService, o.target(), o.Dir)
	}
	return o.serve(ctx, c, newProgram || c.text != c.old)
}

// withoutService says why no service can be registered here, nil where one can.
func (o Options) withoutService() error {
	if o.FilesOnly {
		return nil
	}
	if err := o.Service.Missing(); err != nil {
		return err //nolint:wrapcheck // it is whole
	}
	if runtime.GOOS != "windows" && os.Geteuid() != 0 {
		return errors.New("only root may register it")
	}
	return nil
}

// report says what the installation changed, without a value: some are secret.
func (o Options) report(c conf, newProgram bool) {
	state := "as it was"
	if newProgram {
		state = "version " + o.Version
	}
	o.say("program   %s (%s)", o.target(), state)
	switch {
	case c.missing:
		o.say("settings  %s (new%s)", c.path, listed(": ", c.changed))
	case len(c.changed) > 0:
		o.say("settings  %s (changed: %s)", c.path, strings.Join(c.changed, ", "))
	default:
		o.say("settings  %s (as it was)", c.path)
	}
	o.say("inputs    %s", o.Dir.Conf())
	o.say("scripts   %s", o.Dir.Scripts())
	o.say("data      %s", strings.Join(writable(o.Dir), " "))
}

func listed(before string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return before + strings.Join(names, ", ")
}

// serve registers the service and sees that it runs what was installed.
func (o Options) serve(ctx context.Context, c conf, changed bool) error {
	if path, err := link(o.Dir); err != nil {
		return err
	} else if path != "" {
		o.say("command   %s", path)
	}
	registered, err := o.Service.Register(ctx)
	if err != nil {
		return err //nolint:wrapcheck // it is whole
	}
	if o.Idle {
		o.say("service   %s is registered, and not started", Name)
		return nil
	}
	running := o.Service.Running()
	if running && !changed && !registered {
		o.say("service   %s runs, as before", Name)
		return nil
	}
	if running {
		if err := o.Service.Stop(); err != nil {
			return err //nolint:wrapcheck // it is whole
		}
	}
	if err := o.start(ctx, c.listen); err != nil {
		return fmt.Errorf("%w; see %s", err, logHint())
	}
	o.say("service   %s runs; see it with: %s status%s", Name, o.target(), o.dirFlag())
	return nil
}

func (o Options) dirFlag() string {
	if o.Dir == workdir.Default() {
		return ""
	}
	return " --dir " + string(o.Dir)
}

// start starts the service and waits until the agent answers. One that listens
// nowhere cannot be asked: that the service runs has to do.
func (o Options) start(ctx context.Context, listen string) error {
	if err := o.Service.Start(); err != nil {
		return err //nolint:wrapcheck // it is whole
	}
	if listen == "" {
		if !o.Service.Running() {
			return errors.New("the service does not run")
		}
		return nil
	}
	return awaitPing(ctx, listen, o.Version, o.patience())
}

// logFile is where an agent logs that is installed anew, "" for standard error:
// what a service of Windows writes there is lost.
func logFile(dir workdir.Dir, goos string) string {
	if goos != "windows" {
		return ""
	}
	return strings.TrimRight(string(dir), `\/`) + `\log\datakit.log`
}

// logHint says where the agent's log is.
func logHint() string {
	if runtime.GOOS == "linux" {
		return "`journalctl -u " + Name + "`"
	}
	return "the folder log"
}
