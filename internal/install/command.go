package install

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"datakit.dev/internal/config"
	"datakit.dev/internal/workdir"
)

// Deps is what the commands need of the program they are part of.
type Deps struct {
	Version string
	Parts   config.Parts
	Env     map[string]string
	Stdin   io.Reader
	Stdout  io.Writer
}

// Commands returns `datakit install`, `upgrade` and `uninstall`.
func Commands(d Deps) []*cobra.Command {
	return []*cobra.Command{d.installCommand(), d.upgradeCommand(), d.uninstallCommand()}
}

// flags are those of the three commands.
type flags struct {
	dir       string
	program   string
	idle      bool
	filesOnly bool
	upgrade   bool
	purge     bool
	values    map[string]*string // of Variables, by their names
}

func (d Deps) installCommand() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "install [--dir DIR] [flags]",
		Short: "Install the agent and its service on this machine",
		Long: `Install the agent and its service on this machine.

Every flag has a variable DK_NAME in the environment: DK_CONFD_BACKEND for
--confd-backend. What is given is merged into datakit.conf; all else in it stays
as it is, and so does everything where nothing is given. Others can see a flag
with ps: give passwords and tokens in the environment.`,
		Example: `  DK_CONFD_BACKEND=etcdv3 DK_CONFD_BACKEND_NODES="[127.0.0.1:2379]" datakit install
  datakit install --files-only --dir /srv/datakit`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.install(cmd.Context(), f) },
	}
	f.add(cmd.Flags(), d.Env)
	fs := cmd.Flags()
	fs.StringVar(&f.program, "program", "", "`file` to install (default: this program)")
	fs.BoolVar(&f.upgrade, "upgrade", isSet(d.Env, "UPGRADE"), "replace the program only, as `datakit upgrade` does (DK_UPGRADE)")
	fs.BoolVar(&f.idle, "install-only", isSet(d.Env, "INSTALL_ONLY"), "register the service, and do not start it (DK_INSTALL_ONLY)")
	f.values = map[string]*string{}
	for _, v := range Variables() {
		f.values[v.Name] = fs.String(v.Flag(), "", v.usage())
		if v.Bool {
			fs.Lookup(v.Flag()).NoOptDefVal = "true"
		}
	}
	fs.SortFlags = false
	return cmd
}

// usage is the text of the flag.
func (v Variable) usage() string {
	if v.Secret {
		return v.Doc + "; ps shows it: better DK_" + v.Name
	}
	return v.Doc + " (DK_" + v.Name + ")"
}

// add adds the flags of all three commands.
func (f *flags) add(fs *pflag.FlagSet, env map[string]string) {
	dir := env["DK_INSTALL_DIR"]
	if dir == "" {
		dir = string(workdir.Default())
	}
	fs.StringVar(&f.dir, "dir", dir, "work `directory` (DK_INSTALL_DIR)")
	fs.BoolVar(&f.filesOnly, "files-only", isSet(env, "FILES_ONLY"), "leave services and users of this machine alone (DK_FILES_ONLY)")
}

// isSet reads a switch of the environment as upstream does: anything but
// nothing, 0, no and false is on.
func isSet(env map[string]string, name string) bool {
	switch strings.ToLower(strings.TrimSpace(env["DK_"+name])) {
	case "", "0", "false", "no", "off":
		return false
	}
	return true
}

func (d Deps) options(f flags) (Options, error) {
	o := Options{
		Dir: workdir.Dir(strings.TrimRight(f.dir, `/`)), Program: f.program, Version: d.Version, Parts: d.Parts,
		FilesOnly: f.filesOnly, Idle: f.idle, Out: d.Stdout,
	}
	o.Service = NewSystem(o.Dir)
	if o.Program == "" {
		self, err := os.Executable()
		if err != nil {
			return o, fmt.Errorf("which program this is: %w: give --program", err)
		}
		o.Program = self
	}
	given := map[string]string{}
	for name, v := range f.values {
		given[name] = *v
	}
	var err error
	o.Settings, err = Read(given, d.Env)
	return o, err
}

func (d Deps) install(ctx context.Context, f flags) error {
	o, err := d.options(f)
	switch {
	case err != nil:
		return err
	case f.upgrade:
		return Upgrade(ctx, o)
	}
	return Install(ctx, o)
}

func (d Deps) upgradeCommand() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "upgrade [--dir DIR] [--program FILE]",
		Short: "Replace the installed agent by this program",
		Long: `Replace the installed agent by this program, and keep configuration and data.

The service is restarted. Where the new version does not answer /v1/ping within
30 seconds, the old one comes back.`,
		Example: "  ./datakit upgrade",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := d.options(f)
			if err != nil {
				return err
			}
			return Upgrade(cmd.Context(), o)
		},
	}
	f.add(cmd.Flags(), d.Env)
	cmd.Flags().StringVar(&f.program, "program", "", "`file` to install (default: this program)")
	return cmd
}

func (d Deps) uninstallCommand() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "uninstall [--dir DIR] [--purge]",
		Short: "Remove the agent and its service from this machine",
		Long: `Remove the agent and its service from this machine.

It asks whether to delete configuration and data, too. Where nobody can be asked
they stay; --purge deletes them without a question.`,
		Example: "  datakit uninstall\n  datakit uninstall --purge",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := d.options(f)
			if err != nil {
				return err
			}
			return Uninstall(cmd.Context(), o, func(paths []string) (bool, error) {
				if f.purge {
					return true, nil
				}
				return d.ask(paths)
			})
		},
	}
	f.add(cmd.Flags(), d.Env)
	cmd.Flags().BoolVar(&f.purge, "purge", false, "delete configuration and data, too, without a question")
	return cmd
}

// ask asks whether to delete paths. Only a person who types yes says yes.
func (d Deps) ask(paths []string) (bool, error) {
	in, ok := d.Stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return false, nil
	}
	return confirm(in, d.Stdout, paths)
}

func confirm(in io.Reader, out io.Writer, paths []string) (bool, error) {
	fmt.Fprintf(out, "Delete configuration and data (%s)? Type yes: ", strings.Join(paths, " "))
	answer, err := bufio.NewReader(io.LimitReader(in, 100)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("read the answer: %w", err)
	}
	return strings.TrimSpace(answer) == "yes", nil
}
