//go:build linux

package install

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"datakit.dev/internal/workdir"
)

func TestEverySystemRunsTheSameCommand(t *testing.T) {
	for goos, c := range map[string]struct {
		dir     workdir.Dir
		program string
		option  string
	}{
		"linux":   {"/usr/local/datakit", "/usr/local/datakit/datakit", "SystemdScript"},
		"darwin":  {"/usr/local/datakit/", "/usr/local/datakit/datakit", "KeepAlive"},
		"windows": {`C:\Program Files\datakit`, `C:\Program Files\datakit\datakit.exe`, "OnFailure"},
	} {
		got := Config(c.dir, goos)
		if got.Name != "datakit" || got.Executable != c.program || !slices.Equal(got.Arguments, []string{"run", "--dir", string(c.dir)}) {
			t.Errorf("%s: %+v", goos, got)
		}
		if got.Option[c.option] == nil {
			t.Errorf("%s: %v", goos, got.Option)
		}
	}
}

func TestOnlyWindowsNeedsALogFile(t *testing.T) {
	if got := logFile(`C:\Program Files\datakit`, "windows"); got != `C:\Program Files\datakit\log\datakit.log` {
		t.Error(got)
	}
	if logFile("/usr/local/datakit", "linux")+logFile("/usr/local/datakit", "darwin") != "" {
		t.Error("a journal and launchd keep what goes to standard error")
	}
}

func TestUnitOfTheUsualDirectory(t *testing.T) {
	unit := Unit("/usr/local/datakit")
	for _, line := range []string{
		"Type=notify", "WatchdogSec=60s", "Restart=always", "User=datakit", "ProtectSystem=strict", "PrivateTmp=yes", "NoNewPrivileges=yes",
		"ExecStart=/usr/local/datakit/datakit run --dir /usr/local/datakit",
		"CapabilityBoundingSet=CAP_DAC_READ_SEARCH", "AmbientCapabilities=CAP_DAC_READ_SEARCH",
		"ReadWritePaths=-/usr/local/datakit/data -/usr/local/datakit/cache -/usr/local/datakit/log -/usr/local/datakit/pipeline_confd",
		"WantedBy=multi-user.target",
	} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("the unit lacks %s", line)
		}
	}
	if strings.Contains(unit, "%PROGRAM%") || strings.Contains(unit, "{{") {
		t.Error("the unit has something left to fill in")
	}
}

// systemd itself reads the unit, of a directory that has to be quoted too.
func TestSystemdTakesTheUnit(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("this machine has no systemd-analyze")
	}
	for _, name := range []string{"plain", `a b%h$HOME;q`} {
		dir := filepath.Join(t.TempDir(), name)
		if err := folders(t.Context(), workdir.Dir(dir), owner{}); err != nil {
			t.Fatal(err)
		}
		if _, err := place("/bin/true", program(workdir.Dir(dir), "linux")); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "datakit.service")
		write(t, path, Unit(workdir.Dir(dir)))
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", path).CombinedOutput()
		if err != nil || strings.Contains(string(out), "datakit.service") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestUnitIsThatOfItsDirectory(t *testing.T) {
	if !mentions(Unit("/srv/a b"), "/srv/a b") || mentions(Unit("/srv/a"), "/srv") || mentions("", "/srv") {
		t.Error("a unit is taken for that of another directory")
	}
	if !upToDate(Unit("/srv/a"), "/srv/a") || upToDate(Unit("/srv/a")+"#\n", "/srv/a") {
		t.Error("a changed unit counts as up to date")
	}
}
