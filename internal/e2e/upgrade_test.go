//go:build unix

package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"datakit.dev/internal/config"
	"datakit.dev/internal/install"
	"datakit.dev/internal/workdir"
)

// A keeper is what systemd is to an installed agent, as far as an installation
// sees: it runs the program of the directory as a process. The real one is in
// TestInstalledOnDebian.
type keeper struct {
	t          *testing.T
	dir        string
	registered bool
	starts     int
	cmd        *exec.Cmd
	ended      chan struct{}
}

func (k *keeper) Missing() error   { return nil }
func (k *keeper) Registered() bool { return k.registered }
func (k *keeper) Save() func(context.Context) error {
	return func(context.Context) error { return nil }
}
func (k *keeper) Unregister(context.Context) error { k.registered = false; return nil }
func (k *keeper) Register(context.Context) (bool, error) {
	was := k.registered
	k.registered = true
	return !was, nil
}

func (k *keeper) Running() bool {
	if k.cmd == nil {
		return false
	}
	select {
	case <-k.ended:
		return false
	default:
		return true
	}
}

func (k *keeper) Start() error {
	k.starts++
	k.cmd, k.ended = exec.Command(filepath.Join(k.dir, "datakit"), "run", "--dir", k.dir), make(chan struct{})
	if err := k.cmd.Start(); err != nil {
		close(k.ended)
		return err
	}
	cmd, ended := k.cmd, k.ended
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	return nil
}

func (k *keeper) Stop() error {
	if k.Running() {
		_ = k.cmd.Process.Signal(syscall.SIGTERM)
		<-k.ended
	}
	return nil
}

// installed is an agent that was installed into a directory, with a keeper.
func installed(t *testing.T, out *bytes.Buffer) (install.Options, *keeper, *agent) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root registers a service")
	}
	a := &agent{t: t, dir: filepath.Join(t.TempDir(), "datakit"), addr: freeAddress(t)}
	k := &keeper{t: t, dir: a.dir}
	t.Cleanup(func() { _ = k.Stop() })
	settings, err := install.Read(nil, map[string]string{"DK_HTTP_LISTEN": a.addr, "DK_DEF_INPUTS": "mem"})
	if err != nil {
		t.Fatal(err)
	}
	return install.Options{
		Dir: workdir.Dir(a.dir), Program: binary, Version: "dev", Settings: settings, Service: k, Out: out,
		Parts: config.Parts{Catalog: config.NewCatalog(nil)}, Patience: 10 * time.Second, KeepOwner: true,
	}, k, a
}

func TestInstallStartsOnceAndUpgradesRollBack(t *testing.T) {
	var out bytes.Buffer
	o, k, a := installed(t, &out)
	for range 2 {
		if err := install.Install(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	if k.starts != 1 || !strings.Contains(out.String(), "runs, as before") {
		t.Errorf("%d starts\n%s", k.starts, out.String())
	}
	a.until("mem runs", running("mem"))

	next := o
	next.Program, next.Version = versioned(t, "3.0.0"), "3.0.0"
	if err := install.Upgrade(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if s, _ := a.status(); s.Version != "3.0.0" || k.starts != 2 {
		t.Errorf("version %q, %d starts", s.Version, k.starts)
	}

	conf := tree(t, a.dir, "conf.d")
	for name, program := range map[string]string{
		"it ends at once":       "#!/bin/sh\n[ \"$1\" = version ]\n",
		"it runs and is silent": "#!/bin/sh\n[ \"$1\" = version ] || exec sleep 60\n",
	} {
		bad := next
		bad.Version, bad.Patience = "4.0.0", 2*time.Second
		bad.Program = filepath.Join(t.TempDir(), "datakit")
		if err := os.WriteFile(bad.Program, []byte(program), 0o755); err != nil {
			t.Fatal(err)
		}
		err := install.Upgrade(t.Context(), bad)
		if !errors.Is(err, install.ErrRolledBack) || !strings.Contains(err.Error(), "4.0.0") {
			t.Errorf("%s: %v", name, err)
		}
		if s, ok := a.status(); !ok || s.Version != "3.0.0" {
			t.Errorf("%s: version %q runs", name, s.Version)
		}
	}
	// Another agent holds the port: what answers is not the new version.
	other := next
	other.Version, other.Program, other.Patience = "5.0.0", binary, 2*time.Second
	if err := install.Upgrade(t.Context(), other); !errors.Is(err, install.ErrRolledBack) || !strings.Contains(err.Error(), `"dev" answers`) {
		t.Errorf("%v", err)
	}
	if tree(t, a.dir, "conf.d") != conf {
		t.Error("the configuration was touched")
	}
	if names, _ := filepath.Glob(a.dir + "/datakit.*"); len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
}

func TestUninstallDeletesOnlyWhatIsOurs(t *testing.T) {
	var out bytes.Buffer
	o, k, a := installed(t, &out)
	if err := install.Install(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	a.write("precious.txt", "mine")
	asked := func(answer bool) func([]string) (bool, error) {
		return func(paths []string) (bool, error) {
			if k.Running() || k.registered || len(paths) != 6 {
				t.Errorf("asked with running %v, registered %v about %v", k.Running(), k.registered, paths)
			}
			return answer, nil
		}
	}
	if err := install.Uninstall(t.Context(), o, asked(false)); err != nil {
		t.Fatal(err)
	}
	if a.read("conf.d/datakit.conf") == "" || a.read("datakit") != "" {
		t.Errorf("left:\n%s", tree(t, a.dir, "."))
	}
	if err := install.Uninstall(t.Context(), o, asked(true)); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, a.dir, "."); strings.Count(got, "\n") != 2 || a.read("precious.txt") != "mine" {
		t.Errorf("left:\n%s", got)
	}
	if err := install.Uninstall(t.Context(), o, asked(true)); err == nil {
		t.Error("what is not there was uninstalled")
	}
}

func TestBrokenConfigurationIsNotInstalledOver(t *testing.T) {
	var out bytes.Buffer
	o, k, a := installed(t, &out)
	a.write("conf.d/datakit.conf", "hostname = [\n")
	if err := install.Install(t.Context(), o); err == nil || !strings.Contains(err.Error(), "correct them first") {
		t.Errorf("%v", err)
	}
	if names, _ := filepath.Glob(a.dir + "/*"); len(names) != 1 || k.starts > 0 || a.read("conf.d/datakit.conf") != "hostname = [\n" {
		t.Errorf("touched: %v", names)
	}
}
